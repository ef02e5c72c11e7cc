//! Children under `strace`: recorded, killed, or with failing calls.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Output, Stdio};

use tempfile::TempDir;
use thirdring::store::rusqlite::{self, Connection};

use crate::handle::Handle;
use crate::lab_error::LabError;
use crate::told::Told;
use crate::trace::{Call, read_calls};
use crate::workload::{LOG, Workload};

/// Every call that can change a file, and `lseek`, which says where.
const TRACED: &str = "pwrite64,pwritev,pwritev2,write,writev,lseek,fsync,fdatasync,\
    sync_file_range,ftruncate,truncate,fallocate,unlink,unlinkat,open,openat,creat,rename,\
    renameat,renameat2,link,linkat,symlink,copy_file_range,sendfile,msync";

/// The program that does the children's work, and where experiments are made.
#[derive(Debug, Clone)]
pub struct Laboratory {
    child: PathBuf,
    room: PathBuf,
}

/// Whether the experiments can be made here.
#[derive(Debug)]
pub enum Equipment {
    /// They can.
    Ready(Laboratory),
    /// They cannot, and why.
    Missing(String),
}

/// What becomes of the n-th call of a kind.
#[derive(Debug, Clone)]
pub(crate) struct Injection {
    pub(crate) call: String,
    pub(crate) nth: usize,
    pub(crate) what: Injected,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Injected {
    /// The process is killed at it.
    Kill,
    /// It fails with this error, and the later ones of its kind too if told so.
    Error { name: &'static str, for_ever: bool },
    /// It fails with EIO, and the process dies of that without closing anything.
    Fatal,
}

impl Injection {
    pub(crate) fn argument(&self) -> String {
        let (call, nth) = (&self.call, self.nth);
        match self.what {
            Injected::Kill => format!("inject={call}:signal=KILL:when={nth}"),
            Injected::Fatal => format!("inject={call}:error=EIO:when={nth}"),
            Injected::Error { name, for_ever } => {
                let on = if for_ever { "+" } else { "" };
                format!("inject={call}:error={name}:when={nth}{on}")
            }
        }
    }
}

/// How a child ended and what it said before.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) told: Told,
    pub(crate) killed: bool,
    /// What it said on its way out, if it ended neither by a kill nor well.
    pub(crate) crashed: Option<String>,
}

#[cfg(unix)]
fn was_killed(status: ExitStatus) -> bool {
    std::os::unix::process::ExitStatusExt::signal(&status) == Some(9)
}

#[cfg(not(unix))]
fn was_killed(_: ExitStatus) -> bool {
    false
}

impl Ended {
    fn of(output: &Output) -> Self {
        let killed = was_killed(output.status);
        let crashed = (!killed && !output.status.success()).then(|| {
            let said = String::from_utf8_lossy(&output.stderr);
            format!("{}: {}", output.status, said.trim())
        });
        Self {
            told: Told::of(&String::from_utf8_lossy(&output.stdout)),
            killed,
            crashed,
        }
    }
}

impl Laboratory {
    /// Looks whether this machine can do the experiments, with `child` as the
    /// laboratory's own program.
    #[must_use]
    pub fn equip(child: &Path) -> Equipment {
        if !cfg!(target_os = "linux") {
            return Equipment::Missing("not Linux".to_owned());
        }
        let works = Command::new("strace")
            .args(["-qq", "-e", "trace=none", "true"])
            .stdin(Stdio::null())
            .output()
            .is_ok_and(|output| output.status.success());
        if !works {
            return Equipment::Missing(
                "no strace, or it may not trace; install the package `strace`".to_owned(),
            );
        }
        // Where nothing is really synced, an image costs a tenth; what is durable
        // is the model's business, not that of the medium under the laboratory.
        let memory = Path::new("/dev/shm");
        let room = match TempDir::new_in(memory) {
            Ok(_) => memory.to_owned(),
            Err(_) => std::env::temp_dir(),
        };
        Equipment::Ready(Self {
            child: child.to_owned(),
            room,
        })
    }

    /// A folder for one experiment.
    pub(crate) fn folder(&self) -> Result<TempDir, LabError> {
        TempDir::new_in(&self.room).map_err(LabError::io("make a folder in", &self.room))
    }

    /// A folder in which the commands before the experiment are done.
    pub(crate) fn prepared(&self, workload: &Workload) -> Result<TempDir, LabError> {
        let folder = self.folder()?;
        if workload.prepared > 0 {
            let failed = |what| LabError::Undisturbed {
                workload: workload.name.to_owned(),
                what,
            };
            let handle = Handle::open(workload, folder.path()).map_err(failed)?;
            for command in workload.commands.iter().take(workload.prepared) {
                handle.execute(command, folder.path()).map_err(failed)?;
            }
        }
        if workload.version_1 {
            let path = folder.path().join(LOG);
            to_version_1(&path).map_err(|error| LabError::Undisturbed {
                workload: workload.name.to_owned(),
                what: error.to_string(),
            })?;
        }
        Ok(folder)
    }

    /// A copy of a folder, to be disturbed in another way.
    pub(crate) fn copy(&self, from: &Path) -> Result<TempDir, LabError> {
        let folder = self.folder()?;
        for entry in fs::read_dir(from).map_err(LabError::io("read", from))? {
            let entry = entry.map_err(LabError::io("read", from))?;
            fs::copy(entry.path(), folder.path().join(entry.file_name()))
                .map_err(LabError::io("copy", &entry.path()))?;
        }
        Ok(folder)
    }

    /// Runs a child under strace; with `record`, also gives every call it made.
    pub(crate) fn run(
        &self,
        workload: &Workload,
        folder: &Path,
        injection: Option<&Injection>,
        record: bool,
    ) -> Result<(Ended, Vec<Call>), LabError> {
        let aside = self.folder()?;
        let trace = aside.path().join("trace");
        let mut strace = Command::new("strace");
        strace.args(["-f", "-qq", "-o"]).arg(&trace);
        // Stopping only at what is traced is faster by half, but an injected
        // signal never arrives then.
        let what = injection.map(|injection| injection.what);
        let mode = match what {
            Some(Injected::Fatal) => "mortal",
            _ => "child",
        };
        let kills = matches!(what, Some(Injected::Kill));
        if !kills {
            strace.arg("--seccomp-bpf");
        }
        if record {
            strace.args(["-y", "-xx", "-s", "1000000", "-e"]);
            strace.arg(format!("trace={TRACED}"));
        } else if let Some(injection) = injection {
            // Only what is injected into has to be stopped at.
            strace.args(["-e", &format!("trace={}", injection.call)]);
        }
        if let Some(injection) = injection {
            strace.args(["-e", &injection.argument()]);
        }
        strace
            .arg(&self.child)
            .args([mode, workload.name])
            .arg(folder);
        let ended = Self::wait(strace, "strace")?;
        // Only between threads is it open which call is the n-th.
        if kills && !ended.killed && workload.threads == 1 {
            return Err(LabError::NotKilled {
                workload: workload.name.to_owned(),
                place: injection.map(Injection::argument).unwrap_or_default(),
            });
        }
        let calls = if record {
            let text = fs::read_to_string(&trace).map_err(LabError::io("read", &trace))?;
            read_calls(&text)?
        } else {
            Vec::new()
        };
        Ok((ended, calls))
    }

    /// Runs a child that may make no file larger than so many blocks of 512
    /// bytes: the write that crosses the limit is short, the next one fails.
    pub(crate) fn run_limited(
        &self,
        workload: &Workload,
        folder: &Path,
        blocks: u64,
    ) -> Result<Ended, LabError> {
        let mut shell = Command::new("sh");
        // The signal would end the process before SQLite could report the error.
        shell
            .arg("-c")
            .arg(format!(
                "trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\""
            ))
            .arg(&self.child)
            .args(["child", workload.name])
            .arg(folder);
        Self::wait(shell, "sh")
    }

    fn wait(mut command: Command, what: &str) -> Result<Ended, LabError> {
        let output = command
            .stdin(Stdio::null())
            .output()
            .map_err(LabError::io("run", Path::new(what)))?;
        Ok(Ended::of(&output))
    }
}

/// Makes a file what version 1 would have left: that one had the tables of the log
/// and no others.
fn to_version_1(path: &Path) -> rusqlite::Result<()> {
    Connection::open(path)?.execute_batch(
        "DROP TABLE timetables; DROP TABLE moments; DROP TABLE projections; \
         PRAGMA user_version = 1",
    )
}
