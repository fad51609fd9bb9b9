//! What no single value can tell: settings that do not go together, or not with production.

use service_registry::check_url;

use super::{Environment, Faults, GATEWAY, Mode, Settings, calls, placement};
use crate::edge::Network;
use crate::{certificates, keys, modules};

/// Notes every fault of settings that could at least be read.
pub(super) fn check(settings: &Settings, faults: &mut Faults) {
    check_words(settings, faults);
    certificates::check(settings, faults);
    if settings.environment == Environment::Production {
        refuse_what_is_only_good_for_a_desk(settings, faults);
    }
}

/// The same as far as it shows without the keys and certificates of the process.
pub(super) fn check_words(settings: &Settings, faults: &mut Faults) {
    check_modules(settings, faults);
    check_addresses(settings, faults);
    check_tls(settings, faults);
    calls::check(settings, faults);
    placement::check(settings, faults);
    check_edge(settings, faults);
    check_identity(settings, faults);
    check_times(settings, faults);
    check_database(settings, faults);
}

fn check_modules(settings: &Settings, faults: &mut Faults) {
    for (at, name) in settings.modules.iter().enumerate() {
        if name != GATEWAY && modules::descriptor(name).is_none() {
            let known: Vec<_> = modules::ALL.iter().map(|module| module.name).collect();
            faults.add("modules", format_args!("{name:?} is none of gateway, {}", known.join(", ")));
        }
        if settings.modules[..at].contains(name) {
            faults.add("modules", format_args!("{name:?} stands there twice"));
        }
    }
    if settings.modules.is_empty() {
        faults.add("modules", "nothing is to run here; name it with --module NAME");
    }
    let needed = modules::ALL.iter().filter(|module| settings.runs(module.name) || settings.runs(GATEWAY));
    for module in needed.filter(|module| !modules::BUILT.contains(&module.name)) {
        faults.add("modules", format_args!("this binary was built without {}", module.name));
    }
    if settings.mode == Mode::Monolith {
        for name in [GATEWAY].into_iter().chain(modules::ALL.iter().map(|module| module.name)) {
            if !settings.runs(name) {
                faults.add("modules", format_args!("a monolith runs everything, but {name:?} is missing"));
            }
        }
    }
}

fn check_addresses(settings: &Settings, faults: &mut Faults) {
    if let Err(error) = settings.private_address() {
        faults.add("private.listen", error);
    }
    for module in modules::ALL {
        for url in settings.service_urls(module.name) {
            if let Err(problem) = check_url(&url) {
                faults.add(format_args!("services.{}.url", module.name), problem);
            } else if !settings.runs(module.name) && settings.is_in_the_clear(&url) {
                faults.add(format_args!("services.{}.url", module.name), placement::IN_THE_CLEAR);
            }
        }
    }
    check_socket(settings, faults);
    let (public, private) = (&settings.public, &settings.private);
    for (listener, workers, max_connections) in [
        ("public", public.workers, public.max_connections),
        ("private", private.workers, private.max_connections),
    ] {
        if !(1..=64).contains(&workers) {
            faults.add(format_args!("{listener}.workers"), "must be 1 to 64");
        }
        if max_connections < workers {
            // Each worker gets its share, and a share of none would never accept anybody.
            faults.add(format_args!("{listener}.max_connections"), "must not be below workers");
        }
    }
}

fn check_tls(settings: &Settings, faults: &mut Faults) {
    let tls = &settings.private.tls;
    let is_set = [&tls.cert_file, &tls.key_file, &tls.ca_file].map(|file| !file.as_os_str().is_empty());
    if is_set.contains(&true) && is_set.contains(&false) {
        faults.add("private.tls", "needs cert_file, key_file and ca_file, or none of them");
    }
}

fn check_socket(settings: &Settings, faults: &mut Faults) {
    let Some(path) = settings.private_socket() else { return };
    if let Err(problem) = check_url(&format!("unix://{}", path.display())) {
        faults.add("private.socket", problem);
    }
    if settings.tls_files().is_some() {
        let what = "cannot be had together with private.tls: nobody shows a certificate on a socket";
        faults.add("private.socket", what);
    }
}

fn check_edge(settings: &Settings, faults: &mut Faults) {
    let edge = &settings.edge;
    for origin in &edge.cors_origins {
        let host = origin.split_once("://").map_or("", |(_, host)| host);
        if origin != "*" && (host.is_empty() || host.contains('/')) {
            faults.add(
                "edge.cors_origins",
                format_args!("{origin:?} is not an origin such as \"https://money.example\""),
            );
        }
        if origin == "*" {
            faults.add("edge.cors_origins", "\"*\" would let any page call the API; name the origins");
        }
    }
    for proxy in &edge.trusted_proxies {
        if proxy.parse::<Network>().is_err() {
            faults.add("edge.trusted_proxies", format_args!("{proxy:?} is neither an address nor a network"));
        }
    }
    let rates = [
        ("default", edge.rate.default),
        ("address", edge.rate.address),
        ("login", edge.rate.login),
        ("refresh", edge.rate.refresh),
    ];
    for (name, rate) in rates {
        if rate.quota == 0 || rate.window_s == 0 {
            faults.add(format_args!("edge.rate.{name}"), "quota and window_s must be at least 1");
        }
    }
    if settings.connections.upload_limit_bytes < edge.body_limit_bytes {
        faults.add("connections.upload_limit_bytes", "must not be below edge.body_limit_bytes");
    }
}

/// What identity would refuse at start, said with everything else that is wrong.
fn check_identity(settings: &Settings, faults: &mut Faults) {
    let identity = &settings.identity;
    for (key, broken, what) in [
        ("identity.issuer", identity.issuer.is_empty(), "must not be empty"),
        ("identity.access_token_s", !(60..=900).contains(&identity.access_token_s), "must be 60 to 900"),
        ("identity.idle_session_days", !(1..=90).contains(&identity.idle_session_days), "must be 1 to 90"),
        (
            "identity.session_days",
            identity.session_days < identity.idle_session_days,
            "must not be less than idle_session_days",
        ),
        ("identity.refresh_grace_s", identity.refresh_grace_s > 60, "must be 0 to 60"),
    ] {
        if broken {
            faults.add(key, what);
        }
    }
}

fn check_times(settings: &Settings, faults: &mut Faults) {
    let edge = &settings.edge;
    for (key, value) in [
        ("edge.deadline_ms", edge.deadline_ms),
        ("edge.upload_deadline_ms", edge.upload_deadline_ms),
        ("edge.header_timeout_ms", edge.header_timeout_ms),
        ("edge.idle_timeout_ms", edge.idle_timeout_ms),
        ("connections.file_retention_s", settings.connections.file_retention_s),
        ("connections.preview_retention_s", settings.connections.preview_retention_s),
        ("connections.archive_files", settings.connections.archive_files as u64),
        ("connections.archive_ratio", settings.connections.archive_ratio),
        ("connections.at_once", settings.connections.at_once as u64),
        ("connections.lease_ms", settings.connections.lease_ms),
    ] {
        if value == 0 {
            faults.add(key, "must be at least 1");
        }
    }
    let stop = &settings.shutdown;
    if stop.forced_ms < stop.drain_delay_ms.saturating_add(stop.grace_ms) {
        faults.add("shutdown.forced_ms", "must not be below drain_delay_ms and grace_ms together");
    }
}

fn check_database(settings: &Settings, faults: &mut Faults) {
    let url = match settings.database_url() {
        Ok(url) => url,
        Err(error) => return faults.add("database.url_file", error),
    };
    if settings.database.max_connections == 0 {
        faults.add("database.max_connections", "must be at least 1");
    }
    let Some(text) = url.expose() else { return };
    if !text.starts_with("postgres://") && !text.starts_with("postgresql://") {
        faults.add("database.url", "must be postgres://… or empty for SQLite in data_dir");
    }
    if settings.environment == Environment::Production && !url.is_local() && !url.wants_tls() {
        faults.add(
            "database.url",
            "a database on another machine needs TLS in production: sslmode=verify-full",
        );
    }
}

fn refuse_what_is_only_good_for_a_desk(settings: &Settings, faults: &mut Faults) {
    if !settings.identity.issuer.starts_with("https://") {
        faults.add("identity.issuer", "production needs an https URL");
    }
    if settings.edge.docs && settings.runs(GATEWAY) {
        faults.add("edge.docs", "production does not show the documentation; set false");
    }
    for origin in settings.edge.cors_origins.iter().filter(|origin| origin.starts_with("http://")) {
        faults.add("edge.cors_origins", format_args!("{origin:?} is not https"));
    }
    for module in settings.neighbours().filter(|module| settings.service_urls(module.name).is_empty()) {
        faults.add(
            format_args!("services.{}.url", module.name),
            "production needs it: the service runs elsewhere",
        );
    }
    keys::check_present(settings, faults);
}
