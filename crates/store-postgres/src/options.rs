//! Where the server is and how it is used.

use std::path::PathBuf;
use std::time::Duration;

/// How a log on PostgreSQL is used. The defaults suit a desk with a few servers.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PostgresOptions {
    /// The schema the tables stand in: lower-case letters, digits and `_`, at
    /// most 40. Logs in different schemas have nothing in common.
    pub schema: String,
    /// Whether to make the tables where there are none. Tables of an older
    /// version are brought up to date either way.
    pub create: bool,
    /// Connections that append. Each takes what waits into one transaction. One
    /// makes the largest transactions, and was the fastest in every measurement;
    /// more are for standbys that are far away.
    pub appenders: usize,
    /// Connections that read, at most.
    pub readers: usize,
    /// How long an append or a read is tried before it is given up: a failover
    /// should fit in.
    pub patience: Duration,
    /// How long one server may take to accept a connection. A `connect_timeout`
    /// of the connection string comes first.
    pub connect_timeout: Duration,
    /// Certificates (PEM) of the authorities to trust instead of those of the
    /// operating system; `sslrootcert` in the connection string does the same.
    /// Needs the feature `tls`.
    pub root_certificates: Option<PathBuf>,
}

impl Default for PostgresOptions {
    fn default() -> Self {
        Self {
            schema: "thirdring".to_owned(),
            create: true,
            appenders: 1,
            readers: 8,
            patience: Duration::from_secs(30),
            connect_timeout: Duration::from_secs(3),
            root_certificates: None,
        }
    }
}

impl PostgresOptions {
    /// The defaults with another schema.
    #[must_use]
    pub fn in_schema(schema: impl Into<String>) -> Self {
        Self {
            schema: schema.into(),
            ..Self::default()
        }
    }

    /// With leave to make the tables where there are none, or without.
    #[must_use]
    pub const fn with_create(mut self, create: bool) -> Self {
        self.create = create;
        self
    }

    /// With another number of connections that append (at least 1).
    #[must_use]
    pub fn with_appenders(mut self, appenders: usize) -> Self {
        self.appenders = appenders.max(1);
        self
    }

    /// With another patience.
    #[must_use]
    pub fn with_patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// With the certificates of other authorities.
    #[must_use]
    pub fn with_root_certificates(mut self, path: impl Into<PathBuf>) -> Self {
        self.root_certificates = Some(path.into());
        self
    }
}
