//! Given, when, then over a rulebook: for whoever writes service rules of
//! their own and wants to know that they do what they say.
//!
//! ```
//! use thirdring_testkit::{Scenario, shipped};
//!
//! Scenario::new(&shipped("unis"))
//!     .by("hotline_engineer")
//!     .given("call_answered call=1 rings=2")
//!     .given("request_received channel=phone kind=fault report_form=detailed_phone")
//!     .after_minutes(2)
//!     .when("problem_solved method=phone solution=\"set the right month\"")
//!     .then_refused("hotline-every-phone-request-recorded")
//!     .when("request_recorded phenomenon=\"the report stays empty\"")
//!     .then_admitted();
//! ```
//!
//! - [`Scenario`] is the Rust way, [`script`] the same as a text file with
//!   ticks of time and expected words;
//! - [`Bench`] is what both stand on: a desk without a store, whose clock only
//!   moves when it is told to;
//! - [`Pool`] knows which values a manual's fields can have, and the feature
//!   `proptest` makes facts and histories out of it.

// Floors, lowest first: each module uses only modules above it in this list.
mod bench;
mod fact_text;
mod pool;
mod scenario;
pub mod script;
#[cfg(feature = "proptest")]
pub mod strategies;

use std::sync::Arc;

use thirdring_core::{Library, Rulebook, SourceText};

pub use bench::{Bench, Telling};
pub use fact_text::Said;
pub use pool::{Pool, pool_of};
pub use scenario::Scenario;

/// A shipped manual.
///
/// # Panics
/// If there is no manual of that name.
#[track_caller]
pub fn shipped(name: &str) -> Arc<Rulebook> {
    loaded(thirdring_manuals::shipped(name))
}

/// A manual of one's own, which may extend a shipped one.
///
/// ```
/// let shop = thirdring_testkit::own(r#"
///     [manual]
///     name = "shop"
///     extends = "unis"
///     [change.hotline-callback-within-1h]
///     within = "30 clock minutes"
///     because = "Our contracts promise half an hour."
/// "#);
/// thirdring_testkit::Scenario::new(&shop)
///     .by("hotline_engineer")
///     .given("call_answered call=1 rings=1")
///     .given("consent_given call=1")
///     .given("call_ended call=1 reason=consultation")
///     .after_minutes(31)
///     .given("status_told status=\"we are still asking\"")
///     .then_broken("hotline-callback-within-1h");
/// ```
///
/// # Panics
/// If something is wrong with it: the message says what and where.
#[track_caller]
pub fn own(text: &str) -> Arc<Rulebook> {
    loaded(thirdring_manuals::own("manual.toml", text))
}

/// A manual that stands alone, with its own rules under `[rule.…]`.
///
/// # Panics
/// If something is wrong with it: the message says what and where.
#[track_caller]
pub fn alone(text: &str) -> Arc<Rulebook> {
    let source = SourceText::new("manual.toml", text);
    loaded(thirdring_core::manual_name(&source).and_then(|name| {
        let library = Library {
            rules: Vec::new(),
            manuals: vec![source],
        };
        thirdring_core::load(&library, &name)
    }))
}

#[track_caller]
fn loaded(read: Result<Rulebook, thirdring_core::Complaints>) -> Arc<Rulebook> {
    match read {
        Ok(rulebook) => Arc::new(rulebook),
        Err(complaints) => fail(&complaints.to_string()),
    }
}

/// The one way in which this crate says that an expectation was not met.
#[track_caller]
#[expect(
    clippy::panic,
    reason = "a test that fails must panic, and this crate is for tests"
)]
fn fail(what: &str) -> ! {
    panic!("{what}")
}
