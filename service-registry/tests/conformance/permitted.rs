//! What a caller may not call is refused, and in the same words wherever the callee is.

use std::sync::Arc;
use std::time::Duration;

use service_registry::testing::Serialised;
use service_registry::{
    CallContext, CallError, Calls, Fallback, Network, Percent, Placement, Registry, RegistryBuilder,
    ServiceClient, TransportFactory,
};
use service_registry_http::{HttpTransport, ServiceSigner};

use crate::bindings::{Fault, Server};
use crate::probe::{Probe, ProbeError, ProbeService, SERVICE};

/// What a colleague calls; the same on the side of the server.
const CALLS: Calls = &[("probe", &["nothing"])];

fn builder() -> RegistryBuilder {
    Registry::builder().service(SERVICE).caller("colleague", CALLS)
}

fn refused() -> CallError {
    CallError::refused("a method that this service may not call (call to probe)")
}

/// A probe in this process, one behind a server, and a registry that can place calls on either.
struct World {
    registry: Registry,
    here: Arc<ProbeService>,
    there: Arc<ProbeService>,
    server: Server,
}

impl World {
    fn new() -> Self {
        Self::built(builder())
    }

    /// Signs its calls with the key of the one who may call everything.
    fn built(builder: RegistryBuilder) -> Self {
        let [here, there] = [(); 2].map(|()| Arc::new(ProbeService::default()));
        let server = Server::start(there.clone(), Fault::None);
        let signer = Arc::new(ServiceSigner::new("tester", &server.tester));
        let factory: TransportFactory = Arc::new(move |service, urls| {
            Ok(Arc::new(HttpTransport::new(service.name, &urls[0], Arc::clone(&signer))?))
        });
        let registry = builder.transports(factory).build().unwrap();
        registry.provide::<dyn Probe>(here.clone());
        Self { registry, here, there, server }
    }

    fn executions(&self) -> u32 {
        self.here.executions() + self.there.executions()
    }

    /// A colleague calls what it has listed, and what it has not.
    async fn is_let_in_and_refused(&self, binding: &str) {
        let (client, before) =
            (self.registry.as_caller("colleague").client::<dyn Probe>(), self.executions());
        assert_eq!(client.nothing(&CallContext::root()).await, Ok(()), "{binding}");
        let increment = client.increment(&CallContext::root()).await;
        assert_eq!(increment, Err(ProbeError::Call(refused())), "{binding}");
        let sleep = client.sleep(&CallContext::root(), 0).await;
        assert_eq!(sleep, Err(ProbeError::Call(refused())), "{binding}");
        assert_eq!(self.executions(), before + 1, "{binding}");
    }
}

#[tokio::test]
async fn the_refusal_is_the_same_wherever_the_callee_is() {
    let world = World::new();
    let url = || [world.server.url.clone()];
    let half = Percent::try_from(50.0).unwrap();
    for placement in [
        Placement::local(),
        Placement::remote_at(url()),
        Placement { fallback: Fallback::Local, ..Placement::remote_at(url()) },
        Placement::split(half, url()),
    ] {
        world.registry.place("probe", placement.clone()).unwrap();
        world.is_let_in_and_refused(&placement.to_string()).await;
    }
    world
        .registry
        .bind_remote("probe", Arc::new(Serialised::new(world.registry.dispatcher("probe", 3).unwrap())));
    world.is_let_in_and_refused("serialised").await;
    let network = Network { latency: Duration::from_millis(1), loss: 0.0 };
    World::built(builder().simulate("probe", network)).is_let_in_and_refused("simulated").await;
}

#[tokio::test]
async fn who_asks_all_the_same_hears_it_from_the_callee_in_the_same_words() {
    let World { server, there, .. } = World::new();
    let signer = Arc::new(ServiceSigner::new("colleague", &server.tester));
    let transport = HttpTransport::new("probe", &server.url, signer).unwrap();
    let client: ServiceClient<dyn Probe> = ServiceClient::remote(Arc::new(transport));
    assert_eq!(client.nothing(&CallContext::root()).await, Ok(()));
    assert_eq!(client.increment(&CallContext::root()).await, Err(ProbeError::Call(refused())));
    assert_eq!(there.executions(), 1);
}

#[tokio::test]
async fn a_refused_call_is_counted_as_one() {
    let world = World::new();
    let client = world.registry.as_caller("colleague").client::<dyn Probe>();
    for _ in 0..2 {
        assert!(client.increment(&CallContext::root()).await.is_err());
    }
    let edge = world.registry.topology().edges.remove(0);
    assert_eq!((edge.caller.as_str(), edge.method.as_str()), ("colleague", "increment"));
    assert_eq!((edge.calls, edge.errors["refused"]), (2, 2));
}

#[tokio::test]
async fn a_service_may_call_itself_and_whoever_has_no_name_everything() {
    let world = World::new();
    let [itself, unnamed] = [world.registry.as_caller("probe"), world.registry.clone()];
    for registry in [itself, unnamed] {
        assert!(registry.client::<dyn Probe>().increment(&CallContext::root()).await.is_ok());
    }
    let stranger = world.registry.as_caller("stranger").client::<dyn Probe>();
    assert_eq!(stranger.nothing(&CallContext::root()).await, Err(ProbeError::Call(refused())));
}
