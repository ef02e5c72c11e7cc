//! The settings the contract rests on, read back and compared.

use rusqlite::Connection;

use super::options::Durability;

/// A setting the contract rests on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// Its name, as SQLite calls it.
    pub name: &'static str,
    /// What it must be.
    pub wanted: String,
    /// What it is.
    pub found: String,
}

impl Setting {
    /// Whether it is as it must be.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.wanted == self.found
    }
}

/// Reads the settings of the connection that writes.
pub(super) fn settings_of(
    connection: &Connection,
    durability: Durability,
) -> rusqlite::Result<Vec<Setting>> {
    let synchronous = match durability {
        Durability::Full => 2,
        Durability::NormalLosesAnsweredAppendsOnPowerLoss => 1,
    };
    let text = |name: &'static str, wanted: &str| -> rusqlite::Result<Setting> {
        let found = connection.pragma_query_value(None, name, |row| row.get::<_, String>(0))?;
        Ok(Setting {
            name,
            wanted: wanted.to_owned(),
            found,
        })
    };
    let number = |name: &'static str, wanted: i64| -> rusqlite::Result<Setting> {
        let found = connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0))?;
        Ok(Setting {
            name,
            wanted: wanted.to_string(),
            found: found.to_string(),
        })
    };
    Ok(vec![
        text("journal_mode", "wal")?,
        number("synchronous", synchronous)?,
        number("mmap_size", 0)?,
        number("wal_autocheckpoint", 0)?,
        number("trusted_schema", 0)?,
    ])
}
