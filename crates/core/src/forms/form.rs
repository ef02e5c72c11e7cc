//! The verb of a clause, and what each verb can do.

use crate::forms::{carries, every, needs, only_by, within, words};

/// What a clause says, by its verb.
#[derive(Debug, Clone)]
pub enum Form {
    /// Fields, values, limits, claims of the fact itself.
    Carries(carries::Carries),
    /// Who may do it.
    OnlyBy(only_by::OnlyBy),
    /// Only after other facts.
    Needs(needs::Needs),
    /// Never, if.
    Never,
    /// After one fact, another within a limit.
    Within(Box<within::Within>),
    /// Again and again.
    Every(Box<every::Every>),
    /// What a value means.
    Means(words::Means),
    /// A permission.
    May(words::May),
    /// A figure.
    Computed(words::Computed),
    /// A sentence nothing can break, and why.
    Stated(String),
}

impl Form {
    /// The verb.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Carries(_) => "carries",
            Self::OnlyBy(_) => "only_by",
            Self::Needs(_) => "needs",
            Self::Never => "never",
            Self::Within(_) => "within",
            Self::Every(_) => "every",
            Self::Means(_) => "means",
            Self::May(_) => "may",
            Self::Computed(_) => "computed",
            Self::Stated(_) => "stated",
        }
    }

    /// The form as the field calls it: a claim and a measure are forms of their
    /// own to whoever counts verdicts.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Carries(carries) if !carries.attests.is_empty() => "attests",
            Self::Within(within) if within.is_measure() => "measured",
            Self::Every(every) if every.period.is_none() => "measured",
            _ => self.name(),
        }
    }

    /// Whether it looks at one fact when it is proposed.
    pub const fn is_guard(&self) -> bool {
        matches!(
            self,
            Self::Carries(_) | Self::OnlyBy(_) | Self::Needs(_) | Self::Never
        )
    }

    /// Whether it runs while time passes.
    pub const fn is_clock(&self) -> bool {
        matches!(self, Self::Within(_) | Self::Every(_))
    }

    /// Whether anything can break it.
    pub fn can_break(&self) -> bool {
        match self {
            Self::Carries(_) | Self::OnlyBy(_) | Self::Needs(_) | Self::Never => true,
            Self::Within(within) => {
                !within.is_measure() || within.expect.iter().any(|e| e.not_before.is_some())
            }
            Self::Every(every) => every.period.is_some(),
            Self::Means(_) | Self::May(_) | Self::Computed(_) | Self::Stated(_) => false,
        }
    }

    /// Whether a broken guard of this form may refuse an act; a claim never
    /// refuses, since nobody can check it either way.
    pub fn may_refuse(&self) -> bool {
        match self {
            Self::Carries(carries) => carries.attests.is_empty(),
            Self::OnlyBy(_) | Self::Needs(_) | Self::Never => true,
            Self::Within(_)
            | Self::Every(_)
            | Self::Means(_)
            | Self::May(_)
            | Self::Computed(_)
            | Self::Stated(_) => false,
        }
    }
}
