use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};
use std::{fs, io};

use aws_lc_rs::digest;
use rustls::RootCertStore;
use rustls::client::verify_server_cert_signed_by_trust_anchor;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{ParsedCertificate, WebPkiClientVerifier};
use rustls::sign::CertifiedKey;

use super::TlsFiles;
use super::verify::services_named;

/// What is wrong with the files.
#[derive(Debug, thiserror::Error)]
pub enum TlsFault {
    #[error("cannot read {path}: {error}")]
    Unreadable { path: PathBuf, error: io::Error },
    #[error("{path} holds no {what} in PEM")]
    NotPem { path: PathBuf, what: &'static str },
    #[error("{path}: {problem}")]
    NoGood { path: PathBuf, problem: String },
    #[error(
        "the certificate in {path} does not name {service}: it needs the URI spiffe://tributary/{service} or the DNS name {service}"
    )]
    DoesNotName { path: PathBuf, service: String },
}

/// One set of certificates, found good.
#[derive(Debug)]
pub(super) struct Material {
    pub(super) own: Arc<CertifiedKey>,
    pub(super) roots: RootCertStore,
    pub(super) callers: Arc<dyn ClientCertVerifier>,
}

impl Material {
    /// Judges what the files hold for a process of these services.
    pub(super) fn of(contents: &Contents, files: &TlsFiles, services: &[String]) -> Result<Self, TlsFault> {
        let provider = provider();
        let mut roots = RootCertStore::empty();
        for root in certificates(&files.ca, &contents.ca)? {
            roots.add(root).map_err(|error| no_good(&files.ca, error))?;
        }
        let chain = certificates(&files.cert, &contents.cert)?;
        let key = PrivateKeyDer::from_pem_slice(&contents.key);
        let key = key.map_err(|_| TlsFault::NotPem { path: files.key.clone(), what: "private key" })?;
        let own =
            CertifiedKey::from_der(chain, key, &provider).map_err(|error| no_good(&files.key, error))?;
        let callers = WebPkiClientVerifier::builder_with_provider(Arc::new(roots.clone()), provider)
            .allow_unauthenticated()
            .build()
            .map_err(|error| no_good(&files.ca, error))?;
        let material = Self { own: Arc::new(own), roots, callers };
        material.check(services).map_err(|problem| problem.at(&files.cert))?;
        Ok(material)
    }

    /// Judges our own certificate as a peer will that knows the same CA.
    fn check(&self, services: &[String]) -> Result<(), Problem> {
        let (now, [own, between @ ..]) = (UnixTime::now(), &*self.own.cert) else {
            return Err(Problem::Invalid(rustls::Error::NoCertificatesPresented));
        };
        self.callers.verify_client_cert(own, between, now).map_err(Problem::Invalid)?;
        self.verify_callee(own, between, now).map_err(Problem::Invalid)?;
        let named = services_named(own);
        match services.iter().find(|service| !named.contains(service)) {
            Some(service) => Err(Problem::DoesNotName(service.clone())),
            None => Ok(()),
        }
    }

    /// Whether the CA says that this certificate may answer. For whom is another question.
    pub(super) fn verify_callee(
        &self,
        certificate: &CertificateDer<'_>,
        between: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<(), rustls::Error> {
        let certificate = ParsedCertificate::try_from(certificate)?;
        let algorithms = provider().signature_verification_algorithms.all;
        verify_server_cert_signed_by_trust_anchor(&certificate, &self.roots, between, now, algorithms)
    }
}

enum Problem {
    Invalid(rustls::Error),
    DoesNotName(String),
}

impl Problem {
    fn at(self, path: &Path) -> TlsFault {
        match self {
            Self::Invalid(error) => no_good(path, error),
            Self::DoesNotName(service) => TlsFault::DoesNotName { path: path.to_owned(), service },
        }
    }
}

fn no_good(path: &Path, problem: impl Display) -> TlsFault {
    TlsFault::NoGood { path: path.to_owned(), problem: problem.to_string() }
}

fn certificates(path: &Path, pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, TlsFault> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    let found = found.ok().filter(|found| !found.is_empty());
    found.ok_or_else(|| TlsFault::NotPem { path: path.to_owned(), what: "certificate" })
}

/// What the files hold.
pub(super) struct Contents {
    cert: Vec<u8>,
    key: Vec<u8>,
    ca: Vec<u8>,
}

impl Contents {
    pub(super) fn read(files: &TlsFiles) -> Result<Self, TlsFault> {
        let read = |path: &PathBuf| {
            fs::read(path).map_err(|error| TlsFault::Unreadable { path: path.clone(), error })
        };
        Ok(Self { cert: read(&files.cert)?, key: read(&files.key)?, ca: read(&files.ca)? })
    }

    pub(super) fn digest(&self) -> Digest {
        [&self.cert, &self.key, &self.ca]
            .map(|bytes| digest::digest(&digest::SHA256, bytes).as_ref().to_vec())
    }
}

/// Tells one state of the files from another, without keeping what they held.
pub(super) type Digest = [Vec<u8>; 3];

/// The one provider of cryptography that we build with, whatever else is linked in.
pub(super) fn provider() -> Arc<CryptoProvider> {
    static PROVIDER: LazyLock<Arc<CryptoProvider>> =
        LazyLock::new(|| Arc::new(rustls::crypto::aws_lc_rs::default_provider()));
    Arc::clone(&PROVIDER)
}
