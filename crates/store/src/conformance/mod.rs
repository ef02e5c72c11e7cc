//! The laws of the log as tests, for whoever writes a backend (feature
//! `conformance`).
//!
//! A backend enrols by saying how it is opened:
//!
//! ```
//! use thirdring_store::conformance::Backend;
//! use thirdring_store::{MemoryLog, conformance_tests};
//!
//! struct Memory(MemoryLog);
//!
//! impl Backend for Memory {
//!     type Log = MemoryLog;
//!     fn fresh() -> Self {
//!         Self(MemoryLog::new())
//!     }
//!     fn open(&self) -> MemoryLog {
//!         self.0.clone()
//!     }
//! }
//!
//! conformance_tests!(Memory);
//! ```
//!
//! A log with several partitions enrols twice: the laws of a single order with
//! `conformance_tests!(OnePartition<Mine>)`, which keeps every stream of a law in
//! one partition of the log, and the laws that hold across partitions with
//! `partition_tests!(Mine)`, which any log may enrol in.
//!
//! Each law becomes one `#[test]`. There are no exemptions: a law that only
//! concerns logs with some capability asks for the declared flag.

#![expect(
    clippy::panic,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test kit reports by panicking"
)]

mod appending;
mod damaged;
mod following;
mod idempotency;
mod model;
mod one_partition;
mod partitions;
mod racing;
mod reading;
mod reopening;
mod scene;
mod timetables;

use crate::log::Log;

pub use one_partition::{InOnePartition, OnePartition};

/// A backend under test. Each value stands for one log that is empty at first
/// and goes away with the value.
pub trait Backend: Sync + Sized {
    /// The log it opens.
    type Log: Log + 'static;

    /// An empty log that nobody else uses.
    fn fresh() -> Self;

    /// Opens the log of this value, which may be open already and may have been
    /// opened before; what was stored then must be there.
    fn open(&self) -> Self::Log;

    /// Damages what is stored, behind the log's back. Gives `false` if this
    /// cannot be done or cannot happen to this backend.
    fn damage(&self, damage: Damage) -> bool {
        let _ = damage;
        false
    }
}

/// Damage to what is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Damage {
    /// The record at this position is gone.
    RecordGone(u64),
    /// The id of the record at this position has lost a byte.
    IdShortened(u64),
    /// The personal bytes of the record at this position are gone, though it is
    /// not said anywhere that they were erased.
    PersonalGone(u64),
    /// The name of the stream of the record at this position is gone.
    StreamNameGone(u64),
}

/// The laws. Each is given a fresh backend and panics if the law is broken.
pub mod laws {
    pub use super::appending::*;
    pub use super::damaged::*;
    pub use super::following::*;
    pub use super::idempotency::*;
    pub use super::model::*;
    pub use super::partitions::*;
    pub use super::racing::*;
    pub use super::reading::*;
    pub use super::reopening::*;
    pub use super::timetables::*;
}

/// Makes one `#[test]` of each law. The argument is the type of a
/// [`Backend`](crate::conformance::Backend).
#[macro_export]
macro_rules! conformance_tests {
    ($backend:ty) => {
        $crate::conformance_tests! { @each $backend;
            a_batch_is_all_or_nothing_over_streams
            expectations_are_judged
            a_part_without_records_only_checks
            versions_are_gapless_and_positions_dense
            a_conflict_tells_what_was_appended_since
            a_conflict_names_every_stream
            an_empty_batch_does_nothing
            a_stream_or_an_id_twice_in_a_batch_is_refused
            limits_are_errors_that_name_the_limit
            what_is_just_within_the_limits_is_stored
            any_bytes_round_trip
            streams_are_told_apart_byte_by_byte
            a_closed_log_refuses_and_still_reads
            a_submitted_batch_can_be_awaited
            submitted_batches_keep_their_order
            the_same_batch_again_gives_the_same_answer
            a_known_id_with_other_content_is_refused
            a_partly_known_batch_is_explained
            after_a_conflict_the_same_ids_may_be_used
            records_of_several_batches_are_recognised_together
            pages_join_to_the_whole
            backward_is_forward_reversed
            limited_reads_are_slices_of_the_forward_read
            there_is_an_end_and_nothing_beyond_it
            a_page_is_bounded_in_bytes
            a_page_of_nothing_is_an_error
            a_cursor_survives_as_text
            a_cursor_of_another_log_is_refused
            head_and_end_tell_the_last
            exactly_one_of_eight_wins_each_round
            racing_retries_write_once
            racing_writers_leave_dense_positions
            no_reader_sees_a_position_before_its_predecessor
            a_reader_held_open_misses_nothing
            no_reader_sees_half_a_batch
            following_catches_up_and_stays
            following_begins_at_any_cursor
            following_says_why_it_stops
            following_sees_what_another_handle_appends
            what_was_appended_is_there_after_reopening
            a_retry_is_recognised_after_reopening
            two_handles_are_one_log
            damage_is_an_error_and_never_the_end
            any_sequence_of_appends_agrees_with_a_model
            a_timetable_moves_with_its_cursor
            what_is_due_comes_soonest_first
            timetables_are_told_apart_and_forgotten
            a_timetable_stands_beside_the_log
            racing_timetables_never_overwrite
            what_is_held_is_passed_over
            any_timetable_agrees_with_a_model
        }
    };
    (@each $backend:ty; $($law:ident)*) => {$(
        #[test]
        fn $law() {
            let fresh = <$backend as $crate::conformance::Backend>::fresh();
            $crate::conformance::laws::$law(&fresh);
        }
    )*};
}

/// Makes one `#[test]` of each law that holds across partitions. The argument is
/// the type of a [`Backend`](crate::conformance::Backend).
#[macro_export]
macro_rules! partition_tests {
    ($backend:ty) => {
        $crate::conformance_tests! { @each $backend;
            a_stream_belongs_to_one_partition_for_ever
            a_batch_over_partitions_is_refused_whole
            every_partition_counts_its_own_positions
            a_scan_gives_every_partition_its_turn
            an_id_stands_once_in_all_partitions
            racing_partitions_lose_nothing
            following_sees_all_partitions
            every_stream_is_named_once
            several_streams_are_read_as_each_is
        }
    };
}

#[cfg(test)]
mod tests {
    /// A law that is written but not in the macro's list would never run.
    #[test]
    fn every_law_is_enrolled() {
        let list = include_str!("mod.rs");
        let files = [
            include_str!("appending.rs"),
            include_str!("damaged.rs"),
            include_str!("following.rs"),
            include_str!("idempotency.rs"),
            include_str!("model.rs"),
            include_str!("partitions.rs"),
            include_str!("racing.rs"),
            include_str!("reading.rs"),
            include_str!("reopening.rs"),
            include_str!("timetables.rs"),
        ];
        let mut laws = 0;
        for line in files.iter().flat_map(|file| file.lines()) {
            let Some(rest) = line.strip_prefix("pub fn ") else {
                continue;
            };
            let law = rest.split(['<', '(']).next().unwrap();
            assert!(
                list.contains(&format!("            {law}\n")),
                "{law} is not enrolled"
            );
            laws += 1;
        }
        assert!(laws > 40, "only {laws} laws found");
    }
}
