use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use arc_swap::ArcSwapOption;
use jsonwebtoken::DecodingKey;
use service_registry::{CallContext, ServiceClient};
use tokio::sync::Mutex;
use tracing::{info, warn};

use crate::{Identity, Jwk};

/// How long a set of keys is good without asking again. Longer delays the end of a key that was withdrawn.
const FRESH: Duration = Duration::from_secs(300);

/// How long a key id that we do not have is simply unknown: forged ids must not make us ask for each.
const UNKNOWN_PAUSE: Duration = Duration::from_secs(30);

/// The same while we never had any key, so that a process is of use soon after identity is.
const FIRST_PAUSE: Duration = Duration::from_millis(200);

/// The keys that identity signs with, fetched from it and kept.
pub(crate) struct Keys {
    identity: ServiceClient<dyn Identity>,
    held: ArcSwapOption<Held>,
    asked: Mutex<Option<Instant>>,
}

struct Held {
    by_kid: HashMap<String, Arc<DecodingKey>>,
    since: Instant,
}

/// No key was ever fetched: nothing can be said of any token.
#[derive(Debug)]
pub(crate) struct NoKeys;

impl Keys {
    pub(crate) fn new(identity: ServiceClient<dyn Identity>) -> Self {
        Self { identity, held: ArcSwapOption::empty(), asked: Mutex::default() }
    }

    /// Whether any key was fetched yet.
    pub(crate) fn any(&self) -> bool {
        self.held.load().is_some()
    }

    /// The key with this id, if identity has one; an unknown id makes us ask, but seldom.
    pub(crate) async fn find(&self, kid: &str) -> Result<Option<Arc<DecodingKey>>, NoKeys> {
        if let Some(key) = self.held_key(kid) {
            return Ok(Some(key));
        }
        self.ask(if self.any() { UNKNOWN_PAUSE } else { FIRST_PAUSE }).await;
        if self.any() { Ok(self.held_key(kid)) } else { Err(NoKeys) }
    }

    /// Asks for the keys if we have none or they are old. While identity is away the old ones stay good.
    pub(crate) async fn renew(&self) {
        let old = self.held.load().as_ref().map(|held| held.since.elapsed() >= FRESH);
        match old {
            None => self.ask(FIRST_PAUSE).await,
            Some(true) => self.ask(UNKNOWN_PAUSE).await,
            Some(false) => {}
        }
    }

    fn held_key(&self, kid: &str) -> Option<Arc<DecodingKey>> {
        self.held.load().as_ref()?.by_kid.get(kid).cloned()
    }

    /// Asks once for all who wait, and not again within `pause` of the last time.
    async fn ask(&self, pause: Duration) {
        let mut asked = self.asked.lock().await;
        if asked.is_some_and(|last| last.elapsed() < pause) {
            return;
        }
        *asked = Some(Instant::now());
        let cx = CallContext::root().with_remaining(Duration::from_secs(2));
        match self.identity.jwks(&cx).await {
            Ok(jwks) => self.hold(&jwks.keys),
            Err(error) => warn!(%error, "Could not fetch the keys of access tokens"),
        }
    }

    fn hold(&self, keys: &[Jwk]) {
        let by_kid: HashMap<_, _> = keys.iter().filter_map(usable).collect();
        if !self.any() {
            info!(keys = by_kid.len(), "Fetched the keys of access tokens");
        }
        self.held.store(Some(Arc::new(Held { by_kid, since: Instant::now() })));
    }
}

/// A key that is what we verify with; others may come to stand in the set one day and are passed over.
fn usable(jwk: &Jwk) -> Option<(String, Arc<DecodingKey>)> {
    let ours = jwk.kty == "OKP" && jwk.crv == "Ed25519" && jwk.alg == "EdDSA" && jwk.usage == "sig";
    let key = DecodingKey::from_ed_components(&jwk.x).ok().filter(|_| ours)?;
    Some((jwk.kid.clone(), Arc::new(key)))
}
