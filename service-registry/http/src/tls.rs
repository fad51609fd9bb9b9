//! Certificates between services: TLS 1.3, both sides show one, and each names the service that shows it.
//!
//! They come from files and are read again while the process runs. New connections then use the new ones; connections
//! that are open stay as they are, and no session of theirs can be resumed.

mod material;
mod verify;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arc_swap::ArcSwap;
use rustls::client::Resumption;
use rustls::server::NoServerSessionStorage;
use rustls::version::TLS13;
use rustls::{ClientConfig, ConfigBuilder, ConfigSide, ServerConfig, WantsVerifier, WantsVersions};

pub use self::material::TlsFault;
use self::material::{Contents, Digest, Material, provider};
pub(crate) use self::verify::services_named;
use self::verify::{Callee, Callers, Own};

/// Where the certificates of one process are, in PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// Its own certificate, and those between it and the CA if there are any.
    pub cert: PathBuf,
    /// The private key of that.
    pub key: PathBuf,
    /// The certificates of the CA whose word is taken for who the others are; several while one replaces another.
    pub ca: PathBuf,
}

/// The certificates that hold now.
#[derive(Debug)]
pub struct Tls {
    files: TlsFiles,
    services: Vec<String>,
    current: ArcSwap<Material>,
    /// What the files held when they were last judged, whatever came of it.
    judged: Mutex<Option<Digest>>,
}

impl Tls {
    /// Reads the files of a process in which these services run.
    ///
    /// # Errors
    /// Says what is wrong, as every peer would find: a certificate that the CA did not sign, that is not valid now, that
    /// is not for both sides of a connection or that does not name one of the services.
    pub fn load(files: TlsFiles, services: &[String]) -> Result<Arc<Self>, TlsFault> {
        let contents = Contents::read(&files)?;
        let current = ArcSwap::from_pointee(Material::of(&contents, &files, services)?);
        let judged = Mutex::new(Some(contents.digest()));
        Ok(Arc::new(Self { files, services: services.to_vec(), current, judged }))
    }

    /// Reads the files again. Those that are no good change nothing.
    pub fn reload(&self) -> Result<(), TlsFault> {
        let contents = Contents::read(&self.files);
        *self.judged() = contents.as_ref().ok().map(Contents::digest);
        let material = Material::of(&contents?, &self.files, &self.services)?;
        self.current.store(Arc::new(material));
        Ok(())
    }

    /// Whether the files hold something that nobody has judged yet.
    pub fn have_files_changed(&self) -> bool {
        let now = Contents::read(&self.files).ok().map(|contents| contents.digest());
        *self.judged() != now
    }

    fn judged(&self) -> MutexGuard<'_, Option<Digest>> {
        self.judged.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// For a private listener. Callers may come without a certificate, for the sake of probes; who lets them in has to
    /// look: see [`crate::RpcAuth::certificates`].
    pub fn server_config(self: &Arc<Self>) -> ServerConfig {
        let mut config = tls13(ServerConfig::builder_with_provider(provider()))
            .with_client_cert_verifier(Arc::new(Callers(Arc::clone(self))))
            .with_cert_resolver(Arc::new(Own(Arc::clone(self))));
        // A resumed session would keep a caller whose certificate holds no more.
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
        config
    }

    /// For calls to `service`: whoever answers must have a certificate that names it, whatever the address is called.
    pub fn client_config(self: &Arc<Self>, service: &str) -> ClientConfig {
        self.client_config_for_any([service])
    }

    /// The same where each of `services` may be the one that answers.
    pub fn client_config_for_any<'a>(
        self: &Arc<Self>,
        services: impl IntoIterator<Item = &'a str>,
    ) -> ClientConfig {
        let services = services.into_iter().map(str::to_owned).collect();
        let callee = Callee { tls: Arc::clone(self), services };
        let mut config = tls13(ClientConfig::builder_with_provider(provider()))
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(callee))
            .with_client_cert_resolver(Arc::new(Own(Arc::clone(self))));
        config.resumption = Resumption::disabled();
        config
    }
}

fn tls13<S: ConfigSide>(builder: ConfigBuilder<S, WantsVersions>) -> ConfigBuilder<S, WantsVerifier> {
    builder.with_protocol_versions(&[&TLS13]).expect("the provider speaks TLS 1.3")
}
