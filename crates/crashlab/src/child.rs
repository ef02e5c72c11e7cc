//! The process that is disturbed.

use std::path::Path;

use crate::handle::Handle;
use crate::told::tell;
use crate::workload::{Command, Workload};

/// What a child does about a command that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnError {
    /// As the documentation says: it opens the log again and repeats the same
    /// command, once.
    Reopen,
    /// It dies on the spot, and closes nothing.
    Die,
}

/// Does the commands of a workload that were not prepared, telling before and
/// after each.
pub fn work(workload: &Workload, folder: &Path, on_error: OnError) {
    let todo = |thread: usize| {
        workload
            .numbered()
            .skip(workload.prepared)
            .filter(move |(n, _)| (n - 1) % workload.threads == thread)
    };
    if workload.threads == 1 {
        in_order(workload, folder, on_error, todo(0));
    } else {
        match Handle::open(workload, folder) {
            Err(error) => tell(&format!("error {error}")),
            Ok(handle) => std::thread::scope(|scope| {
                for thread in 0..workload.threads {
                    let (handle, todo) = (&handle, &todo);
                    scope.spawn(move || {
                        for (n, command) in todo(thread) {
                            tell(&format!("try {n}"));
                            match handle.execute(command, folder) {
                                Ok(_) => tell(&format!("done {n}")),
                                // Others are still at it: nobody can reopen.
                                Err(error) => return tell(&format!("error {error}")),
                            }
                        }
                    });
                }
            }),
        }
    }
    tell("finished");
}

fn in_order<'w>(
    workload: &Workload,
    folder: &Path,
    on_error: OnError,
    todo: impl Iterator<Item = (usize, &'w Command)>,
) {
    let open = || {
        Handle::open(workload, folder)
            .or_else(|error| {
                tell(&format!("error {error}"));
                Handle::open(workload, folder)
            })
            .map_err(|error| tell(&format!("error {error}")))
    };
    let Ok(mut handle) = open() else {
        return;
    };
    for (n, command) in todo {
        tell(&format!("try {n}"));
        let mut result = handle.execute(command, folder);
        if let Err(error) = &result {
            tell(&format!("error {error}"));
            if on_error == OnError::Die {
                std::process::abort();
            }
            drop(handle);
            match open() {
                Ok(again) => handle = again,
                Err(()) => return,
            }
            result = handle.execute(command, folder);
        }
        match result {
            Ok(_) => tell(&format!("done {n}")),
            Err(error) => return tell(&format!("error {error}")),
        }
    }
}
