//! A file on its way in: taken piece by piece, sealed, and judged once all of it is there.

use std::sync::Arc;

use aws_lc_rs::digest::{Context, SHA256};
use bytes::{Bytes, BytesMut};
use connections_api::{ConnectionsError, Import};
use connections_formats::{FormatError, Survey};
use futures_util::{Stream, StreamExt};
use kernel::{AccountId, Code, Currency, ImportId, Principal, Problem, ProfileId, Scope};
use platform::{OrFail, Txn, may};
use serde::Serialize;
use service_registry::{CallContext, IdempotencyKey};

use crate::contents::Contents;
use crate::reading::{CHUNK, chunk_place};
use crate::service::ConnectionsService;
use crate::store::{Choice, NewImport};
use crate::{ConnectionsSettings, problems};

type Result<T> = std::result::Result<T, ConnectionsError>;

/// Takes uploads.
#[derive(Clone)]
pub(crate) struct Uploads {
    pub(crate) service: ConnectionsService,
    pub(crate) settings: Arc<ConnectionsSettings>,
}

/// What comes with a file.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct UploadRequest {
    pub(crate) file_name: Option<String>,
    pub(crate) account_id: Option<AccountId>,
    pub(crate) currency: Option<Currency>,
    pub(crate) profile_id: Option<ProfileId>,
}

impl Uploads {
    /// Takes a whole file and makes an import of it; refused, nothing of it stays.
    pub(crate) async fn receive(
        &self,
        cx: &CallContext,
        request: UploadRequest,
        body: impl Stream<Item = std::result::Result<Bytes, Box<Problem>>> + Unpin,
    ) -> Result<Import> {
        let who = may(cx, Scope::LedgerWrite)?;
        self.service.check_account(cx, request.account_id).await?;
        let choice = self.choice(cx, &who, &request).await?;
        let mut upload = Upload::new(self, cx, &who, &request);
        let made = match upload.take(body).await {
            Ok(()) => upload.finish(&choice).await,
            Err(refusal) => Err(refusal),
        };
        // A repeat is answered with the first import, so what came with it is not needed either.
        if made.is_err() || cx.was_replayed() {
            upload.take_back().await?;
        }
        let import = made?;
        self.service.bell.ring();
        Ok(import)
    }

    async fn choice(&self, cx: &CallContext, who: &Principal, request: &UploadRequest) -> Result<Choice> {
        let UploadRequest { account_id, currency, profile_id, .. } = *request;
        let mut choice = Choice { account_id, currency, profile_id, mapping: None };
        if let Some(id) = profile_id {
            let store = &self.service.store;
            let profile = store.profile(store.db.reader(), who.space, id).await.or_fail(cx)?;
            choice.mapping = Some(profile.ok_or(ConnectionsError::ProfileNotFound(id))?.mapping);
        }
        Ok(choice)
    }
}

/// One file while it comes.
struct Upload<'a> {
    uploads: &'a Uploads,
    cx: &'a CallContext,
    who: &'a Principal,
    request: &'a UploadRequest,
    id: ImportId,
    digest: Context,
    survey: Survey,
    size_bytes: u64,
    /// What is not written yet; the last piece waits for the judgement and is written together with it.
    pending: BytesMut,
    written: i32,
}

impl<'a> Upload<'a> {
    fn new(
        uploads: &'a Uploads,
        cx: &'a CallContext,
        who: &'a Principal,
        request: &'a UploadRequest,
    ) -> Self {
        Self {
            uploads,
            cx,
            who,
            request,
            id: ImportId::new(),
            digest: Context::new(&SHA256),
            survey: Survey::new(),
            size_bytes: 0,
            pending: BytesMut::new(),
            written: 0,
        }
    }

    /// Writes pieces as they come, each in a transaction of its own: a slow client must not hold one open.
    async fn take(
        &mut self,
        mut body: impl Stream<Item = std::result::Result<Bytes, Box<Problem>>> + Unpin,
    ) -> Result<()> {
        while let Some(bytes) = body.next().await {
            let bytes = bytes.map_err(|problem| ConnectionsError::from(*problem))?;
            self.size_bytes += bytes.len() as u64;
            let limit = self.uploads.settings.upload_limit_bytes;
            if self.size_bytes > limit {
                let detail = format!("the limit is {limit} bytes");
                return Err(Problem::new(Code::BodyTooLarge).detail(detail).into());
            }
            self.digest.update(&bytes);
            self.survey.feed(&bytes);
            self.pending.extend_from_slice(&bytes);
            while self.pending.len() > CHUNK {
                let chunk = self.pending.split_to(CHUNK);
                // A large file that is plainly something else need not be written down first.
                if self.written == 0
                    && let Some(error) = Contents::refusal_of(&chunk)
                {
                    return Err(refused(&error));
                }
                let txn = self.uploads.service.store.db.begin().await.or_fail(self.cx)?;
                self.write(&txn, &chunk).await?;
                txn.commit().await.or_fail(self.cx)?;
            }
        }
        Ok(())
    }

    async fn write(&mut self, txn: &Txn, chunk: &[u8]) -> Result<()> {
        let (store, cx) = (&self.uploads.service.store, self.cx);
        match self.written {
            0 => {
                let file_name = self.request.file_name.as_deref();
                let import = NewImport { id: self.id, principal: self.who, file_name, archive: None };
                store.begin_upload(txn, import).await.or_fail(cx)?;
            }
            _ => store.touch_upload(txn, self.id).await.or_fail(cx)?,
        }
        let place = chunk_place(self.id, self.written);
        let sealed = self.uploads.settings.sealing_key.seal(&place, chunk).or_fail(cx)?;
        store.add_chunk(txn, self.id, self.written, sealed).await.or_fail(cx)?;
        self.written += 1;
        Ok(())
    }

    /// Judges the file, and makes the import visible if it will do. A repeat gets the first import instead.
    async fn finish(&mut self, choice: &Choice) -> Result<Import> {
        let (report, head) = std::mem::take(&mut self.survey).finish();
        let contents = Contents::of(&report, &head, self.request.file_name.as_deref())
            .map_err(|error| refused(&error))?;
        let last = self.pending.split();
        let cx = self.fingerprinted()?;
        let (store, id) = (&self.uploads.service.store, self.id);
        let kept_for = self.uploads.settings.file_retention;
        let this = self;
        store
            .db
            .once(&cx, |txn| async move {
                this.write(&txn, &last).await?;
                store
                    .finish_upload(
                        &txn,
                        id,
                        this.size_bytes,
                        &contents,
                        &choice.clone().of(&contents),
                        kept_for,
                    )
                    .await
                    .or_fail(this.cx)?;
                let row = store.import(&*txn, this.who.space, id).await.or_fail(this.cx)?;
                Ok(row.ok_or(ConnectionsError::ImportNotFound(id))?.import().or_fail(this.cx)?)
            })
            .await
    }

    /// The context with its idempotency key made whole: the edge cannot know a body that it never held.
    fn fingerprinted(&self) -> Result<CallContext> {
        let Some(key) = self.cx.idempotency() else { return Ok(self.cx.clone()) };
        let mut whole = Context::new(&SHA256);
        whole.update(key.fingerprint.as_bytes());
        whole.update(self.digest.clone().finish().as_ref());
        whole.update(&serde_json::to_vec(self.request).or_fail(self.cx)?);
        let fingerprint = whole.finish().as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        let key = IdempotencyKey { fingerprint, ..key.clone() };
        Ok(self.cx.clone().with_idempotency(key))
    }

    async fn take_back(&self) -> Result<()> {
        if self.written > 0 {
            self.uploads.service.store.drop_upload(self.id).await.or_fail(self.cx)?;
        }
        Ok(())
    }
}

fn refused(error: &FormatError) -> ConnectionsError {
    let problem = problems::of_file(error).unwrap_or_else(|| Problem::new(Code::Internal));
    problem.into()
}
