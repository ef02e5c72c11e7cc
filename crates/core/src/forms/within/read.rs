//! How a `within` is read from the table of its rule.

use super::{Expected, OnChange, Repeat, Waiver, Within};
use crate::forms::bound::Bound;
use crate::forms::condition::read_name;
use crate::forms::escalation::Steps;
use crate::forms::limit::Limit;
use crate::forms::pattern::Pattern;
use crate::forms::reading::Reading;
use crate::source::{Complaint, Table};
use crate::vocabulary::FactType;

impl Within {
    pub(crate) fn read(
        table: &mut Table<'_>,
        after: Vec<Pattern>,
        reading: &mut Reading<'_>,
    ) -> Result<Self, Complaint> {
        let (node, all) = table.any_or_all(
            ("expect", "expect_all"),
            "nothing is expected",
            "write expect = [\"result_told\"]",
        )?;
        let expect = node
            .some_items()?
            .iter()
            .map(|item| {
                let pattern = Pattern::read(item, reading, &["not_before"])?;
                let not_before = item.get("not_before").map(Limit::read).transpose()?;
                Ok(Expected {
                    pattern,
                    not_before,
                })
            })
            .collect::<Result<Vec<_>, Complaint>>()?;
        let limits = match table.take("within") {
            None => Vec::new(),
            Some(node) => node
                .some_items()?
                .iter()
                .map(|item| Bound::read(item, reading))
                .collect::<Result<Vec<_>, _>>()?,
        };
        let facts: Vec<FactType> = after.iter().map(|pattern| pattern.fact).collect();
        let calendar_by = match table.take("calendar_by") {
            None => None,
            Some(node) => Some(read_name(node, &facts, reading)?),
        };
        let grace_seconds = match table.take("grace") {
            None => 0,
            Some(node) => match Limit::read(node)? {
                Limit::Clock(seconds) => seconds,
                _ => {
                    return Err(node.place.complain(
                        None,
                        "a grace is clock time",
                        "write e.g. \"5 clock minutes\"",
                    ));
                }
            },
        };
        let from_field = match table.take("from") {
            None => None,
            Some(node) => {
                let name = node.text()?;
                for pattern in &after {
                    let remedy = "count from a field that holds a moment";
                    reading.instant_field(pattern.fact, name, &node.place, remedy)?;
                }
                Some(name.to_owned())
            }
        };
        if from_field.is_none()
            && let Some(bound) = limits.iter().find(|bound| bound.before)
        {
            return Err(table.place.complain(
                None,
                format!("`{bound}`: before what? The clock starts with a fact that has happened"),
                "count from a field of the fact that holds a later moment: from = \"…\"",
            ));
        }
        let repeat = table.demand("repeat", "\"keep\" (or \"restart\", or \"each\")")?;
        let repeat = match repeat.text()? {
            "keep" => Repeat::Keep,
            "restart" => Repeat::Restart,
            "each" => Repeat::Each,
            other => {
                return Err(repeat.place.complain(
                    None,
                    format!("`{other}` says nothing about a second start"),
                    "write keep (the first run goes on), restart (a new run takes its place) or each (one run per start)",
                ));
            }
        };
        let on_change = match table.take("on_change") {
            None => OnChange::Recompute,
            Some(node) => match node.text()? {
                "recompute" => OnChange::Recompute,
                "forward" => OnChange::Forward,
                "reset" => OnChange::Reset,
                other => {
                    return Err(node.place.complain(
                        None,
                        format!("`{other}` is no way to treat a change"),
                        "write recompute, forward or reset",
                    ));
                }
            },
        };
        let waived_by = match table.take("waived_by") {
            None => Vec::new(),
            Some(node) => node
                .items()
                .iter()
                .map(|item| Waiver::read(item, reading))
                .collect::<Result<_, _>>()?,
        };
        let mut patterns = |name: &'static str| match table.take(name) {
            None => Ok(Vec::new()),
            Some(node) => Pattern::read_all(node, reading, &[]),
        };
        let cancelled_by = patterns("cancelled_by")?;
        let pause = patterns("pause")?;
        let resume = patterns("resume")?;
        if pause.is_empty() != resume.is_empty() {
            return Err(table.place.complain(
                None,
                "`pause` and `resume` belong together: a time that stops must be able to go on",
                "write both, or neither",
            ));
        }
        let steps = Steps::read(table, reading, &limits)?;
        Ok(Self {
            after,
            expect,
            all,
            limits,
            calendar_by,
            grace_seconds,
            from_field,
            repeat,
            waived_by,
            cancelled_by,
            pause,
            resume,
            on_change,
            steps,
        })
    }
}
