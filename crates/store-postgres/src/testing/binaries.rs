//! The binaries of PostgreSQL, and running them.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;

/// The directory with `postgres`, `initdb` and their kind.
#[derive(Debug, Clone)]
pub struct Binaries {
    dir: PathBuf,
    /// Whether they must be run as another user.
    as_postgres: bool,
    /// User and group that own what the server reads and writes.
    owner: Option<(u32, u32)>,
}

/// The binaries, from the path or where Debian puts them; `None`, said loudly, if
/// there are none. Under CI that is a failure.
///
/// # Panics
/// If there are none and the environment has `CI=true`.
#[must_use]
pub fn binaries() -> Option<&'static Binaries> {
    static FOUND: OnceLock<Option<Binaries>> = OnceLock::new();
    let found = FOUND.get_or_init(Binaries::find).as_ref();
    if found.is_none() {
        assert!(
            std::env::var("CI").as_deref() != Ok("true"),
            "no PostgreSQL server binaries: CI must install them"
        );
        // Not with a macro: what that prints is shown for failed tests only.
        drop(writeln!(
            std::io::stderr(),
            "skipped: no PostgreSQL server binaries"
        ));
    }
    found
}

impl Binaries {
    fn find() -> Option<Self> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let debian =
            [18, 17, 16, 15].map(|n| PathBuf::from(format!("/usr/lib/postgresql/{n}/bin")));
        let dir = std::env::split_paths(&path)
            .chain(debian)
            // Followed to where they are: their neighbours may not be linked.
            .filter_map(|dir| dir.join("postgres").canonicalize().ok())
            .filter_map(|file| file.parent().map(Path::to_owned))
            .find(|dir| {
                ["initdb", "pg_basebackup", "pg_rewind", "pg_isready"]
                    .iter()
                    .all(|name| dir.join(name).exists())
            })?;
        let as_postgres = rustix::process::geteuid().is_root();
        let id = |flag| {
            let output = Command::new("id").args([flag, "postgres"]).output().ok()?;
            String::from_utf8(output.stdout)
                .ok()?
                .trim()
                .parse::<u32>()
                .ok()
        };
        let owner = if as_postgres {
            Some((id("-u")?, id("-g")?))
        } else {
            None
        };
        Some(Self {
            dir,
            as_postgres,
            owner,
        })
    }

    /// A command that runs one of the binaries as the right user.
    pub(super) fn command(&self, name: &str) -> Command {
        let program = self.dir.join(name);
        if !self.as_postgres {
            return Command::new(program);
        }
        let mut command = Command::new("setpriv");
        command
            .args([
                "--reuid=postgres",
                "--regid=postgres",
                "--clear-groups",
                "--",
            ])
            .arg(program);
        command
    }

    /// Runs one to its end.
    pub(super) fn run(&self, name: &str, arguments: &[&str]) -> Output {
        let mut command = self.command(name);
        // The current directory may be closed to that user.
        command
            .args(arguments)
            .current_dir("/")
            .stdin(Stdio::null());
        let output = command.output();
        output.unwrap_or_else(|error| panic!("could not run {name}: {error}"))
    }

    /// Runs one that must succeed.
    pub(super) fn must(&self, name: &str, arguments: &[&str]) {
        let output = self.run(name, arguments);
        assert!(
            output.status.success(),
            "{name} {arguments:?} failed: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }

    /// Gives a file to the user the server runs as.
    pub(super) fn own(&self, path: &Path) {
        if let Some((user, group)) = self.owner {
            std::os::unix::fs::chown(path, Some(user), Some(group)).expect("a change of owner");
        }
    }
}
