//! Values that belong to a person: names, phones, addresses, free text.

use std::fmt;

/// A value that belongs to a person.
///
/// It shows nothing in `Debug` and has no `Display`, so that it cannot reach a
/// log by accident; whoever wants the value says so with [`Personal::reveal`].
/// Stored, it lies apart from the fact it belongs to (see
/// [`crate::record::Sealed`]), so that it can be erased while the fact, and the
/// hash chain over the facts, stay as they are.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Personal<T>(T);

impl<T> Personal<T> {
    /// Marks a value as personal.
    pub const fn new(value: T) -> Self {
        Self(value)
    }

    /// The value itself: the caller answers for where it goes.
    pub const fn reveal(&self) -> &T {
        &self.0
    }

    /// The value itself, by value.
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl<T> fmt::Debug for Personal<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Personal(…)")
    }
}

impl<T> From<T> for Personal<T> {
    fn from(value: T) -> Self {
        Self(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_nothing() {
        let phone = Personal::new("138 0013 8000");
        assert_eq!(format!("{phone:?}"), "Personal(…)");
        assert_eq!(*phone.reveal(), "138 0013 8000");
    }
}
