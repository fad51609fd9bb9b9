//! A service that can be asked here and elsewhere, both sides on one database, and an elsewhere that fails at will.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use metrics_exporter_prometheus::PrometheusHandle;
use serde::{Deserialize, Serialize};
use service_registry::testing::Serialised;
use service_registry::{
    CallContext, CallError, Caller, Contract, Dispatcher, Outgoing, Percent, Placement, Proof, Registry,
    Reply, ServiceClient, ServiceDescriptor, Transport, Unanswered, async_trait, service,
};
use uuid::Uuid;

pub const SERVICE: ServiceDescriptor = ServiceDescriptor {
    name: "notes",
    version: 1,
    methods: <dyn Notes as Contract>::METHODS,
    routes: &[],
    calls: &[],
    default_port: 9198,
};

pub const URL: &str = "http://127.0.0.1:9198";

#[service(name = "notes", version = 1)]
pub trait Notes: Send + Sync {
    /// Which side answers.
    #[read]
    async fn side(&self, cx: &CallContext) -> Result<String, CallError>;

    /// Which side answers, after a while.
    #[read]
    async fn side_slowly(&self, cx: &CallContext, ms: u64) -> Result<String, CallError>;

    /// What both sides know.
    #[read]
    async fn all(&self, cx: &CallContext) -> Result<Notebook, CallError>;

    #[idempotent]
    async fn put(&self, cx: &CallContext, id: Uuid) -> Result<(), CallError>;

    /// Writes one more.
    async fn add(&self, cx: &CallContext) -> Result<(), CallError>;

    /// Writes one more, and knows a repeat by its call id.
    #[once(dedupe)]
    async fn add_known(&self, cx: &CallContext) -> Result<(), CallError>;
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Notebook {
    pub notes: usize,
    pub owner: String,
}

/// The database of both sides: one entry for each effect.
pub type Database = Arc<Mutex<Vec<Uuid>>>;

pub struct NotesService {
    side: &'static str,
    database: Database,
    pub asked: AtomicUsize,
}

impl NotesService {
    fn new(side: &'static str, database: &Database) -> Arc<Self> {
        Arc::new(Self { side, database: Arc::clone(database), asked: AtomicUsize::new(0) })
    }

    fn write_unless_known(&self, id: Uuid) {
        let mut notes = self.database.lock().unwrap();
        if !notes.contains(&id) {
            notes.push(id);
        }
    }
}

#[async_trait]
impl Notes for NotesService {
    async fn side(&self, _: &CallContext) -> Result<String, CallError> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        Ok(self.side.to_owned())
    }

    async fn side_slowly(&self, _: &CallContext, ms: u64) -> Result<String, CallError> {
        tokio::time::sleep(Duration::from_millis(ms)).await;
        Ok(self.side.to_owned())
    }

    async fn all(&self, _: &CallContext) -> Result<Notebook, CallError> {
        Ok(Notebook { notes: self.database.lock().unwrap().len(), owner: "Uncle Bob".to_owned() })
    }

    async fn put(&self, _: &CallContext, id: Uuid) -> Result<(), CallError> {
        self.write_unless_known(id);
        Ok(())
    }

    async fn add(&self, cx: &CallContext) -> Result<(), CallError> {
        self.database.lock().unwrap().push(cx.call_id());
        Ok(())
    }

    async fn add_known(&self, cx: &CallContext) -> Result<(), CallError> {
        self.write_unless_known(cx.repeat_id().unwrap_or_else(|| cx.call_id()));
        Ok(())
    }
}

/// What becomes of calls to the other side.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Network {
    Well,
    /// Nobody listens.
    Down,
    /// The work is done and its answer lost.
    LosesAnswers,
    /// The other side says that it failed.
    Fails,
    Slow(Duration),
}

/// The way to the other side.
pub struct Far {
    callee: Serialised,
    network: Mutex<Network>,
}

impl Far {
    pub fn set(&self, network: Network) {
        *self.network.lock().unwrap() = network;
    }

    fn network(&self) -> Network {
        *self.network.lock().unwrap()
    }
}

#[async_trait]
impl Transport for Far {
    async fn call(&self, call: Outgoing<'_>) -> Result<Reply, Unanswered> {
        let unavailable = CallError::Unavailable { service: "notes".to_owned(), retry_after_ms: 700 };
        match self.network() {
            Network::Down => return Err(Unanswered::unsent(unavailable)),
            Network::Fails => return Err(CallError::failed("disk is full").into()),
            Network::Slow(wait) => tokio::time::sleep(wait).await,
            Network::Well | Network::LosesAnswers => {}
        }
        let reply = self.callee.call(call).await;
        if self.network() == Network::LosesAnswers { Err(unavailable.into()) } else { reply }
    }

    fn is_available(&self) -> bool {
        self.network() != Network::Down
    }
}

pub struct World {
    pub registry: Registry,
    pub client: ServiceClient<dyn Notes>,
    pub database: Database,
    pub here: Arc<NotesService>,
    pub there: Arc<NotesService>,
    pub far: Arc<Far>,
}

impl World {
    /// Provided here, placed local, and to be had elsewhere at any url.
    pub fn new() -> Self {
        let world = Self::placed(Placement::local());
        world.registry.provide::<dyn Notes>(world.here.clone());
        world
    }

    /// Placed so from the start and not provided.
    pub fn placed(placement: Placement) -> Self {
        let database = Database::default();
        let (here, there) = (NotesService::new("here", &database), NotesService::new("there", &database));
        let callee = Serialised::new(Arc::new(Dispatcher::new(there.clone() as Arc<dyn Notes>)));
        let far = Arc::new(Far { callee, network: Mutex::new(Network::Well) });
        let way = far.clone();
        let registry = Registry::builder()
            .service(SERVICE)
            .place("notes", placement)
            .transports(Arc::new(move |_, _| Ok(way.clone() as Arc<dyn Transport>)))
            .build()
            .unwrap();
        let client = registry.client();
        Self { registry, client, database, here, there, far }
    }

    pub fn place(&self, placement: Placement) {
        self.registry.place("notes", placement).unwrap();
    }

    pub fn notes(&self) -> usize {
        self.database.lock().unwrap().len()
    }

    /// How many of these spaces are answered by the other side now.
    pub async fn there_of(&self, spaces: std::ops::Range<u128>) -> usize {
        let mut there = 0;
        for space in spaces {
            there += usize::from(self.client.side(&of_space(space)).await.unwrap() == "there");
        }
        there
    }
}

pub fn remote() -> Placement {
    Placement::remote(URL)
}

pub fn split(share: f64) -> Placement {
    Placement::split(Percent::try_from(share).unwrap(), [URL.to_owned()])
}

/// A request of a household.
pub fn of_space(space: u128) -> CallContext {
    CallContext::root().with_caller(Caller {
        subject: Uuid::now_v7(),
        space: Some(Uuid::from_u128(space)),
        session: None,
        role: "owner".to_owned(),
        scopes: [].into(),
        proof: Proof::Delegated,
    })
}

/// Runs `journey` with metrics of its own and gives their page.
pub fn measured<F: Future<Output = ()>>(journey: impl FnOnce() -> F) -> String {
    let recorder = metrics_exporter_prometheus::PrometheusBuilder::new().build_recorder();
    let page: PrometheusHandle = recorder.handle();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    metrics::with_local_recorder(&recorder, || runtime.block_on(journey()));
    page.render()
}

pub fn assert_lines(page: &str, lines: &[&str]) {
    for line in lines {
        assert!(page.lines().any(|found| found == *line), "no {line} in\n{page}");
    }
}
