//! Who stops in which order, and how long each may take; until then, what signals ask for.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result};
use futures_util::future::select_all;
use tokio::time::{Instant, timeout_at};
use tracing::{error, info, warn};

use crate::compose::{Process, Server};
use crate::reload::Reload;

/// For a listener that comes after one that used up the whole grace; without requests it needs no more.
const LAST_MOMENT: Duration = Duration::from_millis(250);

/// Serves until a signal, or until a listener breaks, and then stops in order.
///
/// SIGTERM or Ctrl-C: readiness says no; after the drain delay nothing new is accepted, what is in flight ends,
/// jobs end, databases are closed. A second signal ends it at once. SIGHUP reloads the configuration where there is
/// a `reload`, and ends the process like any other where there is none.
pub async fn until_stopped(
    mut process: Process,
    mut signals: Signals,
    reload: Option<Reload>,
) -> Result<ExitCode> {
    let mut broken = select_all(process.servers.iter_mut().map(|server| &mut server.task));
    loop {
        tokio::select! {
            asked = signals.next() => match (asked, &reload) {
                (Asked::Reload, Some(reload)) => reload.run(),
                (Asked::Reload, None) => {}
                (Asked::Stop(name), _) => {
                    info!("Stopping after {name}");
                    break;
                }
            },
            (outcome, ..) = &mut broken => {
                error!(?outcome, "A listener ended by itself");
                return Ok(ExitCode::FAILURE);
            }
        }
    }
    drop(broken);
    tokio::select! {
        cut = stop(process) => Ok(conclude(&cut)),
        name = signals.next_stop() => {
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
/// private one on their way through other processes, then that. Jobs are asked to end before, and awaited after: the
/// connections to PostgreSQL that a listener's threads have opened end with those threads.
pub(crate) async fn stop(process: Process) -> Vec<String> {
    let whole = Duration::from_millis(process.settings.forced_ms);
    let grace = Duration::from_millis(process.settings.grace_ms);
    process.drain();
    tokio::time::sleep(Duration::from_millis(process.settings.drain_delay_ms)).await;
    let started = Instant::now();
    let end = started + whole.saturating_sub(Duration::from_millis(process.settings.drain_delay_ms));

    let Process { servers, jobs, stop, stores, .. } = process;
    stop.cancel();
    let mut cut = Vec::new();
    for server in servers {
        cut.extend(stop_server(server, started + grace).await);
    }
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

/// What a signal asks for.
enum Asked {
    Stop(&'static str),
    Reload,
}

/// What asks a process for something. To be listened to before anybody is told that it runs: until then a signal does
/// what it does by itself.
pub struct Signals {
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
    /// None where a hangup is to end us, as it does by itself.
    #[cfg(unix)]
    hangup: Option<tokio::signal::unix::Signal>,
}

impl Signals {
    async fn next_stop(&mut self) -> &'static str {
        loop {
            if let Asked::Stop(name) = self.next().await {
                return name;
            }
        }
    }
}

#[cfg(unix)]
impl Signals {
    /// `reloads`: SIGHUP is one of them.
    pub fn listen(reloads: bool) -> Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        let terminate = signal(SignalKind::terminate()).context("cannot listen for SIGTERM")?;
        let interrupt = signal(SignalKind::interrupt()).context("cannot listen for SIGINT")?;
        let hangup = reloads.then(|| signal(SignalKind::hangup())).transpose();
        Ok(Self { terminate, interrupt, hangup: hangup.context("cannot listen for SIGHUP")? })
    }

    async fn next(&mut self) -> Asked {
        let hangup = async {
            match &mut self.hangup {
                Some(hangup) => hangup.recv().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = self.terminate.recv() => Asked::Stop("SIGTERM"),
            _ = self.interrupt.recv() => Asked::Stop("SIGINT"),
            _ = hangup => Asked::Reload,
        }
    }
}

#[cfg(not(unix))]
impl Signals {
    pub fn listen(_reloads: bool) -> Result<Self> {
        Ok(Self {})
    }

    async fn next(&mut self) -> Asked {
        let _ = tokio::signal::ctrl_c().await;
        Asked::Stop("Ctrl-C")
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
        (url, Server { name, handle, task: tokio::spawn(server), _socket: None })
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
            placements: std::sync::Arc::new(crate::placement::Placements::new(
                service_registry::Registry::builder().build().unwrap(),
                &crate::config::Settings::load(&crate::config::Overrides::default()).unwrap(),
            )),
            tls: None,
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
