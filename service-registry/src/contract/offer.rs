//! What a process says of a service at first contact.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::compare::Difference;
use super::document::{Document, mark};

/// The versions of one service that a process answers, and the fingerprints of their methods.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offer {
    pub service: String,
    /// The database that the service keeps its data in. Two processes that say the same one share it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub store: Option<String>,
    pub versions: BTreeMap<u32, BTreeMap<String, String>>,
}

impl Offer {
    pub fn new<'a>(service: &str, documents: impl IntoIterator<Item = &'a Document>) -> Self {
        let fingerprints = |document: &Document| {
            let methods = document.methods.iter();
            methods.map(|(name, method)| (name.clone(), method.fingerprint.clone())).collect()
        };
        let versions =
            documents.into_iter().map(|document| (document.version, fingerprints(document))).collect();
        Self { service: service.to_owned(), store: None, versions }
    }

    /// One word for what is offered of a version. A caller sends it with each call, so that a callee which is another
    /// one meanwhile does not answer what was meant for the first.
    pub fn mark(&self, version: u32) -> Option<String> {
        self.versions.get(&version).map(|methods| mark(methods.iter()))
    }

    /// Whether everything that `caller` may call is here, and exactly as it knows it.
    pub fn covers(&self, caller: &Document) -> bool {
        self.versions.get(&caller.version).is_some_and(|methods| {
            let mut wanted = caller.methods.iter();
            wanted.all(|(name, method)| methods.get(name) == Some(&method.fingerprint))
        })
    }
}

/// What came of a handshake, for those who look after a system.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContractState {
    pub service: String,
    pub endpoint: String,
    /// The version that the caller speaks.
    pub version: u32,
    /// `compatible`, `degraded`, `refused`, or `unknown` of a callee that does not tell.
    pub state: String,
    /// The optional methods that the callee lacks, where it is degraded.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<String>,
    /// What the two do not agree on, where it is refused.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub differences: Vec<Difference>,
    /// See [`Offer::store`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub store: Option<String>,
}
