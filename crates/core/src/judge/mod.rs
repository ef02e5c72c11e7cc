//! The judge: a case as it stands, what may be added to it, and what time
//! makes of it.

mod case;
mod earlier;
mod lapse;
mod nonsense;
mod proposal;
mod propose;

pub use case::Case;
pub(crate) use case::rolled;
pub use earlier::Earlier;
pub use lapse::{Deadline, lapse, next_deadline, next_deadline_unlifted};
pub use nonsense::Nonsense;
pub use proposal::{Mode, Proposal};
pub use propose::{Admission, ClockChange, ClockEvent, Objection, ProposeError, propose};
pub(crate) use propose::{lifting_rule, rule_lifting_run};
