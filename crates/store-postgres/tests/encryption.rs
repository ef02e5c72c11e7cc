//! Encrypted connections: the server's certificate is verified in full, or there
//! is no connection.

#![cfg(feature = "tls")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that fails panics"
)]

mod support;

use std::fs;

use support::{all, one, record};
use thirdring_store::{Expected, Log};
use thirdring_store_postgres::testing::Server;
use thirdring_store_postgres::{OpenError, PostgresLog, PostgresOptions};

#[test]
fn a_certificate_is_verified_in_full() {
    let Some(mut server) = Server::make("ssl = on\n") else {
        return;
    };
    let made = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
    server.add("server.crt", &made.cert.pem());
    server.add("server.key", &made.signing_key.serialize_pem());
    server.begin();
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("root.crt");
    fs::write(&root, made.cert.pem()).unwrap();
    let stranger = dir.path().join("stranger.crt");
    let other = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
    fs::write(&stranger, other.cert.pem()).unwrap();

    let url = server
        .url()
        .replace("sslmode=disable", "sslmode=verify-full");
    let log = PostgresLog::open(&format!("{url}&sslrootcert={}", root.display())).unwrap();
    log.append(&one("a", Expected::NoStream, record(1, 1)))
        .unwrap();
    assert_eq!(all(&log).len(), 1);
    let encrypted = "SELECT bool_and(ssl) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) \
                     WHERE application_name = 'thirdring'";
    assert_eq!(server.value(encrypted), "t");

    let options = PostgresOptions::default().with_root_certificates(&stranger);
    let error = PostgresLog::open_with(&url, options).unwrap_err();
    assert!(matches!(error, OpenError::Unreachable(_)), "{error}");
    assert!(error.to_string().contains("certificate"), "{error}");

    let options = PostgresOptions::default().with_root_certificates(dir.path().join("none"));
    let error = PostgresLog::open_with(&url, options).unwrap_err();
    assert!(matches!(error, OpenError::Certificates(_)), "{error}");
}
