//! From the calls of children to what happened to the medium under them.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::disk::{Change, Disk, Event, Fate, FileNo, Medium};
use crate::lab_error::LabError;
use crate::trace::Call;

/// The file of shared memory. It is made anew by whoever opens the log first, so
/// nothing in it is ever durable.
const SHARED_MEMORY: &str = "-shm";

/// What children did to the files of one folder, and told.
#[derive(Debug)]
pub(crate) struct Recording {
    pub(crate) start: Medium,
    pub(crate) events: Vec<Event>,
}

impl Recording {
    /// The largest size any file is written up to.
    pub(crate) fn largest_file(&self) -> usize {
        let at_start = self.start.contents().map(|(_, bytes)| bytes.len());
        let written = self.events.iter().map(|event| match event {
            Event::Change(Change::Write { offset, bytes, .. }) => offset + bytes.len(),
            _ => 0,
        });
        at_start.chain(written).max().unwrap_or(0)
    }
}

#[derive(Debug)]
pub(crate) struct Recorder {
    folder: PathBuf,
    names: BTreeMap<String, FileNo>,
    next: FileNo,
    recording: Recording,
}

impl Recorder {
    /// Begins with what is in the folder, as durable.
    pub(crate) fn new(folder: &Path) -> Result<Self, LabError> {
        let start = on_disk(folder)?;
        let names: BTreeMap<_, _> = start
            .names()
            .map(|(name, file)| (name.to_owned(), file))
            .collect();
        Ok(Self {
            folder: folder.to_owned(),
            next: names.len(),
            names,
            recording: Recording {
                start,
                events: Vec::new(),
            },
        })
    }

    /// The name of a file of the log, or the empty one for the folder itself.
    fn within(&self, path: &str) -> Option<String> {
        let inner = Path::new(path).strip_prefix(&self.folder).ok()?;
        let name = inner.to_str()?;
        (!name.ends_with(SHARED_MEMORY)).then(|| name.to_owned())
    }

    /// Takes in what one process did.
    pub(crate) fn process(&mut self, calls: &[Call]) -> Result<(), LabError> {
        let mut positions: BTreeMap<i64, u64> = BTreeMap::new();
        // How many events there were when so many calls had ended.
        let mut events_after = vec![self.recording.events.len()];
        for call in calls {
            let covers = events_after.get(call.began_after).copied().unwrap_or(0);
            self.take(call, covers, &mut positions)?;
            events_after.push(self.recording.events.len());
        }
        Ok(())
    }

    fn take(
        &mut self,
        call: &Call,
        covers: usize,
        positions: &mut BTreeMap<i64, u64>,
    ) -> Result<(), LabError> {
        let Some(returned) = call.returned else {
            return Ok(());
        };
        let bad = |problem| LabError::trace(problem, &format!("{call:?}"));
        let descriptor = call.path_of_descriptor();
        let named = descriptor.and_then(|(_, path)| self.within(path));
        match call.name.as_str() {
            "open" | "openat" | "creat" if returned >= 0 => {
                positions.insert(returned, 0);
                self.opened(call);
            }
            "open" | "openat" | "creat" => {}
            "lseek" => {
                if let (Some((number, _)), Ok(position)) = (descriptor, u64::try_from(returned)) {
                    positions.insert(number, position);
                }
            }
            "write" | "pwrite64" => {
                let Ok(written) = usize::try_from(returned) else {
                    return Ok(());
                };
                let bytes = call.bytes(1).and_then(|bytes| bytes.get(..written));
                let (bytes, (number, _)) = bytes
                    .zip(descriptor)
                    .ok_or_else(|| bad("a write without its bytes"))?;
                if let Some(name) = named {
                    let position = positions.entry(number).or_default();
                    let offset = if call.name == "write" {
                        let offset = *position;
                        *position = position.saturating_add(returned.unsigned_abs());
                        offset
                    } else {
                        call.number(3).ok_or_else(|| bad("no offset"))?
                    };
                    let file = self.file(&name).ok_or_else(|| bad("an unknown file"))?;
                    self.change(Change::Write {
                        file,
                        offset: usize::try_from(offset).map_err(|_| bad("the offset"))?,
                        bytes: Arc::from(bytes),
                    });
                } else if number == 1 {
                    let text = String::from_utf8_lossy(bytes);
                    self.recording
                        .events
                        .push(Event::Note(text.trim_end().to_owned()));
                }
            }
            "ftruncate" => {
                if let (Some(name), 0) = (named, returned) {
                    let file = self.file(&name).ok_or_else(|| bad("an unknown file"))?;
                    let length = call.number(1).ok_or_else(|| bad("no length"))?;
                    self.change(Change::Truncate {
                        file,
                        length: usize::try_from(length).map_err(|_| bad("the length"))?,
                    });
                }
            }
            "fsync" | "fdatasync" => {
                if let Some(name) = named {
                    let object = if name.is_empty() {
                        None
                    } else {
                        Some(self.file(&name).ok_or_else(|| bad("an unknown file"))?)
                    };
                    self.recording.events.push(if returned == 0 {
                        Event::Sync { object, covers }
                    } else {
                        Event::SyncFailed { object, covers }
                    });
                }
            }
            "unlink" | "unlinkat" => {
                let name = call.text(0).and_then(|path| self.within(&path));
                if let (Some(name), 0) = (name, returned) {
                    self.names.remove(&name);
                    self.change(Change::Unlink { name });
                }
            }
            "rename" | "renameat" | "renameat2" => {
                let from = call.text(0).and_then(|path| self.within(&path));
                let to = call.text(1).and_then(|path| self.within(&path));
                if let (Some((from, to)), 0) = (from.zip(to), returned) {
                    let file = self
                        .names
                        .remove(&from)
                        .ok_or_else(|| bad("an unknown file"))?;
                    self.names.insert(to.clone(), file);
                    self.change(Change::Rename { from, to, file });
                }
            }
            // Anything else that touches the files would make the images wrong.
            _ if returned >= 0 && named.is_some() => {
                return Err(bad("a call that is not modelled"));
            }
            _ => {}
        }
        Ok(())
    }

    fn opened(&mut self, call: &Call) {
        let flags = call.arguments.iter().find_map(|argument| match argument {
            crate::trace::Argument::Word(word) if word.starts_with("O_") => Some(word.as_str()),
            _ => None,
        });
        let flags = flags.unwrap_or_default();
        let Some(name) = call.text(0).and_then(|path| self.within(&path)) else {
            return;
        };
        match self.file(&name) {
            Some(file) if flags.contains("O_TRUNC") => {
                self.change(Change::Truncate { file, length: 0 });
            }
            None if flags.contains("O_CREAT") => {
                let file = self.next;
                self.next = self.next.saturating_add(1);
                self.names.insert(name.clone(), file);
                self.change(Change::Link { name, file });
            }
            _ => {}
        }
    }

    fn file(&self, name: &str) -> Option<FileNo> {
        self.names.get(name).copied()
    }

    fn change(&mut self, change: Change) {
        self.recording.events.push(Event::Change(change));
    }

    /// Ends the recording, and proves that nothing was missed: with nothing lost
    /// the model must hold what the disk holds, byte for byte.
    pub(crate) fn finish(self, workload: &str) -> Result<Recording, LabError> {
        let mut disk = Disk::new(self.recording.start.clone());
        for event in &self.recording.events {
            disk.step(event);
        }
        let modelled = disk.image(|_| Fate::Kept);
        let found = on_disk(&self.folder)?;
        let modelled: BTreeMap<_, _> = modelled.contents().collect();
        let found: BTreeMap<_, _> = found.contents().collect();
        let all = modelled.keys().chain(found.keys());
        for &name in all {
            if modelled.get(name) != found.get(name) {
                return Err(LabError::ModelDiffers {
                    workload: workload.to_owned(),
                    file: name.to_owned(),
                });
            }
        }
        Ok(self.recording)
    }
}

/// What is in a folder, shared memory aside.
fn on_disk(folder: &Path) -> Result<Medium, LabError> {
    let mut medium = Medium::default();
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).map_err(LabError::io("read", folder))? {
        paths.push(entry.map_err(LabError::io("read", folder))?.path());
    }
    paths.sort();
    for path in paths {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if !name.ends_with(SHARED_MEMORY) {
            let bytes = fs::read(&path).map_err(LabError::io("read", &path))?;
            medium.put(&name, bytes);
        }
    }
    Ok(medium)
}
