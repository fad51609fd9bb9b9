mod database;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{Payload, Service, ServiceRequest, ServiceResponse};
use actix_web::error::PayloadError;
use actix_web::http::{Method, header};
use actix_web::middleware::{Next, from_fn};
use actix_web::{App, Error, HttpMessage, test};
use bytes::Bytes;
use connections::ConnectionsSettings;
use connections_api::SERVICE;
use futures_util::Stream;
use kernel::{PageRequest, Principal, Role, SpaceId, UserId};
use ledger_api::{Account, Ledger, Transaction, TransactionFilter};
use platform::testing::TestDatabase;
use platform::{DatabaseSettings, Module, SealKey, Store};
use sea_orm::{ConnectionTrait, Statement};
use serde_json::Value;
use service_registry::testing::Serialised;
use service_registry::{CallContext, IdempotencyKey, Registry, ServiceClient};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use utoipa_actix_web::AppExt;

use crate::gate::Gate;

/// Connections at work over one database, and a ledger as far away as another process.
pub struct World {
    pub ledger: ServiceClient<dyn Ledger>,
    pub gate: Arc<Gate>,
    pub store: Store,
    pub settings: ConnectionsSettings,
    registry: Registry,
    module: Mutex<Module>,
    running: Mutex<(Vec<JoinHandle<()>>, CancellationToken)>,
    ledger_module: Module,
    pub database: TestDatabase,
}

/// As where imports keep their previews for a week.
const LEDGER: ledger::LedgerSettings =
    ledger::LedgerSettings::for_previews(Duration::from_secs(7 * 24 * 60 * 60));

/// Runs a test with everything at work, on SQLite, and on PostgreSQL where a server is named.
pub fn in_each_world(test: impl AsyncFn(&World)) {
    in_each_world_with(usual_settings(), test);
}

pub fn in_each_world_with(settings: ConnectionsSettings, test: impl AsyncFn(&World)) {
    actix_web::rt::System::new().block_on(async {
        for database in TestDatabase::each().await {
            let world = World::open(database, settings.clone()).await;
            world.start();
            test(&world).await;
            world.close().await;
        }
    });
}

/// The usual settings, in a hurry.
pub fn usual_settings() -> ConnectionsSettings {
    ConnectionsSettings {
        lease: Duration::from_secs(1),
        longest_pause: Duration::from_millis(300),
        ..ConnectionsSettings::new(SealKey::new([1; 32]), SealKey::new([2; 32]))
    }
}

impl World {
    pub async fn open(database: TestDatabase, settings: ConnectionsSettings) -> Self {
        let all = [identity_api::SERVICE, ledger_api::SERVICE, SERVICE];
        let services = || Registry::builder().services(all).build().unwrap();
        let far = services();
        let ledger_module = ledger::module(&far, open_store("ledger", &database).await, LEDGER);
        let registry = services();
        let far_ledger = far.dispatcher("ledger", 1).unwrap();
        let gate = Arc::new(Gate::new(Serialised::of(&SERVICE, far_ledger)));
        registry.bind_remote("ledger", gate.clone());

        let store = open_store("connections", &database).await;
        let module = connections::module(&registry, store.clone(), settings.clone());
        // What its own routes ask comes as if from another process, too.
        registry.bind_remote(
            "connections",
            Arc::new(Serialised::new(registry.dispatcher("connections", 1).unwrap())),
        );
        // The test's own, which may ask for more than connections may.
        let ledger = far.client::<dyn Ledger>();
        let running = Mutex::default();
        let module = Mutex::new(module);
        Self { ledger, gate, store, settings, registry, module, running, ledger_module, database }
    }

    /// Starts the jobs, as a process does.
    pub fn start(&self) {
        let stop = CancellationToken::new();
        let jobs = std::mem::take(&mut self.module.lock().unwrap().jobs);
        let handles = jobs.into_iter().map(|job| job.start(stop.clone())).collect();
        *self.running.lock().unwrap() = (handles, stop);
    }

    /// Ends the jobs without a word, as `kill -9` does.
    pub fn kill(&self) {
        self.running.lock().unwrap().0.drain(..).for_each(|job| job.abort());
    }

    /// Another process on the same database.
    pub fn restart(&self) {
        // It provides itself and is bound locally from here on; the routes are the same.
        let module = connections::module(&self.registry, self.store.clone(), self.settings.clone());
        *self.module.lock().unwrap() = module;
        self.start();
    }

    /// What the ledger's own process answers.
    pub fn ledger_routes(&self) -> platform::Routes {
        self.ledger_module.routes.clone()
    }

    /// Takes the ledger away.
    pub fn lose_ledger(&self) {
        self.registry.client::<dyn Ledger>().unbind();
    }

    pub fn find_ledger(&self) {
        self.registry.bind_remote("ledger", self.gate.clone());
    }

    async fn close(self) {
        let (jobs, stop) = self.running.into_inner().unwrap();
        stop.cancel();
        for job in jobs {
            job.await.unwrap();
        }
        drop(self.module);
        self.ledger_module.store.close().await.unwrap();
        self.store.close().await.unwrap();
        self.database.drop().await;
    }

    /// All transactions of a household.
    pub async fn transactions(&self, who: &Who) -> Vec<Transaction> {
        let (mut all, mut page) = (Vec::new(), PageRequest { limit: 200, ..PageRequest::default() });
        loop {
            let filter = TransactionFilter::default();
            let next = self.ledger.list_transactions(&who.cx(), filter, page.clone()).await.unwrap();
            all.extend(next.data);
            page.cursor = next.next_cursor;
            if page.cursor.is_none() {
                return all;
            }
        }
    }

    pub async fn accounts(&self, who: &Who) -> Vec<Account> {
        self.ledger.list_accounts(&who.cx(), PageRequest::default()).await.unwrap().data
    }

    /// Numbers and kinds of the events that connections told so far.
    pub async fn events(&self, who: &Who) -> Vec<String> {
        platform::outbox::stamp(&self.store).await.unwrap();
        let feed = platform::outbox::feed(&self.store, who.principal.space, 0, 200).await.unwrap();
        feed.into_iter().map(|event| event.kind).collect()
    }
}

async fn open_store(module: &'static str, database: &TestDatabase) -> Store {
    let store = Store::open(module, &database.settings).await.unwrap();
    migrations::up(module, store.writer(), store.lock_file()).await.unwrap();
    store
}

/// Somebody who asks.
#[derive(Clone)]
pub struct Who {
    pub principal: Principal,
    key: Option<String>,
}

/// Somebody of a household of their own.
pub fn owner() -> Who {
    member(SpaceId::new(), Role::Owner)
}

pub fn member(space: SpaceId, role: Role) -> Who {
    Who { principal: Principal { user: UserId::new(), space, session: None, role }, key: None }
}

impl Who {
    pub fn cx(&self) -> CallContext {
        CallContext::root()
            .with_caller(platform::delegated(&self.principal))
            .with_remaining(Duration::from_secs(60))
    }

    /// The same person, with this idempotency key.
    pub fn with_key(&self, key: &str) -> Self {
        Self { key: Some(key.into()), ..self.clone() }
    }
}

/// What a client sees.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: header::HeaderMap,
    pub body: Value,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    pub fn code(&self) -> &str {
        self.body["code"].as_str().unwrap_or_else(|| panic!("no problem but {self:?}"))
    }
}

/// A file and what to say of it.
pub struct Upload<'a> {
    pub query: &'a str,
    pub content_type: &'a str,
    pub body: Vec<u8>,
}

pub fn upload(body: impl Into<Vec<u8>>) -> Upload<'static> {
    Upload { query: "", content_type: "application/octet-stream", body: body.into() }
}

impl World {
    /// A request through the routes, with what the edge would have put into it.
    async fn send(&self, who: Option<&Who>, request: test::TestRequest) -> Answer {
        self.send_stream(who, request, None).await
    }

    async fn send_stream(
        &self,
        who: Option<&Who>,
        request: test::TestRequest,
        body: Option<Payload>,
    ) -> Answer {
        let mut request = request.to_request();
        if let Some(body) = body {
            request = request.replace_payload(body).0;
        }
        let routes = self.module.lock().unwrap().routes.clone();
        let (app, _) = App::new().into_utoipa_app().configure(|config| routes(config)).split_for_parts();
        let cx = who.map_or_else(CallContext::root, Who::cx);
        let key = who.and_then(|who| who.key.clone());
        let edge = move |request: ServiceRequest, next: Next<BoxBody>| {
            let route = format!("{} {}", request.method(), request.path());
            let key = key.clone().map(|key| IdempotencyKey { route, key, fingerprint: String::new() });
            let cx = cx.clone();
            request.extensions_mut().insert(match key {
                Some(key) => cx.with_idempotency(key),
                None => cx,
            });
            pass_on(request, next)
        };
        let app = test::init_service(app.wrap(from_fn(edge))).await;
        let response = match app.call(request).await {
            Ok(response) => response.into_parts().1.map_into_boxed_body(),
            Err(error) => error.error_response(),
        };
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let bytes = actix_web::body::to_bytes(response.into_body()).await.unwrap();
        Answer { status, headers, body: serde_json::from_slice(&bytes).unwrap_or_default() }
    }

    pub async fn ask(&self, who: &Who, method: Method, path: &str, body: Option<Value>) -> Answer {
        let request = test::TestRequest::with_uri(path).method(method);
        let request = match body {
            Some(body) => request.set_json(body),
            None => request,
        };
        self.send(Some(who), request).await
    }

    pub async fn ask_nobody(&self, method: Method, path: &str) -> Answer {
        self.send(None, test::TestRequest::with_uri(path).method(method)).await
    }

    pub async fn get(&self, who: &Who, path: &str) -> Answer {
        self.ask(who, Method::GET, path, None).await
    }

    pub async fn upload(&self, who: &Who, upload: Upload<'_>) -> Answer {
        let request = test::TestRequest::post()
            .uri(&format!("/api/v1/imports{}", upload.query))
            .insert_header((header::CONTENT_TYPE, upload.content_type))
            .set_payload(upload.body);
        self.send(Some(who), request).await
    }

    /// An upload whose body comes as it likes.
    pub async fn upload_stream(
        &self,
        who: &Who,
        body: impl Stream<Item = Result<Bytes, PayloadError>> + 'static,
    ) -> Answer {
        let request = test::TestRequest::post().uri("/api/v1/imports");
        let request = request.insert_header((header::CONTENT_TYPE, "application/x-ofx"));
        self.send_stream(Some(who), request, Some(Payload::Stream { payload: Box::pin(body) })).await
    }

    /// Uploads what must be taken, and gives the path of its import.
    pub async fn begin(&self, who: &Who, file: Upload<'_>) -> String {
        let answer = self.upload(who, file).await;
        assert_eq!(answer.status, 202, "{answer:?}");
        let path = answer.header("location").unwrap().to_owned();
        assert_eq!(path, path_of(&answer.body));
        path
    }

    /// The import once it is in this state.
    pub async fn until(&self, who: &Who, path: &str, state: &str) -> Value {
        let patience = Duration::from_secs(if state == "committed" { 120 } else { 30 });
        self.until_within(who, path, state, patience).await
    }

    pub async fn until_within(&self, who: &Who, path: &str, state: &str, patience: Duration) -> Value {
        for _ in 0..patience.as_millis() / 20 {
            let answer = self.get(who, path).await;
            assert_eq!(answer.status, 200, "{answer:?}");
            let now = answer.body["state"].as_str().unwrap();
            if now == state {
                return answer.body;
            }
            let is_final = ["failed", "cancelled", "previewed", "unpacked", "undone"].contains(&now);
            assert!(
                !is_final || ["committed", "undone"].contains(&state),
                "{state} was expected: {:#}",
                answer.body
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("{path} did not become {state}");
    }

    pub async fn previewed(&self, who: &Who, file: Upload<'_>) -> Value {
        let path = self.begin(who, file).await;
        self.until(who, &path, "previewed").await
    }

    pub async fn failed(&self, who: &Who, file: Upload<'_>) -> Value {
        let path = self.begin(who, file).await;
        self.until(who, &path, "failed").await
    }

    /// Uploads, waits for the preview, commits, and gives the import at its end.
    pub async fn committed(&self, who: &Who, file: Upload<'_>) -> Value {
        let path = self.begin(who, file).await;
        self.until(who, &path, "previewed").await;
        self.commit(who, &path).await
    }

    pub async fn commit(&self, who: &Who, path: &str) -> Value {
        let answer = self.ask(who, Method::POST, &format!("{path}/commit"), None).await;
        assert_eq!(answer.status, 202, "{answer:?}");
        self.until(who, path, "committed").await
    }
}

async fn pass_on(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    Ok(next.call(request).await?.map_into_boxed_body())
}

/// The path of an import.
pub fn path_of(import: &Value) -> String {
    format!("/api/v1/imports/{}", import["id"].as_str().unwrap())
}

/// created, updated, matched, duplicate, rejected; their sum is checked against the rows read.
pub fn outcomes(import: &Value) -> [u64; 5] {
    let outcomes = &import["report"]["outcomes"];
    let count = |name: &str| outcomes[name].as_u64().unwrap_or_else(|| panic!("no {name} in {import:#}"));
    let five = ["created", "updated", "matched", "duplicate", "rejected"].map(count);
    assert_eq!(five.iter().sum::<u64>(), count("read"));
    five
}
