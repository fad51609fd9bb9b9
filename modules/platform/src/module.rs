use std::pin::Pin;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::Store;

/// What a module gives to the process that it runs in.
pub struct Module {
    /// Its name in the registry.
    pub name: &'static str,
    /// Its public routes.
    pub routes: Routes,
    /// What it does on a timer or when woken.
    pub jobs: Vec<Job>,
    /// Its database, for readiness and for closing at the end.
    pub store: Store,
}

/// Mounts a module's public routes; called once per worker thread.
pub type Routes = Arc<dyn Fn(&mut ServiceConfig) + Send + Sync>;

/// Work of a module that no request waits for.
pub struct Job {
    /// What it is called in logs.
    pub name: &'static str,
    run: Box<dyn FnOnce(CancellationToken) -> Running + Send>,
}

type Running = Pin<Box<dyn Future<Output = ()> + Send>>;

impl Job {
    /// A job that runs until the token is cancelled, and then ends by itself soon.
    pub fn new<F>(name: &'static str, run: impl FnOnce(CancellationToken) -> F + Send + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        Self { name, run: Box::new(|stop| Box::pin(run(stop))) }
    }

    /// Starts it.
    pub fn start(self, stop: CancellationToken) -> tokio::task::JoinHandle<()> {
        tokio::spawn((self.run)(stop))
    }
}
