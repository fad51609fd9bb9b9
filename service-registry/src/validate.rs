//! Everything that can be wrong with a set of services and their placement, named all at once.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::placement::{Fallback, Guard, Percent, Placement, Side, check_url};
use crate::routes::Pattern;
use crate::service::{Calls, ServiceDescriptor};

/// One thing that is wrong, in words an operator can act on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    #[error("service {0} is listed twice")]
    DuplicateService(&'static str),
    #[error("route {route} is owned by both {first} and {second}")]
    DuplicateRoute { route: &'static str, first: &'static str, second: &'static str },
    #[error("route {route} of {service} {problem}")]
    BadRoute { service: &'static str, route: &'static str, problem: &'static str },
    #[error("{caller} calls {service}, which is not listed")]
    UnknownCallee { caller: &'static str, service: &'static str },
    #[error("{caller} calls {service}.{method}, and {service} has no such method")]
    UnknownMethod { caller: &'static str, service: &'static str, method: &'static str },
    #[error("services depend on each other in a circle: {}", .0.join(" → "))]
    CircularDependency(Vec<&'static str>),
    #[error("placement names {0}, which is not a service")]
    UnknownPlacement(String),
    #[error("service {0} needs a url: another process shall answer calls of it")]
    MissingUrl(String),
    #[error("service {service} cannot be placed {placement}: it does not run in this process")]
    NotHere { service: String, placement: Box<Placement> },
    #[error("service {0} has a share and is not split")]
    ShareWithoutSplit(String),
    #[error("service {service} has {what} and is placed local: nothing of it goes elsewhere")]
    LocalOnly { service: String, what: &'static str },
    #[error("the guard of service {service} {problem}")]
    BadGuard { service: String, problem: &'static str },
    #[error("url {url} of remote service {service} {problem}")]
    BadUrl { service: String, url: String, problem: &'static str },
    #[error("no transport to {service} at {url}: {problem}")]
    NoTransport { service: String, url: String, problem: String },
}

/// All that is wrong; never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Faults(pub Vec<Fault>);

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines: Vec<String> = self.0.iter().map(Fault::to_string).collect();
        f.write_str(&lines.join("; "))
    }
}

impl std::error::Error for Faults {}

/// Finds every fault of the services and their placement.
pub(crate) fn validate(
    services: &[ServiceDescriptor],
    callers: &[(&'static str, Calls)],
    placements: &BTreeMap<String, Placement>,
    runs: &BTreeSet<String>,
) -> Vec<Fault> {
    let mut faults = duplicate_services(services);
    faults.extend(route_faults(services));
    let calls = services.iter().map(|service| (service.name, service.calls)).chain(callers.iter().copied());
    faults.extend(calls.flat_map(|(caller, calls)| call_faults(services, caller, calls)));
    faults.extend(cycles(services).into_iter().map(Fault::CircularDependency));
    faults.extend(placements.iter().flat_map(|(name, placement)| {
        let here = placement.side == Side::Local || runs.contains(name);
        placement_faults(services, name, placement, Home { here, way_back: here })
    }));
    faults
}

fn duplicate_services(services: &[ServiceDescriptor]) -> Vec<Fault> {
    let mut seen = BTreeSet::new();
    let mut told = BTreeSet::new();
    services
        .iter()
        .filter(|service| !seen.insert(service.name) && told.insert(service.name))
        .map(|service| Fault::DuplicateService(service.name))
        .collect()
}

fn route_faults(services: &[ServiceDescriptor]) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut owners: Vec<(Pattern, &'static str)> = Vec::new();
    for service in services {
        for route in service.routes {
            match Pattern::parse(route) {
                Err(problem) => faults.push(Fault::BadRoute { service: service.name, route, problem }),
                Ok(pattern) => match owners.iter().find(|(known, _)| *known == pattern) {
                    Some((_, first)) => {
                        faults.push(Fault::DuplicateRoute { route, first, second: service.name });
                    }
                    None => owners.push((pattern, service.name)),
                },
            }
        }
    }
    faults
}

/// What `caller` wants to call and is not there.
fn call_faults(services: &[ServiceDescriptor], caller: &'static str, calls: Calls) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (service, methods) in calls {
        let Some(callee) = services.iter().find(|known| known.name == *service) else {
            faults.push(Fault::UnknownCallee { caller, service });
            continue;
        };
        let unknown =
            methods.iter().filter(|method| !callee.methods.iter().any(|known| known.name == **method));
        faults.extend(unknown.map(|method| Fault::UnknownMethod { caller, service, method }));
    }
    faults
}

/// Every circle once, written from the service that is listed first back to itself.
fn cycles(services: &[ServiceDescriptor]) -> Vec<Vec<&'static str>> {
    let mut found = Vec::new();
    for start in services {
        walk(services, &mut vec![start.name], &mut found);
    }
    found
}

/// Follows each path from `path[0]`. A service listed before the start ends a path: a circle through it has
/// been told already, from there.
fn walk(services: &[ServiceDescriptor], path: &mut Vec<&'static str>, found: &mut Vec<Vec<&'static str>>) {
    let position = |name: &str| services.iter().position(|service| service.name == name);
    let Some(last) = path.last().and_then(|name| position(name)) else { return };
    for dependency in services[last].depends_on() {
        if dependency == path[0] {
            let mut cycle = path.clone();
            cycle.push(dependency);
            if !found.contains(&cycle) {
                found.push(cycle);
            }
        } else if !path.contains(&dependency) && position(dependency) > position(path[0]) {
            path.push(dependency);
            walk(services, path, found);
            path.pop();
        }
    }
}

/// What a process can do for a service by itself.
#[derive(Clone, Copy)]
pub(crate) struct Home {
    /// Whether it has the service.
    pub(crate) here: bool,
    /// Whether there is something that a guard can roll back to.
    pub(crate) way_back: bool,
}

/// Everything about a placement that cannot apply.
pub(crate) fn placement_faults(
    services: &[ServiceDescriptor],
    name: &str,
    placement: &Placement,
    home: Home,
) -> Vec<Fault> {
    if !services.iter().any(|service| service.name == name) {
        return vec![Fault::UnknownPlacement(name.to_owned())];
    }
    let mut faults = url_faults(name, placement);
    let service = name.to_owned();
    if placement.stays_in() && !home.here {
        let placement = Box::new(placement.clone());
        faults.push(Fault::NotHere { service: service.clone(), placement });
    }
    if placement.side != Side::Split && placement.share != Percent::NONE {
        faults.push(Fault::ShareWithoutSplit(service.clone()));
    }
    if placement.side == Side::Local {
        let told =
            [(placement.fallback == Fallback::Local, "a fallback"), (placement.guard.is_some(), "a guard")];
        let told = told.into_iter().filter(|(has, _)| *has);
        faults.extend(told.map(|(_, what)| Fault::LocalOnly { service: service.clone(), what }));
    }
    let guard = placement.guard.as_ref().and_then(|guard| guard_problem(guard, home.way_back));
    faults.extend(guard.map(|problem| Fault::BadGuard { service, problem }));
    faults
}

fn url_faults(name: &str, placement: &Placement) -> Vec<Fault> {
    if placement.goes_out() && placement.urls.iter().all(String::is_empty) {
        return vec![Fault::MissingUrl(name.to_owned())];
    }
    let fault = |url: &String| {
        let problem = check_url(url).err()?;
        Some(Fault::BadUrl { service: name.to_owned(), url: url.clone(), problem })
    };
    placement.urls.iter().filter_map(fault).collect()
}

fn guard_problem(guard: &Guard, way_back: bool) -> Option<&'static str> {
    match guard {
        Guard { error_percent: None, p99_ms: None, .. } => Some("has no limit: give error_percent or p99_ms"),
        Guard { error_percent: Some(Percent::ALL), p99_ms: None, .. } => {
            Some("can never be breached: error_percent is 100")
        }
        Guard { p99_ms: Some(0), .. } => Some("has a p99_ms of 0: no call is that fast"),
        Guard { window_ms: 0, .. } => Some("looks back for 0 ms"),
        Guard { least_calls: 0, .. } => Some("judges after 0 calls"),
        _ if !way_back => Some("has nothing to roll back to: the service does not run in this process"),
        _ => None,
    }
}
