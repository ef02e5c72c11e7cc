//! The same work done by a desk, and by the least anybody must do with the
//! database alone.
#![allow(dead_code, reason = "each benchmark uses its part")]

pub(crate) mod desk;
pub(crate) mod raw;
pub(crate) mod raw_postgres;
