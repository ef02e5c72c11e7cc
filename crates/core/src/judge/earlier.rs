//! A case as it was.

use std::sync::Arc;

use crate::judge::case::Case;

/// A case as it was when it had fewer records.
///
/// It is kept between questions: one about a later version goes on from the
/// last one instead of beginning anew, so that whoever asks in the order of the
/// records folds each of them once. A question that goes back begins anew.
#[derive(Debug, Clone)]
pub struct Earlier {
    case: Case,
    folded: u64,
}

impl Earlier {
    /// The beginning of a case: nothing was recorded yet.
    pub fn of(case: &Case) -> Self {
        Self {
            case: Case::new(case.stream().clone(), Arc::clone(case.rulebook())),
            folded: 0,
        }
    }

    /// The case as it was with its first `version` records; all of it if it has
    /// no more than that.
    pub fn at_version(&mut self, case: &Case, version: u64) -> &Case {
        let records = case.records();
        let wanted = usize::try_from(version).map_or(records.len(), |v| v.min(records.len()));
        let mut known = self.case.records().len();
        if known > wanted || !self.begins(case) {
            self.case = Self::of(case).case;
            known = 0;
        }
        let missing = records.get(known..wanted).unwrap_or_default();
        self.folded += missing.len() as u64;
        self.case.apply_all(missing.iter().cloned());
        &self.case
    }

    /// Whether a case begins with what was folded so far, under the same
    /// rulebook. The link of the last record commits to all before it and to
    /// the stream.
    fn begins(&self, case: &Case) -> bool {
        let known = self.case.records();
        let link = known.len().checked_sub(1).and_then(|last| {
            let then = case.records().get(last)?;
            Some(then.chain == *self.case.chain())
        });
        Arc::ptr_eq(self.case.rulebook(), case.rulebook())
            && link.unwrap_or_else(|| self.case.stream() == case.stream())
    }

    /// How many records were folded so far, over all questions.
    pub const fn folded(&self) -> u64 {
        self.folded
    }
}
