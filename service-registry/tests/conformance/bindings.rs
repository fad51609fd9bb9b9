//! The same service behind each binding.

use std::any::Any;
use std::os::unix::net::UnixListener;
use std::sync::Arc;
use std::time::Duration;

use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{ServerHandle, ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::middleware::{Next, from_fn};
use actix_web::{App, HttpResponse, HttpServer};
use service_registry::policy::{BreakerRules, Policy};
use service_registry::testing::Serialised;
use service_registry::{
    CallContext, CallError, Caller, Percent, Placement, Proof, Registry, ServiceClient, TransportFactory,
    async_trait,
};
use service_registry_http::{
    CallerVerifier, HttpTransport, KeyPair, RpcAuth, ServiceSigner, ServiceVerifier, Upstream,
    remember_connection, rpc_routes,
};
use tempfile::TempDir;
use tokio::task::JoinHandle;
use uuid::Uuid;

use crate::probe::{Probe, ProbeService, SERVICE, Tally};
use crate::second::Second;

/// A client of a service behind some binding.
pub struct World {
    pub client: ServiceClient<dyn Probe>,
    /// What must stay until the end.
    _remains: Box<dyn Any>,
}

impl World {
    pub fn new(client: ServiceClient<dyn Probe>, remains: impl Any) -> Self {
        Self { client, _remains: Box::new(remains) }
    }

    /// Of a probe in this process, which calls itself through the same binding.
    fn of(probe: &ProbeService, client: ServiceClient<dyn Probe>, remains: impl Any) -> Self {
        assert!(probe.itself.set(client.clone()).is_ok());
        Self::new(client, remains)
    }

    pub async fn tally(&self) -> Tally {
        self.client.tally(&CallContext::root()).await.unwrap()
    }

    /// Waits for the far side to notice; fails after two seconds.
    pub async fn until(&self, condition: impl Fn(Tally) -> bool) {
        for _ in 0..200 {
            if condition(self.tally().await) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("it did not happen within two seconds");
    }
}

pub async fn local() -> World {
    let probe = Arc::new(ProbeService::default());
    let client = ServiceClient::local(probe.clone() as Arc<dyn Probe>);
    World::of(&probe, client, ())
}

pub async fn serialised() -> World {
    let probe = Arc::new(ProbeService::default());
    let client = Serialised::client(probe.clone() as Arc<dyn Probe>);
    World::of(&probe, client, ())
}

/// HTTP where the first answer to everything repeatable is lost after the work was done.
pub async fn http_with_a_retry() -> World {
    let Http { probe, client, server } = http(Fault::FirstAnswerLost);
    World::of(&probe, client, server)
}

/// HTTP over a Unix socket.
pub async fn unix_socket() -> World {
    let probe = Arc::new(ProbeService::default());
    let server = Server::start(probe.clone(), Fault::None);
    let client = client(std::slice::from_ref(&server.socket_url), &patient(), &server.tester);
    World::of(&probe, client, server)
}

/// One probe behind both sides, as two processes on one database are, while the share of the other side changes all
/// the time.
pub async fn split_while_the_share_moves() -> World {
    let probe = Arc::new(ProbeService::default());
    let server = Server::start(probe.clone(), Fault::None);
    let registry = both_sides(&server.url, &server.tester, &patient());
    registry.provide::<dyn Probe>(probe.clone());
    let (client, url) = (registry.client(), server.url.clone());
    let moves = AbortOnDrop(tokio::spawn(async move {
        for share in [50.0, 100.0, 10.0, 70.0, 0.0].into_iter().cycle() {
            let share = Percent::try_from(share).unwrap();
            registry.place("probe", Placement::split(share, [url.clone()])).unwrap();
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }));
    World::of(&probe, client, (server, moves))
}

/// The service in another process, really.
pub async fn two_processes() -> World {
    let second = Second::start();
    World::new(client(std::slice::from_ref(&second.url), &patient(), &second.tester), second)
}

struct AbortOnDrop(JoinHandle<()>);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// A registry that has the probe here and elsewhere, where it is asked as the tester.
pub fn both_sides(url: &str, tester: &KeyPair, policy: &Policy) -> Registry {
    let (signer, policy) = (Arc::new(ServiceSigner::new("tester", tester)), *policy);
    let factory: TransportFactory = Arc::new(move |service, urls| {
        let upstream = Arc::new(Upstream::new(service.name, urls, &policy)?);
        Ok(Arc::new(HttpTransport::over(upstream, Arc::clone(&signer))))
    });
    let placement = Placement { urls: vec![url.to_owned()], ..Placement::local() };
    Registry::builder().service(SERVICE).place("probe", placement).transports(factory).build().unwrap()
}

/// A probe behind a server of its own in this process.
pub struct Http {
    pub probe: Arc<ProbeService>,
    pub client: ServiceClient<dyn Probe>,
    pub server: Server,
}

pub fn http(fault: Fault) -> Http {
    let probe = Arc::new(ProbeService::default());
    let server = Server::start(probe.clone(), fault);
    let client = server.client(&patient());
    Http { probe, client, server }
}

/// No breaker opens: answers that are lost on purpose say nothing of the server.
fn patient() -> Policy {
    let breaker =
        BreakerRules { failures_in_a_row: u32::MAX, least_calls: u32::MAX, ..BreakerRules::default() };
    Policy { breaker, ..Policy::default() }
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

/// A private listener on a free port and on a Unix socket; stops when dropped.
pub struct Server {
    pub url: String,
    pub socket_url: String,
    /// The key of the one service that may call.
    pub tester: Arc<KeyPair>,
    pub registry: Registry,
    handle: ServerHandle,
    _directory: TempDir,
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
        let served = registry.clone();
        let server = HttpServer::new(move || {
            let lose = from_fn(move |request, next| lose_answers(fault, request, next));
            App::new().wrap(lose).configure(rpc_routes(&served, &auth))
        });
        let server = server.workers(1).on_connect(remember_connection).bind(("127.0.0.1", 0)).unwrap();
        let url = format!("http://{}", server.addrs()[0]);
        let directory = TempDir::new().unwrap();
        let socket = directory.path().join("probe.sock");
        let server = server.listen_uds(UnixListener::bind(&socket).unwrap()).unwrap().run();
        let socket_url = format!("unix://{}", socket.display());
        let handle = server.handle();
        tokio::spawn(server);
        Self { url, socket_url, tester, registry, handle, _directory: directory }
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
    // The handshake is no call, and is not lost.
    let call = request.method() == Method::POST;
    let answer = next.call(request).await?;
    let answered = call && (answer.status() == 200 || answer.status() == 422);
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
