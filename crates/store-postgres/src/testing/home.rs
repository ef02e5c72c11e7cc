//! The temporary directory of one or several servers, and who clears it away.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use super::binaries::Binaries;

/// Waits until its input ends, which it does when the test process does; then
/// stops whatever servers run in the directory and removes it. A process id is
/// only believed if the process was started with that directory.
const WATCH: &str = r#"
trap '' INT TERM HUP
while read -r _; do :; done
for file in "$0"/*/postmaster.pid; do
    pid=$(head -n 1 "$file" 2>/dev/null)
    grep -qs "$0" "/proc/$pid/cmdline" || continue
    children=$(cat "/proc/$pid/task/$pid/children" 2>/dev/null)
    kill -KILL "$pid" $children 2>/dev/null
    kill -CONT "$pid" $children 2>/dev/null
    turns=0
    while [ "$turns" -lt 100 ] && kill -0 $children 2>/dev/null; do
        turns=$((turns + 1)); sleep 0.05
    done
done
rm -rf -- "$0"
"#;

/// A directory that goes away with everything that runs in it.
#[derive(Debug)]
pub(super) struct Home {
    path: PathBuf,
    watcher: Child,
}

impl Home {
    pub(super) fn new(binaries: &Binaries) -> Self {
        let dir = tempfile::Builder::new().prefix("thirdring-pg-").tempdir();
        let path = dir.expect("a temporary directory").keep();
        binaries.own(&path);
        let watcher = Command::new("sh")
            .args(["-c", WATCH])
            .arg(&path)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("a shell that watches");
        Self { path, watcher }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        drop(self.watcher.stdin.take());
        drop(self.watcher.wait());
    }
}
