//! The sum behind a due moment: which windows were counted, day by day, until
//! the limit was full, and which days were skipped and why.

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use thirdring_calendar::{Calendar, ClosedReason, HoursReason};

use crate::forms::bound::Bound;
use crate::forms::limit::{Limit, describe_seconds};
use crate::forms::run::Run;
use crate::forms::within::Within;
use crate::manual::Calendars;

/// The most open windows, and the most closed days in a row, that a sum lists
/// before it only counts them.
const SHOWN: usize = 12;

/// A moment as people read it, in the manual's zone.
pub(super) fn show(moment: DateTime<Utc>, zone: Tz) -> String {
    moment
        .with_timezone(&zone)
        .format("%a %Y-%m-%d %H:%M:%S%.f %Z")
        .to_string()
}

/// The most windows of one stretch that are added up: some thirty years.
const COUNTED: usize = 20_000;

/// The sum of one limit of a run, one line a window.
pub(super) fn limit_steps(
    within: &Within,
    bound: &Bound,
    run: &Run,
    calendars: Calendars<'_>,
    steps: &mut Vec<String>,
) {
    let calendar = bound.calendar_of(run, calendars);
    // The windows are shown by the clocks of the place they are counted in.
    let zone = calendar.zone();
    match &run.calendar {
        Some(place) if bound.calendar.is_none() => {
            steps.push(format!("  limit {bound}, by the calendar `{place}`"));
        }
        Some(_) | None => steps.push(format!("  limit {bound}")),
    }
    let Ok(due) = within.due_of(bound, run, calendars) else {
        return;
    };
    if run.is_paused() {
        return;
    }
    if bound.before {
        return;
    }
    match bound.limit {
        Limit::Working(_) => windows(run, due, calendar, zone, steps),
        Limit::WorkingDays(_) => days(run, due, calendar, steps),
        Limit::Clock(_) | Limit::CivilDays(_) | Limit::CivilMonths(_) => {}
    }
}

/// The stretches in which time ran, up to the due moment.
fn running(run: &Run, due: DateTime<Utc>) -> Vec<(DateTime<Utc>, DateTime<Utc>)> {
    let mut spans = Vec::new();
    let mut from = run.from;
    for pause in &run.pauses {
        spans.push((from, pause.from.min(due)));
        from = pause.to.unwrap_or(due).max(from);
    }
    spans.push((from, due));
    spans.retain(|(from, to)| from < to);
    spans
}

fn windows(run: &Run, due: DateTime<Utc>, calendar: &Calendar, zone: Tz, steps: &mut Vec<String>) {
    let mut sum = 0;
    let mut count = 0;
    let mut next_date = calendar.date(run.from);
    for (from, to) in running(run, due) {
        for window in calendar.windows(from, to).take(COUNTED) {
            closed_days(calendar, next_date, window.date, steps);
            next_date = window.date.succ_opt().unwrap_or(window.date);
            sum += window.seconds();
            count += 1;
            if count <= SHOWN {
                steps.push(format!(
                    "    {} to {}{}: {} (sum {})",
                    show(window.open, zone),
                    window.close.with_timezone(&zone).format("%H:%M:%S"),
                    describe_hours(&calendar.hours_reason(window.date)),
                    describe_seconds(window.seconds()),
                    describe_seconds(sum)
                ));
            }
        }
    }
    if count > SHOWN {
        steps.push(format!("    … {} more windows", count - SHOWN));
    }
    steps.push(format!(
        "    working time counted: {}",
        describe_seconds(sum)
    ));
}

fn days(run: &Run, due: DateTime<Utc>, calendar: &Calendar, steps: &mut Vec<String>) {
    let last = calendar.date(due);
    let first = calendar.date(run.from);
    closed_days(calendar, first, last, steps);
    let odd = first
        .iter_days()
        .take_while(|day| *day <= last)
        .filter_map(|day| {
            let hours = describe_hours(&calendar.hours_reason(day));
            (!hours.is_empty()).then(|| format!("    {}: worked{hours}", day.format("%a %Y-%m-%d")))
        });
    steps.extend(odd.take(SHOWN));
    let paused: i64 = run
        .pauses
        .iter()
        .filter_map(|pause| Some(calendar.between(pause.from.max(run.from), pause.to?.min(due))))
        .sum();
    if paused > 0 {
        steps.push(format!(
            "    put off by the working time paused: {}",
            describe_seconds(paused)
        ));
    }
}

/// The days from one date to before another that are closed, or worked out of
/// the ordinary, with the reason; days in a row for one reason are one line.
fn closed_days(calendar: &Calendar, from: NaiveDate, to: NaiveDate, steps: &mut Vec<String>) {
    let mut rows: Vec<(NaiveDate, NaiveDate, String)> = Vec::new();
    for day in from.iter_days().take_while(|day| *day < to) {
        let Some(reason) = calendar
            .closed_reason(day)
            .map(|reason| describe_closed(&reason))
        else {
            continue;
        };
        if let Some((_, last, known)) = rows.last_mut()
            && *known == reason
            && last.succ_opt() == Some(day)
        {
            *last = day;
        } else if rows.len() == SHOWN {
            steps.extend(rows.iter().map(describe_row));
            steps.push(format!("    … and other closed days before {to}"));
            return;
        } else {
            rows.push((day, day, reason));
        }
    }
    steps.extend(rows.iter().map(describe_row));
}

fn describe_row((first, last, reason): &(NaiveDate, NaiveDate, String)) -> String {
    let first_day = first.format("%a %Y-%m-%d");
    if first == last {
        format!("    {first_day}: closed, {reason}")
    } else {
        format!(
            "    {first_day} to {}: closed, {reason}",
            last.format("%a %Y-%m-%d")
        )
    }
}

fn described(what: &str, name: Option<&String>, notice: Option<&String>) -> String {
    let mut text = what.to_owned();
    if let Some(name) = name {
        text.push_str(&format!(" {name}"));
    }
    if let Some(notice) = notice {
        text.push_str(&format!(" ({notice})"));
    }
    text
}

fn describe_closed(reason: &ClosedReason) -> String {
    match reason {
        ClosedReason::Weekend => "weekend".to_owned(),
        ClosedReason::NoWeeklyHours => "no hours on this day of the week".to_owned(),
        ClosedReason::Holiday { name, notice } => {
            described("holiday", name.as_ref(), notice.as_ref())
        }
        ClosedReason::SpecialDay => "this date has no hours".to_owned(),
        _ => "breaks leave nothing of its hours".to_owned(),
    }
}

/// What is out of the ordinary about a day's hours; nothing for an ordinary day.
fn describe_hours(reason: &HoursReason) -> String {
    match reason {
        HoursReason::MakeUp { name, notice, .. } => {
            format!(
                ", {}",
                described("make-up working day", name.as_ref(), notice.as_ref())
            )
        }
        HoursReason::SpecialDay => ", hours of this date".to_owned(),
        _ => String::new(),
    }
}
