//! What a projection may do in the file of the log.
//!
//! Its tables lie beside those of the log. A prefix for their names would only help
//! who remembers it; SQLite can be asked instead before it prepares a statement.
//! So whatever a projection says, it cannot write to what is not its own, nor end
//! the transaction, nor change how the connection works.

use rusqlite::hooks::{AuthAction, AuthContext, Authorization};
use rusqlite::{Connection, ErrorCode, Params, Row};

/// The tables that are not a projection's own.
const OURS: [&str; 6] = [
    "streams",
    "records",
    "personal",
    "timetables",
    "moments",
    "projections",
];

/// A transaction in which a projection changes its own tables. It may read all, the
/// records too; a statement that would change the tables of the log, a setting or
/// the transaction itself is refused.
#[derive(Debug)]
pub struct SqliteStep<'c> {
    connection: &'c Connection,
    /// What went wrong that is no fault of the record that is applied.
    pub(super) trouble: Option<rusqlite::Error>,
}

impl SqliteStep<'_> {
    /// Runs a statement; the number of rows it changed.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn execute(&mut self, sql: &str, parameters: impl Params) -> rusqlite::Result<usize> {
        let done = self
            .connection
            .prepare_cached(sql)
            .and_then(|mut statement| statement.execute(parameters));
        self.noted(done)
    }

    /// Runs several statements without parameters, with a `;` between them.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn execute_batch(&mut self, sql: &str) -> rusqlite::Result<()> {
        let done = self.connection.execute_batch(sql);
        self.noted(done)
    }

    /// Runs a query and takes a value from each row.
    ///
    /// # Errors
    /// What SQLite says, or `take`.
    pub fn query<T>(
        &mut self,
        sql: &str,
        parameters: impl Params,
        take: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<Vec<T>> {
        let found = self
            .connection
            .prepare_cached(sql)
            .and_then(|mut statement| statement.query_map(parameters, take)?.collect());
        self.noted(found)
    }

    fn noted<T>(&mut self, done: rusqlite::Result<T>) -> rusqlite::Result<T> {
        if let Err(rusqlite::Error::SqliteFailure(error, message)) = &done
            && is_trouble(error.code)
        {
            self.trouble = Some(rusqlite::Error::SqliteFailure(*error, message.clone()));
        }
        done
    }
}

/// Failures of the medium or the machine: another record would meet them too.
fn is_trouble(code: ErrorCode) -> bool {
    matches!(
        code,
        ErrorCode::SystemIoFailure
            | ErrorCode::DiskFull
            | ErrorCode::OutOfMemory
            | ErrorCode::DatabaseCorrupt
            | ErrorCode::DatabaseBusy
            | ErrorCode::DatabaseLocked
            | ErrorCode::ReadOnly
            | ErrorCode::CannotOpen
            | ErrorCode::OperationInterrupted
    )
}

/// Runs the code of a projection, and nothing of the log, with the permissions of a
/// projection.
pub(super) fn permitted<T>(
    connection: &mut Connection,
    work: impl FnOnce(&mut SqliteStep<'_>) -> T,
) -> rusqlite::Result<T> {
    // Statements that were prepared before are prepared anew under it, so none of
    // the log's can be used from here.
    connection.authorizer(Some(permit))?;
    let lifted = Lifted(connection);
    let mut step = SqliteStep {
        connection: lifted.0,
        trouble: None,
    };
    let result = work(&mut step);
    match step.trouble {
        Some(trouble) => Err(trouble),
        None => Ok(result),
    }
}

/// Takes the permissions away again when it goes out of scope, on a panic too.
struct Lifted<'c>(&'c mut Connection);

impl Drop for Lifted<'_> {
    fn drop(&mut self) {
        // Only forbidding can fail.
        drop(
            self.0
                .authorizer(None::<fn(AuthContext<'_>) -> Authorization>),
        );
    }
}

fn permit(asked: AuthContext<'_>) -> Authorization {
    let own = |table: &str| !OURS.iter().any(|ours| ours.eq_ignore_ascii_case(table));
    let allowed = match asked.action {
        AuthAction::Select | AuthAction::Read { .. } | AuthAction::Recursive => true,
        AuthAction::Function { function_name } => {
            !function_name.eq_ignore_ascii_case("load_extension")
        }
        AuthAction::Insert { table_name }
        | AuthAction::Update { table_name, .. }
        | AuthAction::Delete { table_name }
        | AuthAction::CreateTable { table_name }
        | AuthAction::DropTable { table_name }
        | AuthAction::AlterTable { table_name, .. }
        | AuthAction::CreateIndex { table_name, .. }
        | AuthAction::DropIndex { table_name, .. }
        | AuthAction::CreateTrigger { table_name, .. }
        | AuthAction::DropTrigger { table_name, .. }
        | AuthAction::CreateVtable { table_name, .. }
        | AuthAction::DropVtable { table_name, .. } => own(table_name),
        AuthAction::CreateView { .. }
        | AuthAction::DropView { .. }
        | AuthAction::Reindex { .. } => true,
        // Full-text search asks for it.
        AuthAction::Pragma { pragma_name, .. } => pragma_name == "data_version",
        // Transactions, savepoints, attached files; and temporary tables, which
        // would stand before those of the log.
        _ => false,
    };
    if allowed {
        Authorization::Allow
    } else {
        Authorization::Deny
    }
}
