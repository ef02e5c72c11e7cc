//! The knowledge base and the questions that feed it.

use crate::vocabulary::declare::facts;
use crate::vocabulary::{Attribute, FactType, KeyOpening};

facts! {
    group knowledge of Knowledge from super::shift::END;

    /// A question was noted for an answer.
    act question_noted QuestionNoted [question] {
        /// What was asked.
        text: personal,
        /// When it was met.
        met_at: instant,
    }

    /// The answer to a question was written down.
    act answer_recorded AnswerRecorded [question] {
        /// The answer.
        answer: personal,
    }

    /// The knowledge base was looked through and brought up to date.
    act kb_reviewed KbReviewed {}
}

/// What rules may ask about a knowledge stream beyond the fact at hand.
pub(crate) const ATTRIBUTES: &[Attribute] = &[];

/// The facts that may open a knowledge stream: all of them.
pub(crate) const OPENED_BY: &[FactType] =
    &[QuestionNoted::TYPE, AnswerRecorded::TYPE, KbReviewed::TYPE];

/// The keys of a knowledge stream and the facts that open one of their values.
pub(crate) const KEYS: &[KeyOpening] = &[KeyOpening {
    key: "question",
    opened_by: &[QuestionNoted::TYPE],
    strict: false,
}];
