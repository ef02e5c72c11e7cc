//! Encrypted connections (feature `tls`).

use std::path::Path;

use crate::open_error::OpenError;

/// How connections are encrypted.
#[cfg(not(feature = "tls"))]
#[derive(Debug)]
pub(crate) enum Tls {
    /// Not at all. A server that insists on it is an error of the connection.
    None,
}

#[cfg(not(feature = "tls"))]
impl Tls {
    pub(crate) fn new(roots: Option<&Path>, _wanted: bool) -> Result<Self, OpenError> {
        match roots {
            None => Ok(Self::None),
            Some(_) => Err(OpenError::Certificates(
                "this program was built without the feature `tls`; build it with that".to_owned(),
            )),
        }
    }
}

/// How connections are encrypted.
#[cfg(feature = "tls")]
pub(crate) enum Tls {
    /// Not at all: the connection string says so.
    None,
    /// As the server offers, with its certificate verified in full.
    Rustls(tokio_postgres_rustls::MakeRustlsConnect),
}

#[cfg(feature = "tls")]
impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::None => "None",
            Self::Rustls(_) => "Rustls",
        })
    }
}

#[cfg(feature = "tls")]
impl Tls {
    pub(crate) fn new(roots: Option<&Path>, wanted: bool) -> Result<Self, OpenError> {
        use rustls::pki_types::CertificateDer;
        use rustls::pki_types::pem::PemObject;

        if !wanted {
            return Ok(Self::None);
        }
        let bad = |error: &dyn std::error::Error| OpenError::Certificates(error.to_string());
        let mut store = rustls::RootCertStore::empty();
        match roots {
            Some(path) => {
                let named = |error: &dyn std::error::Error| {
                    OpenError::Certificates(format!("{}: {error}", path.display()))
                };
                let all = CertificateDer::pem_file_iter(path).map_err(|error| named(&error))?;
                for certificate in all {
                    let certificate = certificate.map_err(|error| named(&error))?;
                    store.add(certificate).map_err(|error| named(&error))?;
                }
                if store.is_empty() {
                    return Err(OpenError::Certificates(format!(
                        "{} holds none; give a file with certificates in PEM form",
                        path.display()
                    )));
                }
            }
            // What the system has, even if some of it is not understood: a server
            // whose authority is missing is refused when it is connected to.
            None => {
                store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            }
        }
        let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| bad(&error))?
            .with_root_certificates(store)
            .with_no_client_auth();
        Ok(Self::Rustls(tokio_postgres_rustls::MakeRustlsConnect::new(
            config,
        )))
    }
}
