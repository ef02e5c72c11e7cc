//! The `thirdring` command.
fn main() {}
