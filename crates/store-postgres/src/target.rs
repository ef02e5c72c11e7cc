//! The servers of a connection string, and connecting to the one that accepts
//! writes.
//!
//! Reads go there too: a standby can show a record that was never confirmed.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use thirdring_store::StorageFailure;
use tokio::time::timeout;
use tokio_postgres::config::{Host, SslMode, TargetSessionAttrs};
use tokio_postgres::tls::MakeTlsConnect;
use tokio_postgres::{AsyncMessage, Client, Config, NoTls, Socket};

use crate::open_error::OpenError;
use crate::options::PostgresOptions;
use crate::tls::Tls;

/// A dead peer is noticed after about ten seconds, unless the connection string
/// says otherwise: a lost network closes no connection by itself.
const KEEPALIVE_IDLE: Duration = Duration::from_secs(5);
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(2);
const KEEPALIVE_RETRIES: u32 = 3;

/// The servers of one connection string.
#[derive(Debug)]
pub(crate) struct Target {
    /// One for each host, in the order of the connection string.
    hosts: Vec<Config>,
    /// The hosts as text, without user or password.
    place: Arc<str>,
    schema: String,
    connect_timeout: Duration,
    tls: Tls,
    /// Where the last connection was made: the next is tried there first.
    last: AtomicUsize,
}

/// A connection to the server that accepts writes.
#[derive(Debug)]
pub(crate) struct Link {
    pub(crate) client: Client,
    /// Which of the hosts it is.
    pub(crate) host: usize,
}

/// Who gets the notifications of a connection.
pub(crate) type Notified = Option<Box<dyn Fn() + Send>>;

/// What may be set for a role or database to end what takes long. Given when the
/// session starts, or it would hit what comes first in the session.
const NO_TIMEOUTS: &str =
    "-c statement_timeout=0 -c lock_timeout=0 -c idle_in_transaction_session_timeout=0";

/// What every session of ours needs. Nothing may cut short an append that waits
/// for replication: the server would commit it without its standbys. Plans are
/// made once and by index, because the tables grow from nothing.
const SETTINGS: &str = "
SET default_transaction_isolation = 'read committed';
SET client_min_messages = 'warning';
SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off;
SET enable_bitmapscan = off; SET jit = off; SET plan_cache_mode = 'force_generic_plan';
SELECT set_config(name, '0', false) FROM pg_settings
    WHERE name IN ('transaction_timeout', 'idle_session_timeout');
SELECT set_config('synchronous_commit', 'on', false)
    WHERE current_setting('synchronous_commit') NOT IN ('on', 'remote_apply');
";

impl Target {
    pub(crate) fn new(text: &str, options: &PostgresOptions) -> Result<Self, OpenError> {
        if !is_name(&options.schema) {
            return Err(OpenError::Schema(options.schema.clone()));
        }
        let (text, root) = split_off_certificates(text);
        let config: Config = text
            .parse()
            .map_err(|error| OpenError::ConnectionString(chain(&error)))?;
        let tls = Tls::new(
            options.root_certificates.clone().or(root).as_deref(),
            config.get_ssl_mode() != SslMode::Disable,
        )?;
        let hosts = hosts(&config)?;
        let place = hosts.iter().map(place).collect::<Vec<_>>().join(",");
        Ok(Self {
            place: format!("postgres://{place}/{}", options.schema).into(),
            schema: options.schema.clone(),
            connect_timeout: config
                .get_connect_timeout()
                .copied()
                .unwrap_or(options.connect_timeout),
            hosts,
            tls,
            last: AtomicUsize::new(0),
        })
    }

    /// The servers and the schema as text, for errors.
    pub(crate) fn place(&self) -> &Arc<str> {
        &self.place
    }

    pub(crate) fn schema(&self) -> &str {
        &self.schema
    }

    pub(crate) fn failure(
        &self,
        doing: &'static str,
        error: tokio_postgres::Error,
    ) -> StorageFailure {
        StorageFailure::new(doing, Arc::clone(&self.place), Explained(error))
    }

    /// Connects to the first server that accepts writes, beginning with the one
    /// that did last time. Must run inside a tokio runtime, which also drives the
    /// connection.
    pub(crate) async fn connect(&self) -> Result<Link, StorageFailure> {
        self.connect_except(None, None).await
    }

    /// As [`connect`](Self::connect), but passes over one host, and hands
    /// notifications on.
    pub(crate) async fn connect_except(
        &self,
        except: Option<usize>,
        notified: Notified,
    ) -> Result<Link, StorageFailure> {
        let first = self.last.load(Ordering::Relaxed);
        let order = (0..self.hosts.len())
            .map(|n| n.wrapping_add(first) % self.hosts.len())
            .filter(|&n| Some(n) != except);
        let mut notified = notified;
        let mut reasons = Vec::new();
        let mut turned_away = false;
        for n in order {
            let Some(config) = self.hosts.get(n) else {
                continue;
            };
            // A server that is frozen accepts connections and never answers.
            let attempt = timeout(self.connect_timeout, self.session(config, &mut notified));
            match attempt.await {
                Ok(Ok(client)) => {
                    self.last.store(n, Ordering::Relaxed);
                    return Ok(Link { client, host: n });
                }
                Ok(Err(error)) => {
                    turned_away |= is_turned_away(&error);
                    reasons.push(format!("{}: {}", place(config), chain(&error)));
                }
                Err(_) => reasons.push(format!(
                    "{}: no answer within {:?}",
                    place(config),
                    self.connect_timeout
                )),
            }
        }
        Err(StorageFailure::new(
            "connect to a server that accepts writes",
            Arc::clone(&self.place),
            NoServer {
                reasons: reasons.join("; "),
                turned_away,
            },
        ))
    }

    async fn session(
        &self,
        config: &Config,
        notified: &mut Notified,
    ) -> Result<Client, tokio_postgres::Error> {
        let client = match &self.tls {
            Tls::None => start(config, NoTls, notified).await?,
            #[cfg(feature = "tls")]
            Tls::Rustls(tls) => start(config, tls.clone(), notified).await?,
        };
        let path = format!(
            "SET search_path TO \"{}\", pg_catalog;{SETTINGS}",
            self.schema
        );
        client.batch_execute(&path).await?;
        Ok(client)
    }

    /// Connects to each host, whatever its role, and gives what came of it.
    pub(crate) async fn each_host(&self) -> Vec<(String, Result<Client, String>)> {
        let mut all = Vec::new();
        for config in &self.hosts {
            let mut config = config.clone();
            config.target_session_attrs(TargetSessionAttrs::Any);
            let mut nobody: Notified = None;
            let attempt = timeout(self.connect_timeout, self.session(&config, &mut nobody));
            let outcome = match attempt.await {
                Ok(Ok(client)) => Ok(client),
                Ok(Err(error)) => Err(chain(&error)),
                Err(_) => Err(format!("no answer within {:?}", self.connect_timeout)),
            };
            all.push((place(&config), outcome));
        }
        all
    }
}

/// Why there is no server to work with.
#[derive(Debug)]
pub(crate) struct NoServer {
    /// Of each host, in words.
    reasons: String,
    /// Whether one of them answered, and does not let this user in.
    pub(crate) turned_away: bool,
}

impl std::fmt::Display for NoServer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.reasons)
    }
}

impl std::error::Error for NoServer {}

/// Whether a server answered that user, password or database are not right.
fn is_turned_away(error: &tokio_postgres::Error) -> bool {
    match error.code() {
        // Invalid authorisation; no such database.
        Some(state) => ["28", "3D"]
            .iter()
            .any(|class| state.code().starts_with(class)),
        // The client itself finds this, once the server asks for one.
        None => chain(error).ends_with("password missing"),
    }
}

/// Connects and leaves the connection to a task of the runtime.
async fn start<T>(
    config: &Config,
    tls: T,
    notified: &mut Notified,
) -> Result<Client, tokio_postgres::Error>
where
    T: MakeTlsConnect<Socket>,
    T::Stream: Send + 'static,
{
    let (client, mut connection) = config.connect(tls).await?;
    let notified = notified.take();
    tokio::spawn(async move {
        // Ends with the connection; whoever uses the client is told by it.
        while let Some(Ok(message)) =
            std::future::poll_fn(|context| connection.poll_message(context)).await
        {
            if let (AsyncMessage::Notification(_), Some(notified)) = (message, &notified) {
                notified();
            }
        }
    });
    Ok(client)
}

/// One configuration for each host of the connection string.
fn hosts(config: &Config) -> Result<Vec<Config>, OpenError> {
    let (names, addresses) = (config.get_hosts(), config.get_hostaddrs());
    let ports = config.get_ports();
    let count = names.len().max(addresses.len());
    if count == 0 {
        return Err(OpenError::ConnectionString("it names no host".to_owned()));
    }
    if ports.len() > 1 && ports.len() != count {
        let counts = format!("{count} hosts but {} ports", ports.len());
        return Err(OpenError::ConnectionString(counts));
    }
    let one = |n: usize| {
        let mut one = Config::new();
        if let Some(name) = names.get(n) {
            match name {
                Host::Tcp(name) => one.host(name),
                #[cfg(unix)]
                Host::Unix(path) => one.host_path(path),
            };
        }
        if let Some(address) = addresses.get(n) {
            one.hostaddr(*address);
        }
        if let Some(port) = ports.get(n).or(ports.first()) {
            one.port(*port);
        }
        if let Some(user) = config.get_user() {
            one.user(user);
        }
        if let Some(password) = config.get_password() {
            one.password(password);
        }
        if let Some(database) = config.get_dbname() {
            one.dbname(database);
        }
        // Ours last: of two settings the last one counts.
        one.options(format!(
            "{} {NO_TIMEOUTS}",
            config.get_options().unwrap_or_default()
        ));
        one.application_name(config.get_application_name().unwrap_or("thirdring"));
        one.ssl_mode(config.get_ssl_mode());
        one.channel_binding(config.get_channel_binding());
        one.target_session_attrs(TargetSessionAttrs::ReadWrite);
        if let Some(limit) = config.get_connect_timeout() {
            one.connect_timeout(*limit);
        }
        if let Some(limit) = config.get_tcp_user_timeout() {
            one.tcp_user_timeout(*limit);
        }
        one.keepalives(config.get_keepalives());
        // The library's own default is two hours: nobody chose that.
        let chosen = config.get_keepalives_idle();
        let default = Config::new().get_keepalives_idle();
        one.keepalives_idle(if chosen == default {
            KEEPALIVE_IDLE
        } else {
            chosen
        });
        one.keepalives_interval(
            config
                .get_keepalives_interval()
                .unwrap_or(KEEPALIVE_INTERVAL),
        );
        one.keepalives_retries(config.get_keepalives_retries().unwrap_or(KEEPALIVE_RETRIES));
        one
    };
    Ok((0..count).map(one).collect())
}

/// A host and its port.
fn place(config: &Config) -> String {
    let host = match (config.get_hosts().first(), config.get_hostaddrs().first()) {
        (Some(Host::Tcp(name)), _) => name.clone(),
        #[cfg(unix)]
        (Some(Host::Unix(path)), _) => path.display().to_string(),
        (None, Some(address)) => address.to_string(),
        (None, None) => String::new(),
    };
    format!(
        "{host}:{}",
        config.get_ports().first().copied().unwrap_or(5432)
    )
}

/// Takes `sslrootcert` out of a URL, and reads `sslmode=verify-full` and
/// `verify-ca` as `require`: certificates are always verified in full.
fn split_off_certificates(text: &str) -> (String, Option<std::path::PathBuf>) {
    let Some((before, query)) = text.split_once('?') else {
        return (text.to_owned(), None);
    };
    let mut root = None;
    let mut kept = Vec::new();
    for pair in query.split('&') {
        match pair.split_once('=') {
            Some(("sslrootcert", path)) => root = Some(path.into()),
            Some(("sslmode", "verify-full" | "verify-ca")) => kept.push("sslmode=require"),
            _ => kept.push(pair),
        }
    }
    if kept.is_empty() {
        return (before.to_owned(), root);
    }
    (format!("{before}?{}", kept.join("&")), root)
}

fn is_name(schema: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    !schema.is_empty() && schema.len() <= 40 && schema.chars().all(plain)
}

/// An error of the library with what lies below it: the library itself says
/// "db error" and keeps the server's words for those who ask.
#[derive(Debug)]
struct Explained(tokio_postgres::Error);

impl std::fmt::Display for Explained {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&chain(&self.0))
    }
}

impl std::error::Error for Explained {}

/// An error and its causes, in words.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let words = inner.to_string();
        if !text.ends_with(&words) {
            text = format!("{text}: {words}");
        }
        cause = inner.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(text: &str) -> Result<Target, OpenError> {
        Target::new(text, &PostgresOptions::default())
    }

    #[test]
    fn several_hosts_are_several_servers() {
        let target = target("postgres://me:secret@a:1,b:2,c:3/db?connect_timeout=1").unwrap();
        assert_eq!(&**target.place(), "postgres://a:1,b:2,c:3/thirdring");
        assert_eq!(target.hosts.len(), 3);
        for host in &target.hosts {
            assert_eq!(
                host.get_target_session_attrs(),
                TargetSessionAttrs::ReadWrite
            );
            assert_eq!(host.get_keepalives_idle(), KEEPALIVE_IDLE);
            assert_eq!(host.get_password(), Some(&b"secret"[..]));
        }
    }

    #[test]
    fn a_port_for_all_or_one_for_each() {
        assert_eq!(
            &**target("host=a,b port=7").unwrap().place(),
            "postgres://a:7,b:7/thirdring"
        );
        let error = target("host=a,b,c port=1,2").unwrap_err().to_string();
        assert!(error.contains("3 hosts but 2 ports"), "{error}");
    }

    #[test]
    fn what_is_no_connection_string_is_said_without_the_password() {
        for text in [
            "mysql://me:secret@a/b",
            "postgres://me:secret@a:x/db",
            "user=me password=secret",
        ] {
            let error = target(text).unwrap_err();
            assert!(matches!(error, OpenError::ConnectionString(_)), "{error}");
            assert!(!error.to_string().contains("secret"), "{error}");
        }
    }

    #[test]
    fn a_schema_is_a_plain_name() {
        for schema in ["", "A", "a b", "a\"b", "ä", &"x".repeat(41)] {
            let options = PostgresOptions::in_schema(schema);
            assert!(matches!(
                Target::new("host=a", &options),
                Err(OpenError::Schema(_))
            ));
        }
    }
}
