//! A primary and two standbys.

use std::sync::Arc;

use super::binaries::binaries;
use super::home::Home;
use super::server::Server;

/// The same on all nodes: one that is promoted must not confirm alone.
const QUORUM: &str = "synchronous_standby_names = 'ANY 1 (n0, n1, n2)'
restart_after_crash = off
";

/// Three servers `n0`, `n1`, `n2`: one primary whose commits are confirmed by at
/// least one of two standbys. What Patroni does for a cluster in earnest, this
/// does by hand.
#[derive(Debug)]
pub struct Cluster {
    nodes: [Server; 3],
    primary: usize,
}

impl Cluster {
    /// Starts the three, `None` if there are no binaries.
    #[must_use]
    pub fn start() -> Option<Self> {
        let binaries = binaries()?;
        let home = Arc::new(Home::new(binaries));
        let node = |name| Server::node(binaries, Arc::clone(&home), name);
        let mut cluster = Self {
            nodes: [node("n0"), node("n1"), node("n2")],
            primary: 0,
        };
        let [first, others @ ..] = &mut cluster.nodes;
        first.initialise(QUORUM);
        first.begin();
        for other in others {
            let data = other.data().to_str().expect("a path in UTF-8").to_owned();
            binaries.must(
                "pg_basebackup",
                &[
                    "-h",
                    "127.0.0.1",
                    "-p",
                    &first.port().to_string(),
                    "-U",
                    "postgres",
                    "-D",
                    &data,
                    "-X",
                    "stream",
                    "-c",
                    "fast",
                    "--no-sync",
                ],
            );
            follow(other, first);
            other.begin();
        }
        cluster.wait_for_standbys(2);
        Some(cluster)
    }

    /// A connection string with all hosts.
    #[must_use]
    pub fn url(&self) -> String {
        let [n0, n1, n2] = &self.nodes;
        format!(
            "postgres://postgres@{},{},{}/postgres?sslmode=disable&connect_timeout=1",
            n0.address(),
            n1.address(),
            n2.address()
        )
    }

    /// The nodes in the order of their names.
    #[must_use]
    pub fn nodes(&self) -> &[Server; 3] {
        &self.nodes
    }

    /// The node that accepts writes.
    #[must_use]
    pub fn primary(&self) -> &Server {
        let [n0, n1, n2] = &self.nodes;
        match self.primary {
            0 => n0,
            1 => n1,
            _ => n2,
        }
    }

    /// The other nodes.
    pub fn standbys(&self) -> impl Iterator<Item = &Server> {
        let primary = self.primary;
        self.nodes
            .iter()
            .enumerate()
            .filter(move |(n, _)| *n != primary)
            .map(|(_, node)| node)
    }

    /// Ends the primary as if its machine had died.
    pub fn kill_primary(&mut self) {
        let primary = self.primary;
        if let Some(node) = self.nodes.get_mut(primary) {
            node.kill();
        }
    }

    /// Ends a node by name as if its machine had died.
    ///
    /// # Panics
    /// If there is none of that name.
    pub fn kill(&mut self, name: &str) {
        let node = self.nodes.iter_mut().find(|node| node.name() == name);
        node.expect("a node of that name").kill();
    }

    /// Promotes the standby that has received more, and lets the other follow
    /// it. A confirmed commit is on at least one standby, so both must be seen.
    pub fn promote_the_longer(&mut self) {
        let old = self.primary;
        let received = |node: &Server| {
            let lsn = node.value("SELECT pg_last_wal_receive_lsn() - '0/0'::pg_lsn");
            lsn.parse::<u64>().expect("a position in the log")
        };
        let mut standbys: Vec<(u64, usize)> = self
            .nodes
            .iter()
            .enumerate()
            .filter(|(n, _)| *n != old)
            .map(|(n, node)| (received(node), n))
            .collect();
        standbys.sort_unstable();
        let [(_, behind), (_, ahead)] = standbys.as_slice() else {
            panic!("there are two standbys");
        };
        self.primary = *ahead;
        let promoted = self.primary().value("SELECT pg_promote(true, 100)");
        assert_eq!(promoted, "t", "{}", self.primary().log());
        let behind = self.nodes.get(*behind).expect("a node");
        // One statement a session: ALTER SYSTEM refuses to run in a transaction.
        behind
            .sql(&format!(
                "ALTER SYSTEM SET primary_conninfo = '{}'",
                conninfo(self.primary())
            ))
            .and_then(|_| behind.sql("SELECT pg_reload_conf()"))
            .expect("the other standby follows");
    }

    /// Brings the node that was killed back as a standby of the new primary.
    pub fn rejoin(&mut self) {
        let binaries = binaries().expect("the binaries the cluster runs on");
        let primary = self.primary().port().to_string();
        // Without it pg_rewind reads the old timeline from the control file.
        self.primary().sql("CHECKPOINT").expect("a checkpoint");
        let conninfo = conninfo(self.primary());
        let dead = self.nodes.iter_mut().find(|node| node.pid().is_none());
        let dead = dead.expect("a node that was killed");
        let data = dead.data().to_str().expect("a path in UTF-8").to_owned();
        let source = format!("host=127.0.0.1 port={primary} user=postgres dbname=postgres");
        binaries.must(
            "pg_rewind",
            &[
                "--target-pgdata",
                &data,
                "--source-server",
                &source,
                "--no-sync",
            ],
        );
        dead.add(
            "postgresql.auto.conf",
            &format!("primary_conninfo = '{conninfo}'"),
        );
        dead.add("standby.signal", "");
        dead.begin();
        self.wait_for_standbys(2);
    }

    /// Waits until so many standbys confirm commits.
    pub fn wait_for_standbys(&self, count: usize) {
        self.primary().wait_until(&format!(
            "SELECT count(*) = {count} FROM pg_stat_replication \
             WHERE state = 'streaming' AND sync_state = 'quorum'"
        ));
    }

    /// Waits until every standby shows what the primary shows.
    pub fn wait_for_equality(&self) {
        let end = self.primary().value("SELECT pg_current_wal_flush_lsn()");
        for standby in self.standbys() {
            standby.wait_until(&format!(
                "SELECT pg_last_wal_replay_lsn() >= '{end}'::pg_lsn"
            ));
        }
    }
}

fn conninfo(primary: &Server) -> String {
    // Without application_name: then it is cluster_name, the name of the node.
    format!("host=127.0.0.1 port={} user=postgres", primary.port())
}

fn follow(standby: &Server, primary: &Server) {
    standby.add(
        "postgresql.auto.conf",
        &format!("primary_conninfo = '{}'", conninfo(primary)),
    );
    standby.add("standby.signal", "");
}
