//! What if a number were another: a rulebook with single members of its rules
//! set otherwise, without writing a file.

use crate::forms::Form;
use crate::forms::limit::Limit;
use crate::rulebook::{Library, Rule, Rulebook};
use crate::source::{Complaint, Complaints, SourceText};
use crate::trial::load;
use crate::vocabulary::nearest;

/// The name a changed manual goes by.
const CHANGED: &str = "what-if";

/// One member of a rule, set otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// The rule's id.
    pub rule: String,
    /// The member, e.g. `within`.
    pub member: String,
    /// Its value: a limit (`2 working hours`), an ISO 8601 duration (`PT2H`,
    /// counted in the kind of time the rule counts in), or any TOML value.
    pub value: String,
}

/// A text that sets nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` sets nothing; write rule-id.member=value, e.g. hotline-callback-within-1h.within=PT2H"
)]
pub struct NoSetting(String);

impl std::str::FromStr for Setting {
    type Err = NoSetting;

    fn from_str(text: &str) -> Result<Self, NoSetting> {
        let no = || NoSetting(text.chars().take(80).collect());
        let (target, value) = text.split_once('=').ok_or_else(no)?;
        let (rule, member) = target.trim().rsplit_once('.').ok_or_else(no)?;
        if rule.is_empty() || member.is_empty() || value.trim().is_empty() {
            return Err(no());
        }
        Ok(Self {
            rule: rule.to_owned(),
            member: member.to_owned(),
            value: value.trim().to_owned(),
        })
    }
}

/// A manual with members of its rules set otherwise.
///
/// # Errors
/// If the manual cannot be loaded, a rule is unknown, or a value does not fit.
pub fn load_with(
    library: &Library,
    manual: &str,
    settings: &[Setting],
) -> Result<Rulebook, Complaints> {
    let base = load(library, manual)?;
    if settings.is_empty() {
        return Ok(base);
    }
    let mut text = format!(
        "[manual]\nname = {}\nextends = {}\n",
        quoted(CHANGED),
        quoted(manual)
    );
    let mut seen: Vec<&str> = Vec::new();
    for setting in settings {
        if seen.contains(&setting.rule.as_str()) {
            continue;
        }
        seen.push(&setting.rule);
        let rule = base
            .rule(&setting.rule)
            .ok_or_else(|| unknown_rule(&base, &setting.rule))?;
        text.push_str(&format!(
            "\n[change.{}]\nbecause = \"what if\"\n",
            quoted(&setting.rule)
        ));
        for other in settings.iter().filter(|other| other.rule == setting.rule) {
            let value = value(rule, other).map_err(|problem| complaint(&other.rule, problem))?;
            text.push_str(&format!("{} = {value}\n", quoted(&other.member)));
        }
    }
    let mut library = library.clone();
    library.manuals.push(SourceText::new("--set", text));
    load(&library, CHANGED)
}

/// A text as a TOML string: JSON's escapes are among TOML's.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn unknown_rule(base: &Rulebook, id: &str) -> Complaints {
    let remedy = match nearest(id, base.rules.iter().map(|rule| &*rule.id)) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("`thirdring rules --manual {}` lists its rules", base.name),
    };
    Complaints(vec![Complaint {
        file: "--set".to_owned(),
        line: 1,
        column: 1,
        about: Some(id.to_owned()),
        problem: format!("the manual `{}` has no such rule", base.name),
        remedy,
    }])
}

fn complaint(rule: &str, problem: String) -> Complaints {
    Complaints(vec![Complaint {
        file: "--set".to_owned(),
        line: 1,
        column: 1,
        about: Some(rule.to_owned()),
        problem,
        remedy: "write a limit such as \"2 working hours\", or a duration such as PT2H".to_owned(),
    }])
}

fn value(rule: &Rule, setting: &Setting) -> Result<String, String> {
    let text = setting.value.as_str();
    if text.starts_with('P') {
        let Some(limit) = first_limit(rule) else {
            return Err(format!(
                "`{text}` is a duration, and the rule has no limit to count it in"
            ));
        };
        return iso_limit(text, limit)
            .map(|limit| quoted(&limit.to_string()))
            .ok_or_else(|| format!("`{text}` is no duration that can be counted like {limit}"));
    }
    let plain = text.parse::<i64>().is_ok()
        || text.parse::<bool>().is_ok()
        || text.starts_with(['[', '{', '"']);
    Ok(if plain { text.to_owned() } else { quoted(text) })
}

fn first_limit(rule: &Rule) -> Option<Limit> {
    rule.clauses.iter().find_map(|clause| match &clause.form {
        Form::Within(within) => within.limits.first().map(|bound| bound.limit),
        _ => None,
    })
}

/// An ISO 8601 duration in the kind of time another limit counts in.
fn iso_limit(text: &str, like: Limit) -> Option<Limit> {
    let (date, time) = match text.strip_prefix('P')?.split_once('T') {
        Some((date, time)) => (date, time),
        None => (text.strip_prefix('P')?, ""),
    };
    let (mut months, mut days, mut seconds) = (0i64, 0i64, 0i64);
    for (number, unit) in parts(date)? {
        match unit {
            'Y' => months = months.checked_add(number.checked_mul(12)?)?,
            'M' => months = months.checked_add(number)?,
            'W' => days = days.checked_add(number.checked_mul(7)?)?,
            'D' => days = days.checked_add(number)?,
            _ => return None,
        }
    }
    for (number, unit) in parts(time)? {
        let each = match unit {
            'H' => 3600,
            'M' => 60,
            'S' => 1,
            _ => return None,
        };
        seconds = seconds.checked_add(number.checked_mul(each)?)?;
    }
    if text.len() < 3 || text.ends_with('T') {
        return None;
    }
    let whole = |number: i64| u32::try_from(number).ok();
    match (months, days, seconds, like) {
        (0, 0, seconds, Limit::Working(_) | Limit::WorkingDays(_)) => Some(Limit::Working(seconds)),
        (0, 0, seconds, _) => Some(Limit::Clock(seconds)),
        (0, days, 0, Limit::Working(_) | Limit::WorkingDays(_)) => {
            Some(Limit::WorkingDays(whole(days)?))
        }
        (0, days, 0, Limit::CivilDays(_) | Limit::CivilMonths(_)) => {
            Some(Limit::CivilDays(whole(days)?))
        }
        (0, days, seconds, Limit::Clock(_)) => Some(Limit::Clock(
            days.checked_mul(86_400)?.checked_add(seconds)?,
        )),
        (months, 0, 0, _) => Some(Limit::CivilMonths(whole(months)?)),
        _ => None,
    }
}

/// Numbers and their units: `1H30M` is (1, H), (30, M).
fn parts(text: &str) -> Option<Vec<(i64, char)>> {
    let mut parts = Vec::new();
    let mut number = String::new();
    for c in text.chars() {
        if c.is_ascii_digit() {
            number.push(c);
        } else {
            parts.push((number.parse().ok()?, c));
            number.clear();
        }
    }
    number.is_empty().then_some(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_counted_as_the_rule_counts() {
        let working = Limit::Working(3600);
        assert_eq!(iso_limit("PT2H", working), Some(Limit::Working(7200)));
        assert_eq!(
            iso_limit("PT1H30M", Limit::Clock(1)),
            Some(Limit::Clock(5400))
        );
        assert_eq!(iso_limit("P2D", working), Some(Limit::WorkingDays(2)));
        assert_eq!(
            iso_limit("P1D", Limit::Clock(1)),
            Some(Limit::Clock(86_400))
        );
        assert_eq!(
            iso_limit("P1W", Limit::CivilDays(1)),
            Some(Limit::CivilDays(7))
        );
        for wrong in ["P", "PT", "PT2", "PTH", "P2X", "PT99999999999999999999H"] {
            let read = iso_limit(wrong, working);
            assert!(read.is_none(), "{wrong}: {read:?}");
        }
    }

    #[test]
    fn a_setting_names_rule_member_and_value() {
        let setting: Setting = "onsite-level1-within-24h.within=PT36H".parse().unwrap();
        assert_eq!(
            (
                setting.rule.as_str(),
                setting.member.as_str(),
                setting.value.as_str()
            ),
            ("onsite-level1-within-24h", "within", "PT36H")
        );
        assert!("within=PT2H".parse::<Setting>().is_err());
        assert!("rule.within=".parse::<Setting>().is_err());
    }
}
