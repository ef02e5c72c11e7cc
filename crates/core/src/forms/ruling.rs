//! What a guard says of one fact.

/// What a guard says of one fact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ruling {
    /// The guard has nothing to say here.
    NotApplicable,
    /// It holds; the positions of the facts that prove it.
    Kept(Vec<usize>),
    /// Somebody vouched for it; nobody can check.
    Attested,
    /// It does not hold.
    Broken(Shortfall),
}

/// Why a guard does not hold, and what would have been right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shortfall {
    /// What is missing or wrong.
    pub missing: String,
    /// What would be accepted.
    pub accepted: String,
    /// Whether the same proposal can be accepted later.
    pub later: Later,
    /// Positions of facts that show it.
    pub proof: Vec<usize>,
}

/// Whether the same proposal can be accepted later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Later {
    /// Yes, once other facts are recorded.
    AfterOtherFacts,
    /// Not as it stands: correct the proposal and propose it again.
    WhenCorrected,
    /// Not by this person: another one may.
    ByAnother,
    /// No.
    Never,
}

impl Later {
    /// The word for it in machine output.
    pub const fn name(self) -> &'static str {
        match self {
            Self::AfterOtherFacts => "after_other_facts",
            Self::WhenCorrected => "when_corrected",
            Self::ByAnother => "by_another",
            Self::Never => "never",
        }
    }

    /// The sentence for people.
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::AfterOtherFacts => "the same can be accepted later, once that is recorded",
            Self::WhenCorrected => "correct it and propose it again",
            Self::ByAnother => "somebody in the right role can do it",
            Self::Never => "this will not be accepted later either",
        }
    }
}
