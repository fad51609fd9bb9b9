//! What a process says of a service at first contact.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::document::Document;

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

    /// Whether everything that `caller` may call is here, and exactly as it knows it.
    pub fn covers(&self, caller: &Document) -> bool {
        self.versions.get(&caller.version).is_some_and(|methods| {
            let mut wanted = caller.methods.iter();
            wanted.all(|(name, method)| methods.get(name) == Some(&method.fingerprint))
        })
    }
}
