//! A medium, what was written to it, and what of that is durable.

use std::collections::BTreeMap;
use std::sync::Arc;

/// A file by itself, whatever it is called.
pub(crate) type FileNo = usize;

/// A change of a file or of the folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Change {
    Write {
        file: FileNo,
        offset: usize,
        bytes: Arc<[u8]>,
    },
    Truncate {
        file: FileNo,
        length: usize,
    },
    Link {
        name: String,
        file: FileNo,
    },
    Unlink {
        name: String,
    },
    Rename {
        from: String,
        to: String,
        file: FileNo,
    },
}

impl Change {
    /// The file whose sync makes it durable; `None` is the folder.
    pub(crate) fn object(&self) -> Option<FileNo> {
        match self {
            Self::Write { file, .. } | Self::Truncate { file, .. } => Some(*file),
            Self::Link { .. } | Self::Unlink { .. } | Self::Rename { .. } => None,
        }
    }
}

/// What happened, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Event {
    Change(Change),
    /// A sync of a file (or the folder) that succeeded; it covers the changes
    /// among the first so many events.
    Sync {
        object: Option<FileNo>,
        covers: usize,
    },
    /// One that failed: what it would have covered is never promised again. Not
    /// so for the folder, whose changes a file system keeps in its journal: it
    /// lets no later sync succeed without them.
    SyncFailed {
        object: Option<FileNo>,
        covers: usize,
    },
    /// The child told something.
    Note(String),
}

/// What becomes of a change that nothing has made durable when the power goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    Kept,
    Lost,
    /// Of a write, only so many bytes from its beginning reached the medium.
    Head(usize),
    /// Of a write, only the bytes from here on did.
    Tail(usize),
    /// The file grew for a write, but its bytes did not arrive: zeros where it
    /// grew, and what was there before elsewhere.
    Zeroed,
}

/// Files and their names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Medium {
    files: BTreeMap<FileNo, Arc<Vec<u8>>>,
    names: BTreeMap<String, FileNo>,
}

impl Medium {
    pub(crate) fn put(&mut self, name: &str, bytes: Vec<u8>) -> FileNo {
        let file = self.files.len();
        self.files.insert(file, Arc::new(bytes));
        self.names.insert(name.to_owned(), file);
        file
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = (&str, FileNo)> {
        self.names.iter().map(|(name, file)| (name.as_str(), *file))
    }

    /// What is found under each name.
    pub(crate) fn contents(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.names.iter().map(|(name, file)| {
            let bytes = self
                .files
                .get(file)
                .map_or(&[][..], |bytes| bytes.as_slice());
            (name.as_str(), bytes)
        })
    }

    fn apply(&mut self, change: &Change, fate: Fate) {
        if fate == Fate::Lost {
            return;
        }
        match change {
            Change::Write {
                file,
                offset,
                bytes,
            } => {
                let (skip, part): (usize, &[u8]) = match fate {
                    Fate::Head(length) => (0, bytes.get(..length).unwrap_or(bytes)),
                    Fate::Tail(from) => (from, bytes.get(from..).unwrap_or_default()),
                    Fate::Zeroed => (bytes.len(), &[]),
                    Fate::Kept | Fate::Lost => (0, bytes),
                };
                let content = Arc::make_mut(self.files.entry(*file).or_default());
                let from = offset.saturating_add(skip);
                let to = from.saturating_add(part.len());
                if content.len() < to {
                    content.resize(to, 0);
                }
                if let Some(place) = content.get_mut(from..to) {
                    place.copy_from_slice(part);
                }
            }
            Change::Truncate { file, length } => {
                Arc::make_mut(self.files.entry(*file).or_default()).resize(*length, 0);
            }
            Change::Link { name, file } => {
                self.names.insert(name.clone(), *file);
            }
            Change::Unlink { name } => {
                self.names.remove(name);
            }
            Change::Rename { from, to, file } => {
                // Whatever became of the change that made the old name.
                self.names.remove(from);
                self.names.insert(to.clone(), *file);
            }
        }
    }
}

/// A change that is not yet part of the durable state.
#[derive(Debug, Clone)]
pub(crate) struct Waiting {
    pub(crate) change: Change,
    /// The event it was.
    at: usize,
    /// A sync that should have made it durable failed.
    doomed: bool,
    /// It is durable, but one before it on the same file is not.
    settled: bool,
}

impl Waiting {
    /// Whether the power cut may still take it.
    pub(crate) const fn is_open(&self) -> bool {
        !self.settled
    }
}

/// A medium under a running program.
#[derive(Debug, Clone, Default)]
pub(crate) struct Disk {
    durable: Medium,
    waiting: Vec<Waiting>,
    events: usize,
}

impl Disk {
    /// With everything that is there now durable.
    pub(crate) fn new(durable: Medium) -> Self {
        Self {
            durable,
            ..Self::default()
        }
    }

    /// What is not durable, oldest first.
    pub(crate) fn waiting(&self) -> &[Waiting] {
        &self.waiting
    }

    pub(crate) fn step(&mut self, event: &Event) {
        match event {
            Event::Change(change) => self.waiting.push(Waiting {
                change: change.clone(),
                at: self.events,
                doomed: false,
                settled: false,
            }),
            Event::Sync { object, covers } => {
                for waiting in self.covered(*object, *covers) {
                    waiting.settled = !waiting.doomed;
                }
                self.fold();
            }
            Event::SyncFailed { object, covers } => {
                if object.is_some() {
                    for waiting in self.covered(*object, *covers) {
                        waiting.doomed = !waiting.settled;
                    }
                }
            }
            Event::Note(_) => {}
        }
        self.events = self.events.saturating_add(1);
    }

    fn covered(
        &mut self,
        object: Option<FileNo>,
        covers: usize,
    ) -> impl Iterator<Item = &mut Waiting> {
        self.waiting
            .iter_mut()
            .filter(move |waiting| waiting.at < covers && waiting.change.object() == object)
    }

    /// Makes what is settled part of the durable state, in order for each file.
    fn fold(&mut self) {
        let mut held = Vec::new();
        let mut left = Vec::new();
        for waiting in std::mem::take(&mut self.waiting) {
            let object = waiting.change.object();
            if waiting.settled && !held.contains(&object) {
                self.durable.apply(&waiting.change, Fate::Kept);
            } else {
                held.push(object);
                left.push(waiting);
            }
        }
        self.waiting = left;
    }

    /// What is found after the power went now: `fate` says what becomes of each
    /// change that waits.
    pub(crate) fn image(&self, fate: impl Fn(usize) -> Fate) -> Medium {
        let mut medium = self.durable.clone();
        for (index, waiting) in self.waiting.iter().enumerate() {
            let fate = if waiting.settled {
                Fate::Kept
            } else {
                fate(index)
            };
            medium.apply(&waiting.change, fate);
        }
        medium
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(file: FileNo, offset: usize, bytes: &[u8]) -> Event {
        Event::Change(Change::Write {
            file,
            offset,
            bytes: bytes.into(),
        })
    }

    fn run(events: &[Event]) -> Disk {
        let mut medium = Medium::default();
        medium.put("a", b"....".to_vec());
        let mut disk = Disk::new(medium);
        for event in events {
            disk.step(event);
        }
        disk
    }

    fn a(disk: &Disk, fate: Fate) -> Vec<u8> {
        let image = disk.image(|_| fate);
        image.contents().next().unwrap().1.to_vec()
    }

    #[test]
    fn only_a_sync_that_covers_a_write_keeps_it() {
        let sync = |covers| Event::Sync {
            object: Some(0),
            covers,
        };
        let disk = run(&[write(0, 0, b"AA"), write(0, 2, b"BBB"), sync(1)]);
        assert_eq!(a(&disk, Fate::Lost), b"AA..");
        assert_eq!(a(&disk, Fate::Kept), b"AABBB");
        assert_eq!(a(&disk, Fate::Head(1)), b"AAB.");
        assert_eq!(a(&disk, Fate::Tail(1)), b"AA.BB");
        assert_eq!(a(&disk, Fate::Zeroed), b"AA..\0");
        let other = Event::Sync {
            object: None,
            covers: 9,
        };
        assert_eq!(a(&run(&[write(0, 0, b"A"), other]), Fate::Lost), b"....");
    }

    #[test]
    fn what_a_failed_sync_left_is_never_promised_but_what_comes_after_wins() {
        let disk = run(&[
            write(0, 0, b"AA"),
            Event::SyncFailed {
                object: Some(0),
                covers: 1,
            },
            write(0, 1, b"B"),
            Event::Sync {
                object: Some(0),
                covers: 3,
            },
        ]);
        assert_eq!(a(&disk, Fate::Lost), b".B..");
        assert_eq!(a(&disk, Fate::Kept), b"AB..");
    }

    #[test]
    fn names_are_the_folders_to_keep() {
        let disk = run(&[
            Event::Change(Change::Link {
                name: "b".to_owned(),
                file: 1,
            }),
            write(1, 0, b"x"),
            Event::Sync {
                object: Some(1),
                covers: 2,
            },
        ]);
        assert_eq!(disk.image(|_| Fate::Lost).names().count(), 1);
        assert_eq!(disk.image(|_| Fate::Kept).names().count(), 2);
    }
}
