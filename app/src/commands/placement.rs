//! Shows and moves services of a running process, over its private listener.

mod advise;

use std::io;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use comfy_table::Table;
use reqwest::{Method, RequestBuilder, Response, Url};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use service_registry::{Fallback, Guard, Percent, Placement, Side};
use service_registry_http::ServiceSigner;

use super::say::say;
use super::{client, report};
use crate::certificates;
use crate::cli::{self, OfPlacement, Operated, SetPlacement};
use crate::config::{OPERATOR, Settings};
use crate::internal::OPERATIONS;
use crate::keys;
use crate::placement::{Change, Shown};

/// A process answers at once or not at all.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Does what the command line says, as the operator.
pub(super) async fn run(command: cli::Placement) -> Result<ExitCode> {
    match command.of {
        OfPlacement::Show { service, at } => show(&Private::of(&at)?, service.as_deref(), at.json).await?,
        OfPlacement::Set { wanted, at } => set(&Private::of(&at)?, wanted, at.json).await?,
        OfPlacement::Advise { at } => advise::run(&Private::of(&at)?, at.json).await?,
    }
    Ok(ExitCode::SUCCESS)
}

async fn show(process: &Private, service: Option<&str>, json: bool) -> Result<()> {
    let shown = match service {
        Some(service) => vec![process.service(service).await?],
        None => process.services().await?,
    };
    match json {
        true => say!("{}", serde_json::to_string_pretty(&shown)?),
        false => say!("{}", table_of(&shown)),
    }
    Ok(())
}

fn table_of(services: &[Shown]) -> Table {
    let mut table = report::table(&["service", "placement", "elsewhere", "since", "by"]);
    for Shown { placed, changes, .. } in services {
        let since = changes
            .last()
            .map_or_else(String::new, |change| change.at.format("%Y-%m-%d %H:%M:%S UTC").to_string());
        let by = match (&placed.rolled_back, changes.last()) {
            (Some(back), _) => format!("its guard: {}", back.reason),
            (None, Some(change)) => change.who.clone(),
            (None, None) => "configuration".to_owned(),
        };
        let endpoints = placed.endpoints.iter().map(|it| format!("{} ({})", it.url, it.breaker));
        let elsewhere = endpoints.collect::<Vec<_>>().join("\n");
        table.add_row([placed.name.clone(), placed.placement.to_string(), elsewhere, since, by]);
    }
    table
}

async fn set(process: &Private, wanted: SetPlacement, json: bool) -> Result<()> {
    let now = process.service(&wanted.service).await?;
    let path = format!("/placement/{}", wanted.service);
    let placement = wanted.over(&now)?;
    let body = serde_json::to_vec(&placement)?;
    let change: Change = process.ask(Method::PUT, &path, Some(body)).await?;
    match json {
        true => say!("{}", serde_json::to_string_pretty(&change)?),
        false => say!("{change}"),
    }
    Ok(())
}

impl SetPlacement {
    /// The placement that is wanted of a service that is as `now`.
    fn over(self, now: &Shown) -> Result<Placement> {
        let Placement { urls, fallback, guard, shadow, .. } = now.placed.placement.clone();
        let urls = if urls.is_empty() { now.configured.urls.clone() } else { urls };
        let side: Side = word(&self.side)?;
        let asked_guard = self.guard_over(guard)?;
        let goes_out = side != Side::Local;
        Ok(Placement {
            side,
            share: self.share.map(Percent::try_from).transpose().context("--share")?.unwrap_or_default(),
            urls: if self.urls.is_empty() { urls } else { self.urls },
            // What is left from before is dropped where it could not apply; what is asked for now is not.
            fallback: match self.fallback {
                Some(asked) => word(&asked)?,
                None if goes_out => fallback,
                None => Fallback::None,
            },
            guard: asked_guard,
            shadow: self.shadow.map_or(shadow, |asked| asked == "on"),
        })
    }

    fn guard_over(&self, before: Option<Guard>) -> Result<Option<Guard>> {
        let asks = self.guard_error_percent.is_some() || self.guard_p99_ms.is_some();
        if !asks {
            return Ok(before.filter(|_| self.side != "local"));
        }
        let mut guard = before.unwrap_or_default();
        if let Some(percent) = self.guard_error_percent {
            let percent = Percent::try_from(percent).context("--guard-error-percent")?;
            guard.error_percent = Some(percent).filter(|percent| *percent > Percent::NONE);
        }
        if let Some(ms) = self.guard_p99_ms {
            guard.p99_ms = Some(ms).filter(|ms| *ms > 0);
        }
        let is_set = guard.error_percent.is_some() || guard.p99_ms.is_some();
        Ok(is_set.then_some(guard))
    }
}

/// What a word stands for on the wire.
fn word<T: DeserializeOwned>(word: &str) -> Result<T> {
    Ok(serde_json::from_value(word.into())?)
}

/// The private listener of a running process.
pub(super) struct Private {
    base: Url,
    http: reqwest::Client,
    /// Whether we show a certificate.
    tls: bool,
    signer: ServiceSigner,
}

impl Private {
    pub(super) fn of(at: &Operated) -> Result<Self> {
        let settings = Settings::of_another(at.common.overrides())?;
        let tls = certificates::of_operator(&settings)?;
        let base = match &at.at {
            Some(url) => url.clone(),
            None => {
                let scheme = if tls.is_some() { "https" } else { "http" };
                format!("{scheme}://{}", settings.private_address()?)
            }
        };
        let base = Url::parse(&base).with_context(|| format!("--at {base}"))?;
        let pair = keys::operator(&settings).context("cannot sign as the operator")?;
        let http = reqwest::Client::builder().user_agent(crate::NAME).no_proxy().timeout(TIMEOUT);
        let http = match (&tls, base.scheme()) {
            // Whoever answers has to show that it is one of ours; which one of them, an address does not say.
            (Some(tls), "https") => {
                http.tls_backend_preconfigured(tls.client_config_for_any(keys::service_names()))
            }
            (Some(_), _) => bail!("--at {base} should be https://: private.tls is set"),
            (None, "https") => http,
            (None, _) => http.tls_certs_only([]),
        };
        let (http, signer) = (http.build()?, ServiceSigner::new(OPERATOR, &pair));
        Ok(Self { base, http, tls: tls.is_some(), signer })
    }

    async fn services(&self) -> Result<Vec<Shown>> {
        #[derive(Deserialize)]
        struct All {
            services: Vec<Shown>,
        }
        Ok(self.ask::<All>(Method::GET, "/placement", None).await?.services)
    }

    async fn service(&self, name: &str) -> Result<Shown> {
        self.ask(Method::GET, &format!("/placement/{name}"), None).await
    }

    /// Where it is.
    pub(super) fn url(&self) -> String {
        self.base.as_str().trim_end_matches('/').to_owned()
    }

    /// Goes there and back, for the sake of the way.
    async fn touch(&self) -> Result<()> {
        let mut url = self.base.clone();
        url.set_path("/health/live");
        self.send(self.http.get(url)).await?.bytes().await?;
        Ok(())
    }

    pub(super) async fn ask<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Option<Vec<u8>>,
    ) -> Result<T> {
        let token = self.signer.token(OPERATIONS)?;
        let mut url = self.base.clone();
        url.set_path(path);
        let mut request = self.http.request(method, url).bearer_auth(token);
        if let Some(body) = body {
            request = request.header("content-type", "application/json").body(body);
        }
        client::answer(self.send(request).await?).await
    }

    async fn send(&self, request: RequestBuilder) -> Result<Response> {
        let sent = request.send().await;
        sent.map_err(|error| {
            let guess = guess(&error, self.tls);
            anyhow::Error::new(error).context(format!("no answer from {}{guess}", self.base))
        })
    }
}

/// What may be the matter where somebody is there who does not speak as we do.
fn guess(error: &reqwest::Error, tls: bool) -> &'static str {
    let said = anyhow::Chain::new(error).find_map(|error| said_by_tls(error.downcast_ref()?));
    match said {
        Some(rustls::Error::InvalidMessage(_)) => " (it does not speak TLS)",
        Some(_) if !tls => " (private.tls is not set here)",
        Some(rustls::Error::AlertReceived(_)) => " (it does not take our certificate)",
        Some(_) => " (its certificate is no good to us)",
        None if error.is_connect() || error.is_timeout() => "",
        // What it said may be lost when it closes the connection right away.
        None if tls => " (does it take our certificate?)",
        None => " (does it want TLS? private.tls is not set here)",
    }
}

/// An error of TLS travels in one of the connection, and that in another one of the same kind.
fn said_by_tls(error: &io::Error) -> Option<&rustls::Error> {
    let inner = error.get_ref()?;
    inner.downcast_ref().or_else(|| said_by_tls(inner.downcast_ref()?))
}
