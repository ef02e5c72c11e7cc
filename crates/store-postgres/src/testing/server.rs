//! One server.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tokio_postgres::{NoTls, SimpleQueryMessage};

use super::binaries::{Binaries, binaries};
use super::home::Home;

/// Longer than anything takes on any machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// What every server is started with. Not on the file system: sockets. Its
/// `restart_after_crash` is the default unless a test says otherwise.
const SETTINGS: &str = "
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
max_connections = 200
shared_buffers = '64MB'
wal_log_hints = on
wal_keep_size = '512MB'
max_wal_size = '2GB'
";

/// A server of one's own. Dropping it stops it and removes all it wrote.
#[derive(Debug)]
pub struct Server {
    binaries: &'static Binaries,
    // Shared by the nodes of a cluster; the last one clears away.
    home: Arc<Home>,
    data: PathBuf,
    name: String,
    port: u16,
    child: Option<Child>,
}

impl Server {
    /// Starts a server, `None` if there are no binaries.
    #[must_use]
    pub fn start() -> Option<Self> {
        Self::start_with("")
    }

    /// Starts one that is fast and forgets at a power cut.
    #[must_use]
    pub fn start_without_sync() -> Option<Self> {
        Self::start_with("fsync = off\nfull_page_writes = off\n")
    }

    /// Starts a server with further lines for `postgresql.conf`.
    #[must_use]
    pub fn start_with(settings: &str) -> Option<Self> {
        let mut server = Self::make(settings)?;
        server.begin();
        Some(server)
    }

    /// A server that has its files but does not run yet.
    #[must_use]
    pub fn make(settings: &str) -> Option<Self> {
        let binaries = binaries()?;
        let mut server = Self::node(binaries, Arc::new(Home::new(binaries)), "n0");
        server.initialise(settings);
        Some(server)
    }

    /// A node that has no files yet.
    pub(super) fn node(binaries: &'static Binaries, home: Arc<Home>, name: &str) -> Self {
        Self {
            binaries,
            data: home.path().join(name),
            home,
            name: name.to_owned(),
            port: free_port(),
            child: None,
        }
    }

    pub(super) fn initialise(&mut self, settings: &str) {
        let data = self.data.to_str().expect("a path in UTF-8").to_owned();
        self.binaries.must(
            "initdb",
            &[
                "-D",
                &data,
                "-U",
                "postgres",
                "-A",
                "trust",
                "-E",
                "UTF8",
                "--locale=C.UTF-8",
                "--no-sync",
            ],
        );
        self.add("postgresql.conf", &format!("{SETTINGS}{settings}"));
    }

    /// Adds to a file of the data directory.
    pub fn add(&self, file: &str, text: &str) {
        let path = self.data.join(file);
        let before = fs::read_to_string(&path).unwrap_or_default();
        fs::write(&path, format!("{before}\n{text}\n")).expect("a file of the server");
        self.binaries.own(&path);
        // Keys must not be readable for others.
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o600);
        fs::set_permissions(&path, mode).expect("permissions");
    }

    /// Starts the server on its files, and waits until it can be used.
    pub fn begin(&mut self) {
        let deadline = Instant::now() + PATIENCE;
        'start: loop {
            let log = fs::OpenOptions::new()
                .create(true)
                .append(true)
                .open(self.home.path().join(format!("{}.log", self.name)))
                .expect("a log file");
            let mut command = self.binaries.command("postgres");
            command
                .arg("-D")
                .arg(&self.data)
                .args([
                    "-p",
                    &self.port.to_string(),
                    "-c",
                    &format!("cluster_name={}", self.name),
                ])
                .current_dir("/")
                .stdin(Stdio::null())
                .stdout(log.try_clone().expect("a log file"))
                .stderr(log);
            let mut child = command.spawn().expect("a server process");
            loop {
                assert!(Instant::now() < deadline, "no start: {}", self.log());
                if child.try_wait().expect("a status").is_some() {
                    // Somebody else may have taken the port meanwhile.
                    assert!(
                        self.log().contains("could not bind"),
                        "no start: {}",
                        self.log()
                    );
                    self.port = free_port();
                    continue 'start;
                }
                let port = self.port.to_string();
                let ready = self
                    .binaries
                    .run("pg_isready", &["-h", "127.0.0.1", "-p", &port]);
                if ready.status.success() {
                    self.child = Some(child);
                    return;
                }
                thread::sleep(Duration::from_millis(30));
            }
        }
    }

    /// The connection string.
    #[must_use]
    pub fn url(&self) -> String {
        format!(
            "postgres://postgres@{}/postgres?sslmode=disable",
            self.address()
        )
    }

    /// Host and port.
    #[must_use]
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// The port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The name it has in a cluster.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn data(&self) -> &Path {
        &self.data
    }

    /// What the server has written to its log.
    #[must_use]
    pub fn log(&self) -> String {
        fs::read_to_string(self.home.path().join(format!("{}.log", self.name))).unwrap_or_default()
    }

    /// The process id of the server, while it runs.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.child.as_ref().map(Child::id)
    }

    /// The server and its children.
    fn pids(&self) -> Vec<u32> {
        let Some(pid) = self.pid() else {
            return Vec::new();
        };
        let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"));
        let children = children.unwrap_or_default();
        let children = children
            .split_whitespace()
            .filter_map(|pid| pid.parse().ok());
        std::iter::once(pid).chain(children).collect()
    }

    fn signal_all(&self, signal: Signal) {
        for pid in self.pids() {
            signal_one(pid, signal);
        }
    }

    /// Stops the server and its children where they are.
    pub fn freeze(&self) {
        // The parent first, so that it starts no more children.
        self.signal_all(Signal::STOP);
        self.signal_all(Signal::STOP);
    }

    /// Lets them go on.
    pub fn thaw(&self) {
        self.signal_all(Signal::CONT);
    }

    /// Ends the server and its children as if the machine had died. Frozen
    /// first, or the children would still do something after their parent.
    pub fn kill(&mut self) {
        self.freeze();
        let pids = self.pids();
        for pid in &pids {
            signal_one(*pid, Signal::KILL);
        }
        if let Some(mut child) = self.child.take() {
            drop(child.wait());
        }
        // One that writes to the disk dies a little later, and until then holds
        // the memory that keeps a new server from starting.
        let deadline = Instant::now() + PATIENCE;
        while pids.iter().any(|pid| is_alive(*pid)) {
            assert!(Instant::now() < deadline, "a killed process lives on");
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Kills one process of the server.
    pub fn kill_backend(&self, pid: u32) {
        if self.pids().contains(&pid) {
            signal_one(pid, Signal::KILL);
        }
    }

    /// Runs SQL in a session of its own; rows of columns as text.
    ///
    /// # Errors
    /// What the server or the connection says.
    pub fn sql(&self, sql: &str) -> Result<Vec<Vec<Option<String>>>, String> {
        let url = self.url();
        let work = async {
            let (client, connection) = tokio_postgres::connect(&url, NoTls)
                .await
                .map_err(|error| error.to_string())?;
            let driven = tokio::spawn(connection);
            let messages = client.simple_query(sql).await;
            drop(client);
            drop(driven.await);
            let messages = messages.map_err(|error| crate::target::chain(&error))?;
            let rows = messages.iter().filter_map(|message| match message {
                SimpleQueryMessage::Row(row) => Some(
                    (0..row.len())
                        .map(|n| row.get(n).map(str::to_owned))
                        .collect(),
                ),
                _ => None,
            });
            Ok(rows.collect())
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        let runtime = runtime.map_err(|error| error.to_string())?;
        runtime
            .block_on(async { tokio::time::timeout(PATIENCE, work).await })
            .map_err(|error| error.to_string())?
    }

    /// The one value of a query.
    ///
    /// # Panics
    /// If it fails or has none.
    #[must_use]
    pub fn value(&self, sql: &str) -> String {
        let rows = self
            .sql(sql)
            .unwrap_or_else(|error| panic!("{sql}: {error}"));
        let value = rows
            .into_iter()
            .next()
            .and_then(|row| row.into_iter().next())
            .flatten();
        value.unwrap_or_else(|| panic!("{sql}: no value"))
    }

    /// Waits until a query gives `t`.
    ///
    /// # Panics
    /// If it does not in a very long time.
    pub fn wait_until(&self, sql: &str) {
        let deadline = Instant::now() + PATIENCE;
        while self.value(sql) != "t" {
            assert!(
                Instant::now() < deadline,
                "{}: never true: {sql}\n{}",
                self.name,
                self.log()
            );
            thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

fn signal_one(pid: u32, signal: Signal) {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
    if let Some(pid) = pid {
        // It may be gone already.
        let _ = kill_process(pid, signal);
    }
}

/// Whether a process is there and not merely waiting to be buried.
fn is_alive(pid: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // The state follows the name, which stands in parentheses.
    let state = stat
        .rsplit_once(") ")
        .and_then(|(_, rest)| rest.chars().next());
    state.is_some_and(|state| !matches!(state, 'Z' | 'X'))
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("its number").port()
}
