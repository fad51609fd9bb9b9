//! A CA, certificates in files, and a service behind a private listener over TLS.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use actix_web::dev::ServerHandle;
use actix_web::{App, HttpResponse, HttpServer, web};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, ExtendedKeyUsagePurpose, IsCa, KeyPair as LeafKey,
    SanType, date_time_ymd,
};
use service_registry::policy::Policy;
use service_registry::{
    CallContext, CallError, Contract, Registry, ServiceClient, ServiceDescriptor, async_trait, service,
};
use service_registry_http::{
    HttpTransport, KeyPair, NoCallers, RpcAuth, ServiceSigner, ServiceVerifier, Tls, TlsFiles, Upstream,
    remember_connection, rpc_routes,
};
use tempfile::TempDir;

#[service(name = "near", version = 1)]
pub trait Near: Send + Sync {
    #[read]
    async fn double(&self, cx: &CallContext, number: u32) -> Result<u32, CallError>;

    /// Never answers.
    #[read(timeout_ms = 60_000)]
    async fn wait(&self, cx: &CallContext) -> Result<(), CallError>;
}

const SERVICE: ServiceDescriptor = ServiceDescriptor {
    name: "near",
    version: 1,
    methods: <dyn Near as Contract>::METHODS,
    routes: &[],
    calls: &[],
    default_port: 9199,
};

#[derive(Default)]
struct Here(Arc<AtomicUsize>);

#[async_trait]
impl Near for Here {
    async fn double(&self, _: &CallContext, number: u32) -> Result<u32, CallError> {
        Ok(2 * number)
    }

    async fn wait(&self, _: &CallContext) -> Result<(), CallError> {
        struct Waiting(Arc<AtomicUsize>);
        impl Drop for Waiting {
            fn drop(&mut self) {
                self.0.fetch_sub(1, Ordering::SeqCst);
            }
        }
        self.0.fetch_add(1, Ordering::SeqCst);
        let _waiting = Waiting(Arc::clone(&self.0));
        std::future::pending().await
    }
}

/// Signs certificates.
pub struct Authority(CertifiedIssuer<'static, LeafKey>);

impl Authority {
    pub fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, LeafKey::generate().unwrap()).unwrap())
    }

    pub fn pem(&self) -> String {
        self.0.pem()
    }

    /// Certificate and key of a process of these services.
    pub fn leaf(&self, services: &[&str]) -> (String, String) {
        let uri = |service: &&str| SanType::URI(format!("spiffe://tributary/{service}").try_into().unwrap());
        self.sign(services.iter().map(uri).collect(), |_| {})
    }

    pub fn leaf_with_dns(&self, names: &[&str]) -> (String, String) {
        self.sign(names.iter().map(|name| SanType::DnsName((*name).try_into().unwrap())).collect(), |_| {})
    }

    pub fn expired_leaf(&self, service: &str) -> (String, String) {
        let uri = SanType::URI(format!("spiffe://tributary/{service}").try_into().unwrap());
        self.sign(vec![uri], |params| params.not_after = date_time_ymd(2020, 1, 1))
    }

    pub fn leaf_for_callers_only(&self, service: &str) -> (String, String) {
        let uri = SanType::URI(format!("spiffe://tributary/{service}").try_into().unwrap());
        self.sign(vec![uri], |params| params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth])
    }

    fn sign(&self, names: Vec<SanType>, change: impl FnOnce(&mut CertificateParams)) -> (String, String) {
        let mut params = CertificateParams::default();
        params.subject_alt_names = names;
        params.extended_key_usages =
            vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        change(&mut params);
        let key = LeafKey::generate().unwrap();
        (params.signed_by(&key, &self.0).unwrap().pem(), key.serialize_pem())
    }
}

/// The files of an installation, and the key with which its services sign.
pub struct World {
    directory: TempDir,
    pub key: KeyPair,
}

impl World {
    /// Certificates of `near`, `far`, `other` and an impostor.
    pub fn new(authority: &Authority) -> Self {
        let world = Self { directory: tempfile::tempdir().unwrap(), key: KeyPair::generate().unwrap() };
        world.replace(authority, &["near", "far", "other", "impostor"]);
        world
    }

    pub fn replace(&self, authority: &Authority, services: &[&str]) {
        fs::write(self.path("ca.pem"), authority.pem()).unwrap();
        services.iter().for_each(|service| self.write(&authority.leaf(&[service]), service));
    }

    pub fn write(&self, (cert, key): &(String, String), name: &str) {
        fs::write(self.path(&format!("{name}.pem")), cert).unwrap();
        fs::write(self.path(&format!("{name}.key")), key).unwrap();
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub fn named(&self, name: &str) -> TlsFiles {
        let (cert, key) = (self.path(&format!("{name}.pem")), self.path(&format!("{name}.key")));
        TlsFiles { cert, key, ca: self.path("ca.pem") }
    }

    /// Calls `near` as `service`, with the certificate of `shown`.
    pub fn client(&self, door: &Door, service: &str, shown: &str) -> ServiceClient<dyn Near> {
        self.client_and_tls(door, service, shown).0
    }

    pub fn client_and_tls(
        &self,
        door: &Door,
        service: &str,
        shown: &str,
    ) -> (ServiceClient<dyn Near>, Arc<Tls>) {
        let tls = Tls::load(self.named(shown), &[shown.to_owned()]).unwrap();
        let upstream =
            Upstream::over_tls("near", std::slice::from_ref(&door.url), &Policy::default(), &tls).unwrap();
        let signer = Arc::new(ServiceSigner::new(service, &self.key));
        (ServiceClient::remote(Arc::new(HttpTransport::over(Arc::new(upstream), signer))), tls)
    }
}

/// A private listener of `near`; stops when dropped.
pub struct Door {
    pub url: String,
    pub tls: Arc<Tls>,
    waiting: Arc<AtomicUsize>,
    handle: ServerHandle,
}

impl Door {
    /// Shows the certificate of `shown`.
    pub fn open(world: &World, shown: &str) -> Self {
        let here = Here::default();
        let waiting = Arc::clone(&here.0);
        let registry = Registry::builder().service(SERVICE);
        let registry = registry.caller("far", &[("near", &["double", "wait"])]).build().unwrap();
        registry.provide::<dyn Near>(Arc::new(here));
        let services = ServiceVerifier::new().key("far", world.key.public_key()).unwrap();
        let auth = Arc::new(RpcAuth { services, callers: Arc::new(NoCallers), certificates: true });
        let tls = Tls::load(world.named(shown), &[shown.to_owned()]).unwrap();
        let server = HttpServer::new(move || {
            let live = web::get().to(async || HttpResponse::Ok().finish());
            App::new().configure(rpc_routes(&registry, &auth)).route("/health/live", live)
        });
        let server = server.workers(1).on_connect(remember_connection).disable_signals();
        let server = server.bind_rustls_0_23(("127.0.0.1", 0), tls.server_config()).unwrap();
        let url = format!("https://{}", server.addrs()[0]);
        let server = server.run();
        let handle = server.handle();
        tokio::spawn(server);
        Self { url, tls, waiting, handle }
    }

    /// Calls of [`Near::wait`] that are still at it.
    pub fn waiting(&self) -> usize {
        self.waiting.load(Ordering::SeqCst)
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        drop(self.handle.stop(false));
    }
}

pub async fn patiently(there: impl Fn() -> bool) {
    let started = Instant::now();
    while !there() {
        assert!(started.elapsed() < Duration::from_secs(20), "waited in vain");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
