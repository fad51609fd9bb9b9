//! Who may call what: a table, and what is not in it is refused.

use std::collections::{BTreeMap, BTreeSet};

use crate::error::CallError;
use crate::service::{Calls, ServiceDescriptor};

/// Which methods of which service each caller may call.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Permissions {
    rows: BTreeMap<&'static str, BTreeMap<&'static str, BTreeSet<&'static str>>>,
}

impl Permissions {
    /// Why a call that is not in the table is refused, wherever it is.
    pub const REFUSAL: &str = "a method that this service may not call";

    /// What `services` say that they call, and what `others` do, who call and are no service.
    pub fn of(services: &[ServiceDescriptor], others: &[(&'static str, Calls)]) -> Self {
        let mut permissions = Self::default();
        let services = services.iter().map(|service| (service.name, service.calls));
        for (caller, calls) in services.chain(others.iter().copied()) {
            for (service, methods) in calls {
                permissions.row(caller, service).extend(*methods);
            }
        }
        permissions
    }

    fn row(&mut self, caller: &'static str, service: &'static str) -> &mut BTreeSet<&'static str> {
        self.rows.entry(caller).or_default().entry(service).or_default()
    }

    /// Each service may also call itself: placed on two sides, it is in two processes.
    pub fn allow(&self, caller: &str, service: &str, method: &str) -> bool {
        if caller == service {
            return true;
        }
        let methods = self.rows.get(caller).and_then(|services| services.get(service));
        methods.is_some_and(|methods| methods.contains(method))
    }

    /// What a call to `service` that is not in the table ends with.
    #[cold]
    pub(crate) fn refusal(service: &str) -> CallError {
        CallError::refused(format!("{} (call to {service})", Self::REFUSAL))
    }

    /// Caller, service and method of everything that is allowed, in the order of the alphabet.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
        self.rows.iter().flat_map(|(caller, services)| {
            services.iter().flat_map(move |(service, methods)| {
                methods.iter().map(move |method| (*caller, *service, *method))
            })
        })
    }
}
