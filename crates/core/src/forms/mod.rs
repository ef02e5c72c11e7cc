//! The ten forms a clause can have, each in its own file or folder.
//!
//! | looks at | verb | file |
//! |---|---|---|
//! | the fact itself | `carries`, `only_by` | [`carries`], [`only_by`] |
//! | the past | `needs`, `never` | [`needs`], `never` |
//! | the future | `within`, `every` | [`within`], [`every`] |
//! | words | `means`, `may`, `computed`, `stated` | [`words`] |

// The floors, lowest first: each module uses only modules above it in this list.
pub(crate) mod reading;

pub mod limit;
pub mod ruling;
pub mod run;

pub mod bound;
pub mod condition;
pub mod pattern;

pub mod carries;
pub mod needs;
pub(crate) mod never;
pub mod only_by;

pub(crate) mod clock;
pub mod escalation;
pub mod every;
pub mod within;

pub mod words;

mod form;

pub mod reach;

mod clause;

pub use clause::Clause;
pub use form::Form;
