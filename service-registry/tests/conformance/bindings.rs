//! The same service behind each binding.

use std::sync::Arc;

use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{ServerHandle, ServiceRequest, ServiceResponse};
use actix_web::middleware::{Next, from_fn};
use actix_web::{App, HttpResponse, HttpServer};
use service_registry::policy::{BreakerRules, Policy};
use service_registry::testing::Serialised;
use service_registry::{CallError, Caller, Proof, Registry, ServiceClient, async_trait};
use service_registry_http::{
    CallerVerifier, HttpTransport, KeyPair, RpcAuth, ServiceSigner, ServiceVerifier, Upstream,
    remember_connection, rpc_routes,
};
use uuid::Uuid;

use crate::probe::{Probe, ProbeService, SERVICE};

/// A service, a client of it, and what stands between them.
pub struct World {
    pub probe: Arc<ProbeService>,
    pub client: ServiceClient<dyn Probe>,
    pub server: Option<Server>,
}

impl World {
    fn new(probe: Arc<ProbeService>, client: ServiceClient<dyn Probe>, server: Option<Server>) -> Self {
        assert!(probe.itself.set(client.clone()).is_ok());
        Self { probe, client, server }
    }
}

pub async fn local() -> World {
    let probe = Arc::new(ProbeService::default());
    let client = ServiceClient::local(probe.clone() as Arc<dyn Probe>);
    World::new(probe, client, None)
}

pub async fn serialised() -> World {
    let probe = Arc::new(ProbeService::default());
    let client = Serialised::client(probe.clone() as Arc<dyn Probe>);
    World::new(probe, client, None)
}

/// HTTP where the first answer to everything repeatable is lost after the work was done.
pub async fn http_with_a_retry() -> World {
    http(Fault::FirstAnswerLost).await
}

/// What the server does wrong.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    None,
    /// The first attempt of a call is answered, and its answer replaced by 503; not of `increment`, which
    /// must not be repeated.
    FirstAnswerLost,
    /// Every answer is replaced by 503.
    EveryAnswerLost,
}

pub async fn http(fault: Fault) -> World {
    let probe = Arc::new(ProbeService::default());
    let server = Server::start(probe.clone(), fault);
    // Answers that are lost on purpose say nothing of the server.
    let breaker =
        BreakerRules { failures_in_a_row: u32::MAX, least_calls: u32::MAX, ..BreakerRules::default() };
    let client = server.client(&Policy { breaker, ..Policy::default() });
    World::new(probe, client, Some(server))
}

/// A private listener on a free port; stops when dropped.
pub struct Server {
    pub url: String,
    /// The key of the one service that may call.
    pub tester: Arc<KeyPair>,
    handle: ServerHandle,
}

impl Server {
    pub fn start(probe: Arc<ProbeService>, fault: Fault) -> Self {
        Self::start_with_key(probe, fault, Arc::new(KeyPair::generate().unwrap()))
    }

    pub fn start_with_key(probe: Arc<ProbeService>, fault: Fault, tester: Arc<KeyPair>) -> Self {
        let all = SERVICE.methods.iter().map(|method| method.name).collect::<Vec<_>>().leak();
        let registry = Registry::builder().service(SERVICE);
        let registry = registry.caller("tester", vec![("probe", &*all)].leak());
        let registry = registry.caller("colleague", &[("probe", &["nothing"])]).build().unwrap();
        registry.provide::<dyn Probe>(probe);
        let services = ServiceVerifier::new()
            .key("tester", tester.public_key())
            .and_then(|verifier| verifier.key("stranger", tester.public_key()))
            .and_then(|verifier| verifier.key("colleague", tester.public_key()))
            .unwrap()
            .allow_acting("probe", ["tester"]);
        let auth = Arc::new(RpcAuth { services, callers: Arc::new(Users), certificates: false });
        let server = HttpServer::new(move || {
            let lose = from_fn(move |request, next| lose_answers(fault, request, next));
            App::new().wrap(lose).configure(rpc_routes(&registry, &auth))
        });
        let server = server.workers(1).on_connect(remember_connection).bind(("127.0.0.1", 0)).unwrap();
        let url = format!("http://{}", server.addrs()[0]);
        let server = server.run();
        let handle = server.handle();
        tokio::spawn(server);
        Self { url, tester, handle }
    }
}

impl Server {
    /// A client of the service, as the one that may call.
    pub fn client(&self, policy: &Policy) -> ServiceClient<dyn Probe> {
        client(std::slice::from_ref(&self.url), policy, &self.tester)
    }
}

/// A client of a probe at `urls`, signing with `key`.
pub fn client(urls: &[String], policy: &Policy, key: &KeyPair) -> ServiceClient<dyn Probe> {
    let upstream = Arc::new(Upstream::new("probe", urls, policy).unwrap());
    let signer = Arc::new(ServiceSigner::new("tester", key));
    ServiceClient::remote(Arc::new(HttpTransport::over(upstream, signer)))
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.handle.stop(false));
    }
}

async fn lose_answers(
    fault: Fault,
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<EitherBody<impl MessageBody>>, actix_web::Error> {
    let first = !request.headers().contains_key("x-retry-attempt");
    let once = request.path().ends_with("/increment");
    let answer = next.call(request).await?;
    let answered = answer.status() == 200 || answer.status() == 422;
    let lost = match fault {
        Fault::None => false,
        Fault::FirstAnswerLost => first && !once && answered,
        Fault::EveryAnswerLost => answered,
    };
    Ok(match lost {
        true => answer.into_response(HttpResponse::ServiceUnavailable().finish()).map_into_right_body(),
        false => answer.map_into_left_body(),
    })
}

/// Knows one user, by one token.
struct Users;

pub fn user() -> Caller {
    Caller {
        subject: Uuid::from_u128(11),
        space: Some(Uuid::from_u128(12)),
        session: None,
        role: "owner".to_owned(),
        scopes: Arc::new(["ledger:read".to_owned()]),
        proof: Proof::UserToken("good-token".into()),
    }
}

#[async_trait]
impl CallerVerifier for Users {
    async fn verify(&self, user_token: &str) -> Result<Caller, CallError> {
        match user_token == "good-token" {
            true => Ok(user()),
            false => Err(CallError::refused("bad user token")),
        }
    }
}
