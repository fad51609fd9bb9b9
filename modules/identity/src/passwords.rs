use std::sync::Arc;
use std::time::Duration;

use argon2::{Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version};
use identity_api::Secret;
use platform::OrFail;
use service_registry::{CallContext, CallError};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Hashes that run at once. Each holds its memory, so a burst of log-ins queues rather than filling the machine.
const AT_ONCE: usize = 2;

/// How long a log-in waits for its turn before we say that there are too many.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// What one guess at a stolen password hash costs (Argon2id, RFC 9106).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PasswordCost {
    memory_kib: u32,
    passes: u32,
}

/// Hashes this cheap can be guessed by the million.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("password hashes need at least 19456 KiB and 2 passes")]
pub struct TooCheap;

impl PasswordCost {
    /// The least that OWASP's Password Storage Cheat Sheet recommends for Argon2id; fits on a small machine.
    pub const RECOMMENDED: Self = Self { memory_kib: 19_456, passes: 2 };

    /// For tests that log in often and protect nothing.
    pub const FOR_TESTS: Self = Self { memory_kib: 8, passes: 1 };

    /// A cost at or above the recommended one: more memory, more passes, or both.
    pub fn new(memory_kib: u32, passes: u32) -> Result<Self, TooCheap> {
        let floor = Self::RECOMMENDED;
        let enough = memory_kib >= floor.memory_kib && passes >= floor.passes;
        if enough { Ok(Self { memory_kib, passes }) } else { Err(TooCheap) }
    }
}

impl Default for PasswordCost {
    fn default() -> Self {
        Self::RECOMMENDED
    }
}

/// Makes and checks password hashes, a few at a time and off the threads that answer requests.
pub(crate) struct Passwords {
    argon2: Argon2<'static>,
    /// Nobody's hash: checking it takes as long as checking somebody's.
    nobodys: Arc<str>,
    turns: Arc<Semaphore>,
}

impl Passwords {
    pub(crate) fn new(cost: PasswordCost) -> Result<Self, argon2::Error> {
        let PasswordCost { memory_kib: m, passes: t } = cost;
        let params = Params::new(m, t, 1, None)?;
        let nobodys = format!("$argon2id$v=19$m={m},t={t},p=1$bm9ib2R5IGhhcyBzYWx0IQ${}", "A".repeat(43));
        Ok(Self {
            argon2: Argon2::new(Algorithm::Argon2id, Version::V0x13, params),
            nobodys: nobodys.into(),
            turns: Arc::new(Semaphore::new(AT_ONCE)),
        })
    }

    /// A salted hash in the PHC string format.
    pub(crate) async fn hash(&self, cx: &CallContext, password: &Secret) -> Result<String, CallError> {
        let (argon2, password) = (self.argon2.clone(), password.clone());
        let hash = self.take_turn(cx, move || argon2.hash_password(password.reveal().as_bytes())).await?;
        Ok(hash.or_fail(cx)?.to_string())
    }

    /// Whether `password` is the one that `hash` was made of. Without a hash it takes as long, and is not.
    pub(crate) async fn matches(
        &self,
        cx: &CallContext,
        password: &Secret,
        hash: Option<String>,
    ) -> Result<bool, CallError> {
        let (argon2, password) = (self.argon2.clone(), password.clone());
        let known = hash.is_some();
        let hash = hash.map_or_else(|| Arc::clone(&self.nobodys), Into::into);
        let verdict =
            self.take_turn(cx, move || argon2.verify_password(password.reveal().as_bytes(), &*hash)).await?;
        match verdict {
            Ok(()) => Ok(known),
            Err(argon2::password_hash::Error::PasswordInvalid) => Ok(false),
            Err(broken) => Err(broken).or_fail(cx),
        }
    }

    async fn take_turn<T: Send + 'static>(
        &self,
        cx: &CallContext,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, CallError> {
        let permit = self.turn().await?;
        // The permit goes along: work goes on when its caller has gone away, and counts until it ends.
        let turn = move || {
            let _permit: OwnedSemaphorePermit = permit;
            work()
        };
        tokio::task::spawn_blocking(turn).await.or_fail(cx)
    }

    async fn turn(&self) -> Result<OwnedSemaphorePermit, CallError> {
        let turn = Arc::clone(&self.turns).acquire_owned();
        let overloaded = || CallError::Overloaded { service: "identity".into(), retry_after_ms: 1_000 };
        match tokio::time::timeout(LONGEST_WAIT, turn).await {
            Ok(Ok(permit)) => Ok(permit),
            Ok(Err(_)) | Err(_) => Err(overloaded()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_matches_its_own_hash_and_nobodys_matches_none() {
        let passwords = Passwords::new(PasswordCost::FOR_TESTS).unwrap();
        let cx = CallContext::root();
        let password = Secret::new("correct horse battery");
        let hash = passwords.hash(&cx, &password).await.unwrap();
        assert!(passwords.matches(&cx, &password, Some(hash.clone())).await.unwrap());
        assert!(!passwords.matches(&cx, &Secret::new("wrong horse battery"), Some(hash)).await.unwrap());
        assert!(!passwords.matches(&cx, &password, None).await.unwrap());
    }

    #[tokio::test]
    async fn nobodys_hash_costs_as_much_as_somebodys() {
        let cost = PasswordCost::RECOMMENDED;
        let passwords = Passwords::new(cost).unwrap();
        let hash = passwords.hash(&CallContext::root(), &Secret::new("correct horse battery")).await.unwrap();
        let parameters = |hash: &str| hash.split('$').take(4).map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(parameters(&passwords.nobodys), parameters(&hash));
        assert_eq!(passwords.nobodys.len(), hash.len());
    }

    #[test]
    fn a_cost_below_the_floor_is_refused() {
        assert_eq!(PasswordCost::new(8, 1), Err(TooCheap));
        assert!(PasswordCost::new(65_536, 3).is_ok());
    }
}
