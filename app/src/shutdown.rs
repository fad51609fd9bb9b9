//! Who stops in which order, and how long each may take.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result};
use futures_util::future::select_all;
use tokio::time::{Instant, timeout_at};
use tracing::{error, info, warn};

use crate::compose::{Process, Server};

/// For a listener that comes after one that used up the whole grace; without requests it needs no more.
const LAST_MOMENT: Duration = Duration::from_millis(250);

/// Serves until a signal, or until a listener breaks, and then stops in order.
///
/// SIGTERM or Ctrl-C: readiness says no; after the drain delay nothing new is accepted, what is in flight ends,
/// jobs end, databases are closed. A second signal ends it at once.
pub async fn until_stopped(mut process: Process) -> Result<ExitCode> {
    let mut signals = Signals::listen()?;
    let broken = select_all(process.servers.iter_mut().map(|server| &mut server.task));
    tokio::select! {
        name = signals.next() => info!("Stopping after {name}"),
        (outcome, ..) = broken => {
            error!(?outcome, "A listener ended by itself");
            return Ok(ExitCode::FAILURE);
        }
    }
    tokio::select! {
        cut = stop(process) => Ok(conclude(&cut)),
        name = signals.next() => {
            error!("Ended at once after a second signal ({name}); requests and jobs were cut");
            Ok(ExitCode::FAILURE)
        }
    }
}

fn conclude(cut: &[String]) -> ExitCode {
    if cut.is_empty() {
        info!("Stopped");
        return ExitCode::SUCCESS;
    }
    error!(?cut, "Stopped after the time was up; cut off: {}", cut.join(", "));
    ExitCode::FAILURE
}

/// Stops in order and names what had to be cut off: first the public listener, whose requests may still need the
/// private one on their way through other processes, then that, then the jobs.
pub(crate) async fn stop(process: Process) -> Vec<String> {
    let whole = Duration::from_millis(process.settings.forced_ms);
    let grace = Duration::from_millis(process.settings.grace_ms);
    process.drain();
    tokio::time::sleep(Duration::from_millis(process.settings.drain_delay_ms)).await;
    let started = Instant::now();
    let end = started + whole.saturating_sub(Duration::from_millis(process.settings.drain_delay_ms));

    let Process { servers, jobs, stop, stores, .. } = process;
    let mut cut = Vec::new();
    for server in servers {
        cut.extend(stop_server(server, started + grace).await);
    }

    stop.cancel();
    for (name, job) in jobs {
        let abort = job.abort_handle();
        match timeout_at(end, job).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => warn!(%error, "The job {name} had broken off"),
            Err(_) => {
                abort.abort();
                cut.push(format!("the job {name}"));
            }
        }
    }
    for store in stores {
        let module = store.module();
        match timeout_at(end, store.close()).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => warn!(%error, "The database of {module} was not closed well"),
            Err(_) => cut.push(format!("the database of {module}")),
        }
    }
    cut
}

/// Lets a listener finish what is in flight until `end`, and says what it had to cut off.
async fn stop_server(server: Server, end: Instant) -> Option<String> {
    let end = end.max(Instant::now() + LAST_MOMENT);
    // The handle's own answer does not say whether it had to cut connections, but the time it took does.
    let graceful = timeout_at(end, server.handle.stop(true)).await.is_ok();
    if !graceful {
        server.handle.stop(false).await;
    }
    server.task.abort();
    (!graceful).then(|| format!("requests on the {}", server.name))
}

/// What asks a process to stop.
struct Signals {
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn listen() -> Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        let terminate = signal(SignalKind::terminate()).context("cannot listen for SIGTERM")?;
        let interrupt = signal(SignalKind::interrupt()).context("cannot listen for SIGINT")?;
        Ok(Self { terminate, interrupt })
    }

    async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
        }
    }
}

#[cfg(not(unix))]
impl Signals {
    fn listen() -> Result<Self> {
        Ok(Self {})
    }

    async fn next(&mut self) -> &'static str {
        let _ = tokio::signal::ctrl_c().await;
        "Ctrl-C"
    }
}

#[cfg(test)]
mod tests {
    use actix_web::{App, HttpResponse, HttpServer, web};

    use super::*;

    fn serve(name: &'static str, url_of_private: Option<String>) -> (String, Server) {
        let answer = move || {
            let private = url_of_private.clone();
            async move {
                let Some(private) = private else { return HttpResponse::Ok().finish() };
                tokio::time::sleep(Duration::from_millis(500)).await;
                match reqwest::get(private).await {
                    Ok(_) => HttpResponse::Ok().finish(),
                    Err(_) => HttpResponse::BadGateway().finish(),
                }
            }
        };
        let app = move || App::new().default_service(web::to(answer.clone()));
        let server = HttpServer::new(app).workers(1).disable_signals().bind(("127.0.0.1", 0)).unwrap();
        let url = format!("http://{}", server.addrs()[0]);
        let server = server.run();
        let handle = server.handle();
        (url, Server { name, handle, task: tokio::spawn(server) })
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn regression_a_request_in_flight_still_reaches_the_private_listener() {
        let (private_url, private) = serve("private listener", None);
        let (public_url, public) = serve("public listener", Some(private_url));
        let settings = crate::config::Shutdown { drain_delay_ms: 0, grace_ms: 10_000, forced_ms: 12_000 };
        let asked = tokio::spawn(reqwest::get(public_url));
        tokio::time::sleep(Duration::from_millis(200)).await;
        let process = Process {
            public: None,
            private: ([127, 0, 0, 1], 0).into(),
            health: std::sync::Arc::new(crate::health::Health::new(std::sync::Arc::default())),
            settings,
            draining: std::sync::Arc::default(),
            servers: vec![public, private],
            jobs: Vec::new(),
            stop: tokio_util::sync::CancellationToken::new(),
            stores: Vec::new(),
        };
        assert_eq!(stop(process).await, Vec::<String>::new());
        assert_eq!(asked.await.unwrap().unwrap().status(), 200);
    }
}
