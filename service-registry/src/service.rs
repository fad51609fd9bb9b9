//! What the registry must know of a service before anybody calls it.

use crate::contract::Method;

/// Services by name, and those of their methods that somebody calls.
pub type Calls = &'static [(&'static str, &'static [&'static str])];

/// A service by name; each api crate exports one as `SERVICE`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServiceDescriptor {
    pub name: &'static str,
    pub version: u32,
    /// What can be called: the methods of its contract.
    pub methods: &'static [Method],
    /// Public paths it owns, as prefixes of whole segments; `{}` stands for any one segment.
    pub routes: &'static [&'static str],
    /// What it calls itself. It depends on these services, and everything else is refused to it.
    pub calls: Calls,
    /// Private port it listens on when it runs alone and nothing else is configured.
    pub default_port: u16,
}

impl ServiceDescriptor {
    /// The services that it calls.
    pub fn depends_on(&self) -> impl Iterator<Item = &'static str> + use<> {
        self.calls.iter().map(|(service, _)| *service)
    }
}
