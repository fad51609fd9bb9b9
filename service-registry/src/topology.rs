//! What a process knows of where its services are: plain data, to be shown and sent.

use std::net::SocketAddr;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use crate::contract::ContractState;
use crate::edge::EdgeSeen;
use crate::placement::Placement;

/// Every service as this process sees it now, and the calls that it has seen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Topology {
    pub services: Vec<PlacedService>,
    pub edges: Vec<EdgeSeen>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlacedService {
    pub name: String,
    pub version: u32,
    /// Whether this process can answer for it, wherever its own calls go.
    pub provided: bool,
    pub placement: Placement,
    /// When it was placed so, in milliseconds since 1970.
    pub since_ms: u64,
    /// Why it is not placed as somebody wanted it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rolled_back: Option<RolledBack>,
    pub endpoints: Vec<Endpoint>,
    /// Repeats that calls to them may have now; absent where nothing is repeated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_budget_left: Option<u64>,
    /// What came of comparing contracts with them; nothing before the first call.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub contracts: Vec<ContractState>,
}

/// A placement that its guard has ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RolledBack {
    /// What was wanted.
    pub from: Placement,
    /// The limit that was breached, and by how much.
    pub reason: String,
    /// In milliseconds since 1970.
    pub at_ms: u64,
}

/// One address that answers for a service elsewhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endpoint {
    pub url: String,
    /// Which of the addresses of that url, where its name stands for several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<SocketAddr>,
    /// `closed`, `open` or `probing`.
    pub breaker: String,
    pub in_flight: usize,
}

/// What a change of placement changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Placed {
    pub before: Placement,
    pub after: Placement,
}

pub(crate) fn since_1970_ms(time: SystemTime) -> u64 {
    let elapsed = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX)
}
