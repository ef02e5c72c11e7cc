//! A failure of the medium or of the library that drives it.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

/// What the medium, or the library that drives it, reported. Cheap to clone,
/// because everybody in a group commit gets the same one.
#[derive(Clone)]
pub struct StorageFailure {
    doing: &'static str,
    place: Arc<str>,
    cause: Arc<dyn Error + Send + Sync>,
}

impl StorageFailure {
    /// For backends: `doing` completes "could not …", `place` names the file or
    /// server.
    #[must_use]
    pub fn new(
        doing: &'static str,
        place: impl Into<Arc<str>>,
        cause: impl Error + Send + Sync + 'static,
    ) -> Self {
        Self {
            doing,
            place: place.into(),
            cause: Arc::new(cause),
        }
    }

    /// What was being done, to complete "could not …".
    #[must_use]
    pub fn doing(&self) -> &'static str {
        self.doing
    }

    /// The file or server it happened to.
    #[must_use]
    pub fn place(&self) -> &str {
        &self.place
    }
}

impl fmt::Display for StorageFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "could not {} ({}): {}",
            self.doing, self.place, self.cause
        )
    }
}

impl fmt::Debug for StorageFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StorageFailure({self})")
    }
}

impl Error for StorageFailure {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        let cause: &(dyn Error + 'static) = self.cause.as_ref();
        Some(cause)
    }
}
