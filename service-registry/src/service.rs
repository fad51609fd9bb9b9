//! What the registry must know of a service before anybody calls it.

/// A service by name; each api crate exports one as `SERVICE`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServiceDescriptor {
    pub name: &'static str,
    pub version: u32,
    /// Public paths it owns, as prefixes of whole segments; `{}` stands for any one segment.
    pub routes: &'static [&'static str],
    /// Services that it calls.
    pub depends_on: &'static [&'static str],
    /// Private port it listens on when it runs alone and nothing else is configured.
    pub default_port: u16,
}
