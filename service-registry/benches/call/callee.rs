//! A service that may be called from elsewhere, and somebody who may call it.

use std::sync::Arc;

use service_registry::{Contract, Method, Registry, ServiceClient, ServiceDescriptor};
use service_registry_http::{HttpTransport, KeyPair, NoCallers, RpcAuth, ServiceSigner, ServiceVerifier};

use crate::ledger::{InMemory, Ledger};

const SERVICE: ServiceDescriptor = ServiceDescriptor {
    name: "bench",
    version: 1,
    methods: METHODS,
    routes: &[],
    calls: &[],
    default_port: 9198,
};
const METHODS: &[Method] = <dyn Ledger as Contract>::METHODS;

pub struct Callee {
    pub registry: Registry,
    pub auth: Arc<RpcAuth>,
    signer: Arc<ServiceSigner>,
}

impl Callee {
    pub fn new() -> Self {
        let pair = KeyPair::generate().expect("a key");
        let registry = Registry::builder()
            .service(SERVICE)
            .caller("caller", &[("bench", &["account", "touch", "page"])])
            .build()
            .expect("a sound registry");
        registry.provide::<dyn Ledger>(Arc::new(InMemory::new()));
        let services = ServiceVerifier::new().key("caller", pair.public_key()).expect("a key");
        let auth = Arc::new(RpcAuth { services, callers: Arc::new(NoCallers), certificates: false });
        Self { registry, auth, signer: Arc::new(ServiceSigner::new("caller", &pair)) }
    }

    /// A client of it at `url`.
    pub fn client(&self, url: &str) -> ServiceClient<dyn Ledger> {
        let transport = HttpTransport::new("bench", url, Arc::clone(&self.signer)).expect("a transport");
        ServiceClient::remote(Arc::new(transport))
    }
}
