//! Whether a file lies on a disk of this machine, as far as that can be known.

use std::fs;
use std::path::Path;

use super::check::Check;

/// File systems that other machines can mount at the same time. SQLite's
/// write-ahead log needs memory that all its users share.
const OF_SEVERAL_MACHINES: &[&str] = &[
    "9p",
    "afs",
    "beegfs",
    "ceph",
    "cifs",
    "coda",
    "fuse.ceph",
    "fuse.glusterfs",
    "fuse.rclone",
    "fuse.s3fs",
    "fuse.sshfs",
    "gfs2",
    "glusterfs",
    "gpfs",
    "lustre",
    "ncpfs",
    "nfs",
    "nfs4",
    "ocfs2",
    "orangefs",
    "smb3",
    "smbfs",
];

/// File systems of a disk of this machine.
const LOCAL: &[&str] = &[
    "apfs", "bcachefs", "btrfs", "ext2", "ext3", "ext4", "f2fs", "jfs", "reiserfs", "ufs", "xfs",
    "zfs",
];

/// File systems that are gone with the power.
const PASSING: &[&str] = &["ramfs", "tmpfs"];

/// Looks where the file lies.
pub(super) fn check(path: &Path) -> Check {
    const NAME: &str = "file_system";
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    let Some(kind) = path
        .canonicalize()
        .ok()
        .and_then(|path| kind_of(&mounts, &path))
    else {
        return Check::skipped(
            NAME,
            "it cannot be known on this system; the store needs a local one",
        );
    };
    let kind = kind.as_str();
    if OF_SEVERAL_MACHINES.contains(&kind) {
        Check::bad(
            NAME,
            kind,
            "a network file system: several machines can destroy the store, and syncs may not reach a disk",
            "move the store to a disk of this machine; for several machines use postgres://…",
        )
    } else if PASSING.contains(&kind) {
        Check::warn(
            NAME,
            kind,
            "it lies in memory: everything is gone with the power",
            "move the store to a disk",
        )
    } else if kind == "overlay" {
        Check::warn(
            NAME,
            kind,
            "it lies in the layer of a container and goes with it",
            "put the store on a volume",
        )
    } else if LOCAL.contains(&kind) {
        Check::ok(NAME, kind, "a disk of this machine")
    } else {
        Check::warn(
            NAME,
            kind,
            "whether it is local and keeps what is synced is not known here",
            "make sure of both, or move the store to ext4, xfs, btrfs or zfs",
        )
    }
}

/// The kind of the file system that a path lies on.
fn kind_of(mounts: &str, path: &Path) -> Option<String> {
    let mut nearest: Option<(usize, &str)> = None;
    for line in mounts.lines() {
        let Some((before, after)) = line.split_once(" - ") else {
            continue;
        };
        let (Some(point), Some(kind)) = (before.split(' ').nth(4), after.split(' ').next()) else {
            continue;
        };
        let point = unescaped(point);
        // Of two mounted at one place the later hides the earlier.
        if path.starts_with(&point) && nearest.is_none_or(|(length, _)| point.len() >= length) {
            nearest = Some((point.len(), kind));
        }
    }
    nearest.map(|(_, kind)| kind.to_owned())
}

/// Blanks and the like stand as octal numbers.
fn unescaped(point: &str) -> String {
    ["\\040", "\\011", "\\012", "\\134"]
        .iter()
        .zip([" ", "\t", "\n", "\\"])
        .fold(point.to_owned(), |text, (code, character)| {
            text.replace(code, character)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOUNTS: &str = "\
21 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
22 21 0:5 / /mnt/desk\\040files rw - nfs4 server:/desk rw
23 21 0:6 / /mnt/desk\\040files/local rw shared:2 - xfs /dev/sdb1 rw
24 21 0:7 / /tmp rw - tmpfs tmpfs rw
";

    #[test]
    fn the_nearest_mount_counts() {
        let kind = |path: &str| kind_of(MOUNTS, Path::new(path)).unwrap();
        assert_eq!(kind("/var/desk.db"), "ext4");
        assert_eq!(kind("/mnt/desk files/desk.db"), "nfs4");
        assert_eq!(kind("/mnt/desk files/local/desk.db"), "xfs");
        assert_eq!(kind("/mnt/desk files2/desk.db"), "ext4");
        assert_eq!(kind("/tmp/desk.db"), "tmpfs");
        assert_eq!(kind_of("", Path::new("/tmp/desk.db")), None);
    }
}
