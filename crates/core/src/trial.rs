//! Trying a rulebook on the one-line histories its own rules hold.

use std::sync::Arc;

use crate::audit::{Observable, VerdictKind, verdicts_of};
use crate::digest::Digest;
use crate::ids::{Actor, RecordId, StreamId};
use crate::judge::Case;
use crate::record::{Content, Record};
use crate::rulebook::{Library, Rule, Rulebook, WrittenCase};
use crate::source::{Complaint, Complaints};
use crate::vocabulary::Process;
use crate::written::{Step, beginning};

/// Reads a manual with the rules it takes, checks it as a whole, and tries it
/// on the cases its rules hold.
///
/// # Errors
/// Everything that is wrong, with file, line and remedy.
pub fn load(library: &Library, manual: &str) -> Result<Rulebook, Complaints> {
    let rulebook = Rulebook::read(library, manual)?;
    let complaints = try_cases(&rulebook);
    if complaints.is_empty() {
        Ok(rulebook)
    } else {
        Err(Complaints(complaints))
    }
}

fn try_cases(rulebook: &Rulebook) -> Vec<Complaint> {
    let mut complaints = Vec::new();
    for rule in &rulebook.rules {
        if rule.cases.is_empty() {
            continue;
        }
        let alone = Arc::new(rulebook.alone(&rule.id));
        for case in &rule.cases {
            if let Err(complaint) = try_case(&alone, rule, case) {
                complaints.push(complaint);
            }
        }
    }
    complaints
}

fn try_case(rulebook: &Arc<Rulebook>, rule: &Rule, written: &WrittenCase) -> Result<(), Complaint> {
    let complain =
        |problem: String, remedy: String| written.place.complain(Some(&rule.id), problem, remedy);
    let monday = beginning(rulebook.calendar.zone());
    // Where nobody works then, at the first opening after it.
    let start = rulebook.calendar.next_open(monday).unwrap_or(monday);
    let process = rule
        .clauses
        .iter()
        .flat_map(|clause| &clause.facts)
        .map(|fact| fact.spec().process)
        .find(|process| *process != Process::Any)
        .unwrap_or(Process::Ticket);
    let name = match process {
        Process::Ticket | Process::Any => "case".to_owned(),
        Process::Shift | Process::Knowledge => format!("{}/case", process.name()),
    };
    let stream = StreamId::new(&name)
        .map_err(|error| complain(error.to_string(), "rename it".to_owned()))?;
    let mut now = start;
    let mut records = Vec::new();
    for step in &written.steps {
        let read = Step::parse(step, start)
            .map_err(|bad| complain(format!("`{step}`: {}", bad.problem), bad.remedy))?;
        now = now.checked_add_signed(read.delay).ok_or_else(|| {
            complain(
                format!("`{step}`: no calendar reaches that far"),
                "let less time pass".to_owned(),
            )
        })?;
        let Some(fact) = read.fact else { continue };
        let role = match read.by {
            None => "somebody".to_owned(),
            Some(role) => rulebook
                .roles
                .canonical(&role)
                .map(str::to_owned)
                .ok_or_else(|| {
                    complain(
                        format!("`{step}`: `{role}` is no role of the manual"),
                        "use a role of [roles]".to_owned(),
                    )
                })?,
        };
        let version = records.len() as u64 + 1;
        records.push(Arc::new(Record {
            id: RecordId::from(u128::from(version)),
            stream: stream.clone(),
            version,
            occurred_at: now.fixed_offset(),
            recorded_at: now,
            by: Actor {
                id: format!("somebody-{role}").into(),
                role: role.into(),
            },
            done_by: None,
            rulebook: rulebook.digest,
            evidence: Vec::new(),
            cause: None,
            content: Content::Fact(fact),
            chain: Digest::of("case", &[]),
        }));
    }
    let case = Case::replay(stream, Arc::clone(rulebook), records);
    let verdicts = verdicts_of(&case, now, &Observable::default(), Some(&rule.id));
    let broken: Vec<&str> = verdicts
        .iter()
        .filter(|verdict| verdict.kind == VerdictKind::Broken)
        .map(|verdict| verdict.why.as_ref())
        .collect();
    let judged = verdicts.iter().any(|verdict| {
        !matches!(
            verdict.kind,
            VerdictKind::NotApplicable | VerdictKind::Pending | VerdictKind::Unobservable
        )
    });
    let lifts = rule
        .clauses
        .iter()
        .all(|clause| !clause.form.is_guard() && !clause.form.is_clock());
    match (written.breaks, broken.is_empty()) {
        (false, false) => Err(complain(
            format!("a `kept` case is found broken: {}", broken.join("; ")),
            "correct the case or the rule".to_owned(),
        )),
        (true, true) => Err(complain(
            "a `broken` case is not found broken".to_owned(),
            "correct the case or the rule".to_owned(),
        )),
        (false, true) if !judged && !lifts => Err(complain(
            "a `kept` case is not judged at all: nothing in it concerns the rule, or its time is still running".to_owned(),
            "let the case reach the rule's end".to_owned(),
        )),
        (true, false) | (false, true) => Ok(()),
    }
}
