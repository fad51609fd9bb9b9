use std::collections::HashMap;
use std::sync::RwLock;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::{Duration, Instant};

use kernel::SessionId;

use crate::Revocations;

/// The sessions that were revoked lately, as far as this process has heard.
///
/// Bounded: each is forgotten once the access tokens made before its end are expired anyway.
#[derive(Default)]
pub(crate) struct Revoked {
    until: RwLock<HashMap<SessionId, Instant>>,
    seq: AtomicI64,
    heard: AtomicBool,
}

impl Revoked {
    /// Whether identity told us of revocations at all; before, no session can be called good.
    pub(crate) fn has_heard(&self) -> bool {
        self.heard.load(Ordering::Acquire)
    }

    pub(crate) fn contains(&self, session: SessionId) -> bool {
        self.until.read().expect("no holder of this lock panics").contains_key(&session)
    }

    /// Where to go on asking.
    pub(crate) fn seq(&self) -> i64 {
        self.seq.load(Ordering::Acquire)
    }

    pub(crate) fn hear(&self, news: &Revocations) {
        let now = Instant::now();
        let until = now + Duration::from_secs(news.keep_s);
        let mut sessions = self.until.write().expect("no holder of this lock panics");
        sessions.retain(|_, until| *until > now);
        sessions.extend(news.sessions.iter().map(|session| (*session, until)));
        self.seq.store(news.seq, Ordering::Release);
        self.heard.store(true, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_longer_matters_is_forgotten() {
        let revoked = Revoked::default();
        let session = SessionId::new();
        revoked.hear(&Revocations { seq: 1, sessions: vec![session], keep_s: 0 });
        assert!(revoked.contains(session), "until the next news");
        revoked.hear(&Revocations { seq: 2, sessions: vec![], keep_s: 0 });
        assert!(!revoked.contains(session));
        assert_eq!(revoked.seq(), 2);
    }
}
