//! PostgreSQL servers for tests and benchmarks (feature `testing`), started from
//! the binaries of the machine: on the loopback interface, at a free port, in a
//! temporary directory, and as user `postgres` where the tests run as root,
//! because the server refuses to.
//!
//! A server is stopped and its directory removed when the value is dropped, and
//! also when the process ends in any other way: a shell waits for that.

#![expect(
    clippy::panic,
    clippy::expect_used,
    reason = "a test kit reports by panicking"
)]

mod binaries;

mod home;

mod server;

mod cluster;

pub use binaries::{Binaries, binaries};
pub use cluster::Cluster;
pub use server::Server;
