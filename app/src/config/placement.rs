//! Where each service is placed: the words of `[services.NAME]` as a placement, and what could never apply.

use std::fmt;
use std::path::Path;
use std::time::Duration;

use service_registry::{Fallback, Guard, Network, Percent, Placement, ServiceDescriptor, Side, socket_of};

use super::{Faults, ServiceSettings, Settings};
use crate::modules;

/// What is wrong with such a URL beside certificates.
pub(super) const IN_THE_CLEAR: &str = "must be https://: with private.tls, nobody answers anything else";

impl Settings {
    /// Where `service` is placed, as it is set. Only to be asked of settings without faults.
    pub fn placement(&self, service: &ServiceDescriptor) -> Placement {
        let Some(own) = self.service(service.name) else { return Placement::default() };
        let urls = self.service_urls(service.name);
        let elsewhere = !self.runs(service.name);
        // In development a neighbour is where it is by default.
        let urls = match urls.is_empty() && elsewhere {
            true => {
                let scheme = if self.tls_files().is_some() { "https" } else { "http" };
                vec![format!("{scheme}://127.0.0.1:{}", service.default_port)]
            }
            false => urls,
        };
        Placement {
            side: own.side().unwrap_or(if elsewhere { Side::Remote } else { Side::Local }),
            share: Percent::try_from(own.share).unwrap_or_default(),
            urls,
            fallback: if own.fallback == "local" { Fallback::Local } else { Fallback::None },
            guard: own.guard(),
            shadow: own.shadow,
        }
    }

    /// What speaks against `placement` in a process with these settings, apart from what the registry looks at: a JSON
    /// Pointer into the placement, and words.
    pub(crate) fn faults_of_placement(
        &self,
        service: &ServiceDescriptor,
        placement: &Placement,
    ) -> Vec<(&'static str, String)> {
        let mut faults = Vec::new();
        if placement.side == Side::Local && !placement.shadow {
            return faults;
        }
        if placement.urls.iter().any(|url| self.is_this_process(url)) {
            faults.push(("/urls", "is the private listener of this very process".to_owned()));
        }
        if placement.urls.iter().any(|url| self.is_in_the_clear(url)) {
            faults.push(("/urls", IN_THE_CLEAR.to_owned()));
        }
        let shared = self.database_url().is_ok_and(|url| url.expose().is_some());
        if self.runs(service.name) && !shared {
            let name = service.name;
            let what = format!(
                "{name} runs here too, on an SQLite file of its own: what is written elsewhere would be missing \
                 here. Both sides need one PostgreSQL database (database.url)"
            );
            faults.push(("/side", what));
        }
        faults
    }
}

impl ServiceSettings {
    /// The side that is set; none where it is left open, or no such side.
    fn side(&self) -> Option<Side> {
        match self.placement.as_str() {
            "local" => Some(Side::Local),
            "remote" => Some(Side::Remote),
            "split" => Some(Side::Split),
            _ => None,
        }
    }

    /// The network that is simulated before it, if one is set.
    pub(crate) fn network(&self) -> Option<Network> {
        let network = Network {
            latency: Duration::try_from_secs_f64(self.simulate_latency_ms / 1_000.0).unwrap_or_default(),
            loss: self.simulate_loss_percent / 100.0,
        };
        Some(network).filter(|network| *network != Network::default())
    }

    fn guard(&self) -> Option<Guard> {
        let error_percent = Percent::try_from(self.guard_error_percent).ok().filter(|it| *it > Percent::NONE);
        let p99_ms = Some(self.guard_p99_ms).filter(|ms| *ms > 0);
        let is_set = error_percent.is_some() || p99_ms.is_some();
        is_set.then_some(Guard { error_percent, p99_ms, ..Guard::default() })
    }

    /// The words for a guard that are set.
    fn guard_words(&self) -> impl Iterator<Item = &'static str> {
        let words = [
            ("guard_error_percent", self.guard_error_percent != 0.0),
            ("guard_p99_ms", self.guard_p99_ms > 0),
        ];
        words.into_iter().filter_map(|(word, is_set)| is_set.then_some(word))
    }
}

/// Notes what is no placement, and such as could never apply here.
pub(super) fn check(settings: &Settings, faults: &mut Faults) {
    for service in modules::ALL {
        let Some(own) = settings.service(service.name) else { continue };
        let mut fault = |key: &str, what: &dyn fmt::Display| {
            faults.add(format_args!("services.{}.{key}", service.name), what);
        };
        check_words(own, &mut fault);
        if own.network().is_some()
            && (settings.placement(service).side != Side::Local || settings.is_production())
        {
            let what = "is to try a move of a service that is placed local here, and never for production";
            fault("simulate_latency_ms", &what);
        }
        match settings.runs(service.name) {
            true => check_here(settings, service, own, &mut fault),
            false => check_elsewhere(service, own, &mut fault),
        }
    }
}

fn check_words(own: &ServiceSettings, fault: &mut impl FnMut(&str, &dyn fmt::Display)) {
    if !own.placement.is_empty() && own.side().is_none() {
        fault("placement", &"must be \"local\", \"remote\", \"split\" or empty");
    }
    if !["", "none", "local"].contains(&own.fallback.as_str()) {
        fault("fallback", &"must be \"none\", \"local\" or empty");
    }
    if Percent::try_from(own.share).is_err() {
        fault("share", &"must be 0 to 100 with at most one decimal");
    } else if own.share != 0.0 && own.side() != Some(Side::Split) {
        fault("share", &"is for the placement \"split\" alone");
    }
    if !(0.0..=10_000.0).contains(&own.simulate_latency_ms) {
        fault("simulate_latency_ms", &"must be 0 to 10000");
    }
    if !(0.0..=100.0).contains(&own.simulate_loss_percent) {
        fault("simulate_loss_percent", &"must be 0 to 100");
    }
    if Percent::try_from(own.guard_error_percent).is_err() {
        fault("guard_error_percent", &"must be 0 to 100 with at most one decimal");
    }
}

fn check_here(
    settings: &Settings,
    service: &ServiceDescriptor,
    own: &ServiceSettings,
    fault: &mut impl FnMut(&str, &dyn fmt::Display),
) {
    let name = service.name;
    let placement = settings.placement(service);
    if placement.side == Side::Local {
        if placement.fallback == Fallback::Local {
            fault("fallback", &format_args!("{name} is placed local already, so this could never apply"));
        }
        for word in own.guard_words() {
            fault(word, &format_args!("{name} is placed local, and a guard looks at calls elsewhere"));
        }
        if !placement.shadow {
            return;
        }
    }
    if placement.urls.is_empty() {
        fault("url", &format_args!("{name} has calls that go elsewhere, so it has to say where"));
    }
    for (pointer, what) in settings.faults_of_placement(service, &placement) {
        fault(if pointer == "/urls" { "url" } else { "placement" }, &what);
    }
}

fn check_elsewhere(
    service: &ServiceDescriptor,
    own: &ServiceSettings,
    fault: &mut impl FnMut(&str, &dyn fmt::Display),
) {
    let here = format_args!("needs {} in this process, and it does not run here", service.name).to_string();
    if matches!(own.side(), Some(Side::Local | Side::Split)) {
        fault("placement", &here);
    }
    if own.fallback == "local" {
        fault("fallback", &here);
    }
    if own.shadow {
        fault("shadow", &here);
    }
    for word in own.guard_words() {
        fault(word, &format_args!("a guard puts calls back here: {here}"));
    }
}

impl Settings {
    /// Whether calls to `url` would do without the certificates that are set.
    pub(super) fn is_in_the_clear(&self, url: &str) -> bool {
        self.tls_files().is_some() && !url.starts_with("https://")
    }

    /// Whether `url` leads to our own private listener, as far as an address tells.
    fn is_this_process(&self, url: &str) -> bool {
        if let Some(path) = socket_of(url) {
            return self.private_socket() == Some(Path::new(path));
        }
        let ours = self.private_address().map(|address| address.to_string());
        let authority = url.split_once("://").map_or("", |(_, rest)| rest.trim_end_matches('/'));
        ours.is_ok_and(|ours| ours == authority.replace("localhost", "127.0.0.1"))
    }
}
