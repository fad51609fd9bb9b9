//! Sessions: see them, end them, and tell the other processes which have ended.

use identity_api::{IdentityError, Revocations, Session, events};
use kernel::{Page, PageRequest, SessionId, SpaceId};
use platform::{OrFail, Txn, outbox};
use serde_json::json;
use service_registry::CallContext;

use super::{Asker, IdentityService};
use crate::store::{self, sessions};

/// Revocations told at once; more come with the next call.
const TOLD_AT_ONCE: u64 = 10_000;

impl IdentityService {
    pub(super) async fn open_sessions(
        &self,
        cx: &CallContext,
        page: PageRequest,
    ) -> Result<Page<Session>, IdentityError> {
        let asker = Asker::of(cx)?;
        let before = page.cursor.as_ref().map(store::id_alone).transpose()?;
        let list = sessions::list_of(self.store.reader(), asker.user.0, self.now(), before, &page);
        Ok(list.await.or_fail(cx)?.map(|session| session.seen_from(asker.session)))
    }

    pub(super) async fn open_session_of_asker(
        &self,
        cx: &CallContext,
        id: SessionId,
    ) -> Result<Session, IdentityError> {
        let asker = Asker::of(cx)?;
        let session = sessions::find(self.store.reader(), id.0).await.or_fail(cx)?;
        let session =
            session.filter(|session| session.user_id == asker.user.0 && session.is_open(self.now()));
        Ok(session.ok_or(IdentityError::SessionNotFound(id))?.seen_from(asker.session))
    }

    /// Ends a session of the asker. One that is over already is no fault: a repeat must not look like one.
    pub(super) async fn revoke_one(
        &self,
        cx: &CallContext,
        asker: Asker,
        id: SessionId,
    ) -> Result<(), IdentityError> {
        let end = async |txn: Txn| {
            let session = sessions::lock(&*txn, id.0).await.or_fail(cx)?;
            let session = session.filter(|session| session.user_id == asker.user.0);
            let session = session.ok_or(IdentityError::SessionNotFound(id))?;
            let open = if session.is_open(self.now()) { vec![session] } else { vec![] };
            self.revoke(cx, &txn, open, "logged_out").await
        };
        self.store.once(cx, end).await
    }

    pub(super) async fn revoke_all(&self, cx: &CallContext) -> Result<(), IdentityError> {
        let asker = Asker::of(cx)?;
        let end = async |txn: Txn| {
            let open = sessions::lock_of(&*txn, asker.user.0, self.now()).await.or_fail(cx)?;
            self.revoke(cx, &txn, open, "logged_out_everywhere").await
        };
        self.store.once(cx, end).await
    }

    /// Ends sessions that this transaction holds.
    pub(super) async fn revoke(
        &self,
        cx: &CallContext,
        txn: &Txn,
        held: Vec<sessions::Model>,
        reason: &str,
    ) -> Result<(), IdentityError> {
        for session in held {
            let seq = sessions::next_revocation_seq(&**txn).await.or_fail(cx)?;
            sessions::mark_revoked(&**txn, session.id, self.now(), seq).await.or_fail(cx)?;
            let data = json!({ "session_id": session.id, "user_id": session.user_id, "reason": reason });
            let space = session.space_id.map(SpaceId);
            outbox::append(cx, txn, space, events::SESSION_REVOKED, session.id, &data).await.or_fail(cx)?;
        }
        Ok(())
    }

    pub(super) async fn revocations_after(
        &self,
        cx: &CallContext,
        after_seq: i64,
    ) -> Result<Revocations, IdentityError> {
        let memory = self.revocation_memory();
        let keep_s = u64::try_from(memory.num_seconds()).unwrap_or_default();
        let reader = self.store.reader();
        let last = sessions::last_revocation_seq(reader).await.or_fail(cx)?;
        if last == after_seq {
            return Ok(Revocations { seq: last, sessions: Vec::new(), keep_s });
        }
        // A number beyond our last is of another database, such as one that was restored since: begin again.
        let after = if after_seq > last { 0 } else { after_seq };
        let since = self.now() - memory;
        let revoked = sessions::revoked(reader, after, last, since, TOLD_AT_ONCE).await.or_fail(cx)?;
        let is_all = (revoked.len() as u64) < TOLD_AT_ONCE;
        let told = revoked.last().and_then(|session| session.revocation_seq).unwrap_or(last);
        let sessions = revoked.iter().map(|session| session.id.into()).collect();
        Ok(Revocations { seq: if is_all { last } else { told }, sessions, keep_s })
    }
}
