use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::{DateTime, TimeDelta};
use identity::{IdentitySettings, Lifetimes, PasswordCost, RefreshKey, SigningKey};
use identity_api::{
    AccessTokens, Clock, Credentials, Identity, NewUser, Refresh, Registered, Secret, TokenFault, Tokens,
};
use platform::testing::TestDatabase;
use platform::{Job, Module, Store};
use service_registry::testing::Serialised;
use service_registry::{CallContext, IdempotencyKey, Registry, ServiceClient};
use tokio::task::JoinHandle;

pub const ISSUER: &str = "https://tributary.test";
pub const PASSWORD: &str = "correct horse battery";

/// Identity at work over one database, with hands on its clock. Called as if it were in another process.
pub struct Home {
    pub identity: ServiceClient<dyn Identity>,
    pub access: AccessTokens,
    pub module: Module,
    pub signing_key: SigningKey,
    pub store: Store,
    pub jobs: Mutex<Vec<Job>>,
    micros: Arc<AtomicI64>,
    keeper: JoinHandle<()>,
    database: TestDatabase,
}

/// Runs `test` once on each database.
pub async fn in_each_home(test: impl AsyncFn(&Home)) {
    for database in TestDatabase::each().await {
        let home = Home::open(database).await;
        test(&home).await;
        home.close().await;
    }
}

impl Home {
    async fn open(database: TestDatabase) -> Self {
        let store = Store::open("identity", &database.settings).await.unwrap();
        migrations::up("identity", store.writer(), store.lock_file()).await.unwrap();
        let micros = Arc::new(AtomicI64::new(kernel::now().timestamp_micros()));
        let clock = clock(&micros);
        let signing_key = SigningKey::generate().unwrap();
        let settings = IdentitySettings {
            issuer: ISSUER.into(),
            signing_key: signing_key.clone(),
            refresh_key: RefreshKey::new([7; 32]),
            password_cost: PasswordCost::FOR_TESTS,
            lifetimes: Lifetimes::default(),
            clock: clock.clone(),
        };
        let registry = Registry::builder().service(identity_api::SERVICE).build().unwrap();
        let mut module = identity::module(&registry, store.clone(), settings).unwrap();
        let jobs = Mutex::new(std::mem::take(&mut module.jobs));
        let identity = registry.client::<dyn Identity>();
        let dispatcher = registry.dispatcher("identity", 1).unwrap();
        identity.bind_remote(Arc::new(Serialised::new(dispatcher)));
        let access = AccessTokens::new(ISSUER, identity.clone(), clock);
        let keeper = tokio::spawn({
            let access = access.clone();
            async move { match access.keep_current().await {} }
        });
        let home = Self { identity, access, module, signing_key, store, jobs, micros, keeper, database };
        within_a_second("tokens can be checked", async || home.access.is_ready()).await;
        home
    }

    async fn close(self) {
        self.keeper.abort();
        drop(self.module);
        self.store.close().await.unwrap();
        self.database.drop().await;
    }

    /// Moves the clock on.
    pub fn wait(&self, time: TimeDelta) {
        self.micros.fetch_add(time.num_microseconds().unwrap(), Ordering::SeqCst);
    }

    pub fn clock(&self) -> Clock {
        clock(&self.micros)
    }

    pub async fn register(&self, email: &str) -> Registered {
        self.identity.register(&CallContext::root(), new_user(email)).await.unwrap()
    }

    pub async fn log_in(&self, email: &str) -> Tokens {
        self.identity.open_session(&CallContext::root(), credentials(email)).await.unwrap()
    }

    /// Registers and logs in.
    pub async fn move_in(&self, email: &str) -> (Registered, Tokens) {
        (self.register(email).await, self.log_in(email).await)
    }

    /// A request that came with these tokens.
    pub async fn cx(&self, tokens: &Tokens) -> CallContext {
        CallContext::root().with_caller(self.verify(tokens).await.unwrap())
    }

    pub async fn verify(&self, tokens: &Tokens) -> Result<service_registry::Caller, TokenFault> {
        self.access.verify(tokens.access_token.reveal()).await
    }
}

fn clock(micros: &Arc<AtomicI64>) -> Clock {
    let micros = Arc::clone(micros);
    // A microsecond for each look at it, so that what comes later is later.
    Clock::new(move || DateTime::from_timestamp_micros(micros.fetch_add(1, Ordering::SeqCst)).unwrap())
}

pub fn new_user(email: &str) -> NewUser {
    NewUser { email: email.into(), password: Secret::new(PASSWORD), name: None, space_name: None }
}

pub fn credentials(email: &str) -> Credentials {
    Credentials {
        email: email.into(),
        password: Secret::new(PASSWORD),
        space_id: None,
        client: Some("browser".into()),
    }
}

/// The refresh that goes on from these tokens, from the client that logged in.
pub fn refresh(tokens: &Tokens) -> Refresh {
    Refresh { refresh_token: tokens.refresh_token.clone(), space_id: None, client: Some("browser".into()) }
}

/// A request with an idempotency key.
pub fn keyed(key: &str, fingerprint: &str) -> CallContext {
    CallContext::root().with_idempotency(IdempotencyKey {
        route: "POST /api/v1/test".into(),
        key: key.into(),
        fingerprint: fingerprint.into(),
    })
}

/// Waits until `holds`, a second at most.
pub async fn within_a_second(what: &str, holds: impl AsyncFn() -> bool) {
    let waiting = async {
        while !holds().await {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(1), waiting)
        .await
        .unwrap_or_else(|_| panic!("not within a second: {what}"));
}
