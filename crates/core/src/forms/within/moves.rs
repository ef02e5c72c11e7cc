//! What one fact does to the runs of a `within`: it starts, answers, waives,
//! cancels or stops them, or changes what their limit is counted by.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::{Expected, OnChange, Repeat, Within};
use crate::forms::clock::ClockScene;
use crate::forms::limit::Limit;
use crate::forms::run::{End, Pause, Run};
use crate::manual::Calendars;
use crate::record::Record;
use crate::vocabulary::{Scalar, Value};

impl Within {
    /// Lets one fact work on the runs of this clause.
    pub(crate) fn touch(&self, runs: &mut Vec<Run>, scene: &ClockScene<'_>) {
        let record = scene.record;
        let at = record.happened_at();
        for run in runs.iter_mut().filter(|run| run.is_open() || run.undecided) {
            if !scene.concerns(run) {
                continue;
            }
            if run.undecided {
                self.decide(run, scene);
                continue;
            }
            run.settle(at);
            self.change(run, scene, at);
            self.stop(run, scene, at);
            run.undecided = !run.is_open() && !run.applies && scene.leaves_unknown(run);
        }
        if self.after.iter().any(|pattern| pattern.matches(record)) {
            self.start(runs, scene);
        }
    }

    /// The named calendar a run is counted in, once this fact is known.
    fn calendar_name(&self, run: &Run, scene: &ClockScene<'_>) -> Option<String> {
        let test = self.calendar_by.as_ref()?;
        scene
            .of(run)
            .and_then(|scene| test.value(&scene))
            .and_then(|value| match value {
                Scalar::Word(name) => Some(name),
                Scalar::Int(_) | Scalar::Flag(_) => None,
            })
    }

    /// What the condition of a run that is over asks may be recorded only now:
    /// whoever is told late of what applied must not gain by it. Not what is
    /// recorded after the stream was opened again: that is another matter.
    fn decide(&self, run: &mut Run, scene: &ClockScene<'_>) {
        run.undecided = !scene.reopened_since(run) && scene.leaves_unknown(run);
        let counts = self.on_change == OnChange::Recompute && !scene.reopened_since(run);
        if run.undecided || !counts || !scene.holds(run) {
            return;
        }
        run.applies = true;
        run.ever_applied = true;
        let ended_at = run.ended_by().map(|record| record.happened_at());
        run.missed = run
            .due
            .zip(ended_at)
            .is_some_and(|(due, ended_at)| due < ended_at);
    }

    /// The condition may hold now, or no longer; the place may be another.
    fn change(&self, run: &mut Run, scene: &ClockScene<'_>, at: DateTime<Utc>) {
        let calendar = self.calendar_name(run, scene);
        if calendar != run.calendar && !run.missed {
            run.calendar = calendar;
            self.compute_due(run, scene.calendars);
        }
        let applies = scene.holds(run);
        if applies == run.applies {
            return;
        }
        run.applies = applies;
        run.ever_applied |= applies;
        match (self.on_change, applies) {
            (OnChange::Reset, true) if !run.missed => {
                run.from = at;
                // A pause that lasts goes on; what was paused before is past.
                run.pauses.retain(|pause| pause.to.is_none());
                for pause in &mut run.pauses {
                    pause.from = at;
                }
                self.compute_due(run, scene.calendars);
            }
            (OnChange::Forward, _) => self.balance(run, scene.record, at, scene.calendars),
            (OnChange::Recompute | OnChange::Reset, _) => {}
        }
        // A limit that had passed before the condition became known was missed.
        run.settle(at);
    }

    fn stop(&self, run: &mut Run, scene: &ClockScene<'_>, at: DateTime<Utc>) {
        let record = scene.record;
        if self
            .cancelled_by
            .iter()
            .any(|pattern| pattern.matches(record))
        {
            run.end = Some(End::Cancelled(Arc::clone(record)));
            return;
        }
        if !run.missed
            && self
                .waived_by
                .iter()
                .any(|waiver| waiver.lifts(record, run))
        {
            run.end = Some(End::Waived(Arc::clone(record)));
            return;
        }
        if let Some(index) = self.expect.iter().position(|e| e.pattern.matches(record)) {
            self.answer(run, index, scene, at);
        }
        if !run.is_open() {
            return;
        }
        if self.resume.iter().any(|pattern| pattern.matches(record)) {
            run.stopped = false;
        }
        if self.pause.iter().any(|pattern| pattern.matches(record)) {
            run.stopped = true;
        }
        self.balance(run, record, at, scene.calendars);
    }

    /// Lets the time of a run stand or go on, as pauses and condition have it.
    fn balance(
        &self,
        run: &mut Run,
        record: &Arc<Record>,
        at: DateTime<Utc>,
        calendars: Calendars<'_>,
    ) {
        if run.missed {
            return;
        }
        let stands = run.stopped || (self.on_change == OnChange::Forward && !run.applies);
        if stands && !run.is_paused() {
            run.pauses.push(Pause {
                by: Arc::clone(record),
                from: at,
                to: None,
            });
            run.due = None;
        } else if !stands
            && let Some(pause) = run.pauses.last_mut().filter(|pause| pause.to.is_none())
        {
            pause.to = Some(at);
            self.compute_due(run, calendars);
        }
    }

    fn answer(&self, run: &mut Run, index: usize, scene: &ClockScene<'_>, at: DateTime<Utc>) {
        let record = scene.record;
        let early = self
            .expect
            .get(index)
            .and_then(|e| e.not_before)
            .is_some_and(|limit| {
                limit.after(run.from, scene.calendar).is_ok_and(|earliest| {
                    Limit::Clock(self.grace_seconds)
                        .after(at, scene.calendar)
                        .is_ok_and(|at| at < earliest)
                })
            });
        if early {
            run.end = Some(End::Early(Arc::clone(record)));
            return;
        }
        if self.all {
            let came =
                |e: &Expected, run: &Run| run.partly.iter().any(|part| e.pattern.matches(part));
            // One fact may be several of the expected ones.
            let new = self
                .expect
                .iter()
                .any(|e| e.pattern.matches(record) && !came(e, run));
            if new {
                run.partly.push(Arc::clone(record));
            }
            let complete = self.expect.iter().all(|e| came(e, run));
            if !complete {
                return;
            }
        }
        run.end = Some(End::Answered(Arc::clone(record)));
    }

    fn start(&self, runs: &mut Vec<Run>, scene: &ClockScene<'_>) {
        let record = scene.record;
        // What the start itself rules out is no start: it must not keep another
        // from starting, nor take its place.
        if !record
            .fact()
            .is_some_and(|fact| scene.when.left_open_by(fact))
        {
            return;
        }
        let key = scene.key().map(str::to_owned);
        let open = runs
            .iter_mut()
            .filter(|run| run.is_open() && run.key == key);
        match self.repeat {
            Repeat::Keep => {
                // The run the same fact has just answered is over by now.
                if open.count() > 0 {
                    return;
                }
            }
            Repeat::Restart => {
                for run in open {
                    run.end = Some(End::Superseded(Arc::clone(record)));
                    run.undecided = !run.applies && scene.leaves_unknown(run);
                }
            }
            Repeat::Each => {}
        }
        let from = self.anchor(record);
        let mut run = Run::starting(record, key, from, false);
        run.applies = scene.holds(&run);
        run.ever_applied = run.applies;
        run.calendar = self.calendar_name(&run, scene);
        self.compute_due(&mut run, scene.calendars);
        self.balance(&mut run, record, from, scene.calendars);
        runs.push(run);
    }

    /// The moment a run started by `record` counts from.
    fn anchor(&self, record: &Record) -> DateTime<Utc> {
        let told = self
            .from_field
            .as_ref()
            .and_then(|name| match record.fact()?.get(name)? {
                Value::Instant(at) => Some(at.to_utc()),
                Value::Int(_)
                | Value::Flag(_)
                | Value::Word(_)
                | Value::Words(_)
                | Value::Date(_)
                | Value::Personal(_) => None,
            });
        told.unwrap_or_else(|| record.happened_at())
    }
}
