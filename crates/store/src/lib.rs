//! The log contract of Thirdring, with an in-memory and an SQLite implementation.
