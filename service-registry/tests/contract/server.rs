//! A process that provides services on a private listener.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use actix_web::dev::{ServerHandle, Service};
use actix_web::http::Method;
use actix_web::{App, HttpServer};
use service_registry::contract::Contract;
use service_registry::policy::Policy;
use service_registry::{Registry, ServiceClient, ServiceDescriptor};
use service_registry_http::{
    HttpTransport, KeyPair, NoCallers, RpcAuth, ServiceSigner, ServiceVerifier, Upstream, rpc_routes,
};

pub const SHOP: ServiceDescriptor = ServiceDescriptor {
    name: "shop",
    version: 1,
    methods: &[],
    routes: &["/api/v1/shop"],
    calls: &[],
    default_port: 9100,
};

/// Listens until it is dropped, and counts what it is asked.
pub struct Server {
    pub address: SocketAddr,
    pub calls: Arc<AtomicU32>,
    pub handshakes: Arc<AtomicU32>,
    handle: ServerHandle,
}

impl Server {
    pub fn start(key: &KeyPair, registry: Registry) -> Self {
        Self::start_at("127.0.0.1:0".parse().unwrap(), key, registry)
    }

    pub fn start_at(address: SocketAddr, key: &KeyPair, registry: Registry) -> Self {
        let services = ServiceVerifier::new().key("tester", key.public_key()).unwrap();
        let auth = Arc::new(RpcAuth { services, callers: Arc::new(NoCallers), certificates: false });
        let (calls, handshakes) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(0)));
        let counters = (Arc::clone(&calls), Arc::clone(&handshakes));
        let server = HttpServer::new(move || {
            let (calls, handshakes) = counters.clone();
            let routes = rpc_routes(&registry, &auth);
            App::new().configure(routes).wrap_fn(move |request, next| {
                let counter = if request.method() == Method::POST { &calls } else { &handshakes };
                counter.fetch_add(1, Ordering::SeqCst);
                next.call(request)
            })
        });
        let server = server.workers(1).bind(address).unwrap();
        let address = server.addrs()[0];
        let server = server.run();
        let handle = server.handle();
        tokio::spawn(server);
        Self { address, calls, handshakes, handle }
    }

    pub async fn stop(&self) {
        self.handle.stop(false).await;
    }

    pub fn called(&self) -> u32 {
        self.calls.load(Ordering::SeqCst)
    }

    pub fn greeted(&self) -> u32 {
        self.handshakes.load(Ordering::SeqCst)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.handle.stop(false));
    }
}

/// A registry that provides one build of the shop, to anybody for anything.
pub fn providing<T: Contract + ?Sized>(service: Arc<T>) -> Registry {
    let all = T::METHODS.iter().map(|method| method.name).collect::<Vec<_>>().leak();
    let registry = Registry::builder().service(ServiceDescriptor { methods: T::METHODS, ..SHOP });
    let registry = registry.caller("tester", vec![("shop", &*all)].leak()).build().unwrap();
    registry.provide(service);
    registry
}

pub fn transport(key: &KeyPair, servers: &[&Server]) -> Arc<HttpTransport> {
    let urls: Vec<String> = servers.iter().map(|server| format!("http://{}", server.address)).collect();
    let upstream = Upstream::new("shop", &urls, &Policy::default()).unwrap();
    Arc::new(HttpTransport::over(Arc::new(upstream), Arc::new(ServiceSigner::new("tester", key))))
}

pub fn client<T: Contract + ?Sized>(key: &KeyPair, servers: &[&Server]) -> ServiceClient<T> {
    ServiceClient::remote(transport(key, servers))
}
