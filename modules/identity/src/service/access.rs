//! Register, log in, go on: how tokens come to be.

use identity_api::{
    AUDIENCE, Claims, Credentials, IdentityError, NewUser, Refresh, Registered, Space, Tokens, events,
};
use kernel::{FieldError, Instant, Role, SessionId, SpaceId};
use platform::{OrFail, Txn, outbox};
use serde::{Deserialize, Serialize};
use serde_json::json;
use service_registry::CallContext;
use uuid::Uuid;

use super::{IdentityService, unless_taken};
use crate::domain::{self, Registration, Use, Verdict};
use crate::store::{refresh_tokens, sessions, spaces, users};
use crate::tokens::token_hash;

/// What a log-in or a refresh came to. Of a log-in this is kept for repeats of the request, never the tokens: they
/// are made again from it.
#[derive(Serialize, Deserialize)]
enum Outcome {
    Granted { session: SessionId, generation: i32 },
    Reused,
}

impl IdentityService {
    pub(super) async fn register_user(
        &self,
        cx: &CallContext,
        user: NewUser,
    ) -> Result<Registered, IdentityError> {
        let registration = Registration::read(user).map_err(IdentityError::Invalid)?;
        // Hashed before the transaction begins: it takes as long as a hundred writes, and others wait to write.
        let hash = self.passwords.hash(cx, &registration.password).await?;
        let done = async |txn: Txn| self.insert_user(cx, &txn, registration, hash).await;
        self.store.once(&self.blinded(cx), done).await
    }

    async fn insert_user(
        &self,
        cx: &CallContext,
        txn: &Txn,
        registration: Registration,
        hash: String,
    ) -> Result<Registered, IdentityError> {
        let Registration { email, name, space_name, .. } = registration;
        let now = self.now();
        let user = users::Model { id: Uuid::now_v7(), email, name, created_at: now };
        unless_taken(cx, users::insert(&**txn, user.clone(), hash).await, IdentityError::EmailTaken)?;
        let space = self.insert_space(cx, txn, user.id, space_name, now).await?;
        let data = json!({ "user_id": user.id, "space_id": space.id });
        outbox::append(cx, txn, Some(space.id), events::USER_REGISTERED, user.id, &data).await.or_fail(cx)?;
        Ok(Registered { user: user.into(), space })
    }

    /// Writes a household with its first owner.
    pub(super) async fn insert_space(
        &self,
        cx: &CallContext,
        txn: &Txn,
        owner: Uuid,
        name: String,
        now: Instant,
    ) -> Result<Space, IdentityError> {
        let row = spaces::Model { id: Uuid::now_v7(), name: name.clone(), created_at: now };
        let id = SpaceId(row.id);
        spaces::insert(&**txn, row).await.or_fail(cx)?;
        spaces::add_member(&**txn, id.0, owner, Role::Owner, now).await.or_fail(cx)?;
        let data = json!({ "space_id": id, "user_id": owner });
        outbox::append(cx, txn, Some(id), events::SPACE_CREATED, id, &data).await.or_fail(cx)?;
        Ok(Space { id, name, role: Role::Owner, created_at: now })
    }

    pub(super) async fn log_in(
        &self,
        cx: &CallContext,
        credentials: Credentials,
    ) -> Result<Tokens, IdentityError> {
        let user = self.known_user(cx, &credentials).await?;
        let client = domain::normal_client(credentials.client.as_deref());
        let done = async |txn: Txn| self.insert_session(cx, &txn, user, credentials.space_id, client).await;
        let outcome = self.store.once(&self.blinded(cx), done).await?;
        self.tokens_of(cx, outcome).await
    }

    /// Whose credentials these are. Wrong ones take as long as right ones, and are all refused alike.
    async fn known_user(&self, cx: &CallContext, credentials: &Credentials) -> Result<Uuid, IdentityError> {
        let reader = self.store.reader();
        let user = match domain::normal_email(&credentials.email) {
            Ok(email) => users::find_by_email(reader, &email).await.or_fail(cx)?,
            Err(_) => None,
        };
        let hash = match &user {
            Some(user) => users::password_hash(reader, user.id).await.or_fail(cx)?,
            None => None,
        };
        let right = self.passwords.matches(cx, &credentials.password, hash).await?;
        user.filter(|_| right).map(|user| user.id).ok_or(IdentityError::InvalidCredentials)
    }

    async fn insert_session(
        &self,
        cx: &CallContext,
        txn: &Txn,
        user: Uuid,
        asked_space: Option<SpaceId>,
        client: Option<String>,
    ) -> Result<Outcome, IdentityError> {
        let now = self.now();
        let space_id = self.choose_space(cx, txn, user, asked_space, None).await?;
        let expires_at = domain::session_end(&self.settings.lifetimes, now, now);
        let session = SessionId::new();
        let row = sessions::Model {
            id: session.0,
            user_id: user,
            space_id,
            client,
            created_at: now,
            last_used_at: now,
            expires_at,
            revoked_at: None,
            revocation_seq: None,
        };
        sessions::insert(&**txn, row).await.or_fail(cx)?;
        self.insert_refresh_token(cx, txn, session, 0, expires_at).await?;
        let (data, space) = (json!({ "session_id": session, "user_id": user }), space_id.map(SpaceId));
        outbox::append(cx, txn, space, events::SESSION_CREATED, session, &data).await.or_fail(cx)?;
        Ok(Outcome::Granted { session, generation: 0 })
    }

    async fn insert_refresh_token(
        &self,
        cx: &CallContext,
        txn: &Txn,
        session: SessionId,
        generation: i32,
        expires_at: Instant,
    ) -> Result<(), IdentityError> {
        let token = self.settings.refresh_key.token(session, generation);
        let row = refresh_tokens::Model {
            token_hash: token_hash(&token),
            session_id: session.0,
            generation,
            expires_at,
            used_at: None,
            used_by: None,
        };
        Ok(refresh_tokens::insert(&**txn, row).await.or_fail(cx)?)
    }

    /// The household to work in: the one asked for, else the usual one, else the one joined first.
    ///
    /// Holds the membership until the transaction ends. So who leaves the household meanwhile leaves before us,
    /// and we see it, or after us, and sees our session.
    async fn choose_space(
        &self,
        cx: &CallContext,
        txn: &Txn,
        user: Uuid,
        asked: Option<SpaceId>,
        usual: Option<Uuid>,
    ) -> Result<Option<Uuid>, IdentityError> {
        let space = match asked.map(|space| space.0).or(usual) {
            Some(space) => Some(space),
            None => spaces::first_of(&**txn, user).await.or_fail(cx)?,
        };
        let Some(space) = space else { return Ok(None) };
        let is_member = spaces::hold_role(&**txn, space, user).await.or_fail(cx)?.is_some();
        if asked.is_some() && !is_member {
            let fault = FieldError::new("/space_id", "not_found", "not a household that you are a member of");
            return Err(IdentityError::Invalid(vec![fault]));
        }
        Ok(is_member.then_some(space))
    }

    /// Keeps no record by idempotency key: it would give tokens to whoever repeats the request long after the grace,
    /// from any client. The grace alone makes a repeat harmless.
    pub(super) async fn rotate(&self, cx: &CallContext, refresh: Refresh) -> Result<Tokens, IdentityError> {
        let txn = self.store.begin().await.or_fail(cx)?;
        let outcome = self.use_refresh_token(cx, &txn, refresh).await?;
        txn.commit().await.or_fail(cx)?;
        self.tokens_of(cx, outcome).await
    }

    async fn use_refresh_token(
        &self,
        cx: &CallContext,
        txn: &Txn,
        refresh: Refresh,
    ) -> Result<Outcome, IdentityError> {
        let (now, hash) = (self.now(), token_hash(&refresh.refresh_token));
        let token = refresh_tokens::find(&**txn, hash.clone()).await.or_fail(cx)?;
        let id = token.ok_or(IdentityError::RefreshTokenInvalid)?.session_id;
        let session =
            sessions::find(&**txn, id).await.or_fail(cx)?.ok_or(IdentityError::RefreshTokenInvalid)?;
        // First the membership, then the session: the order in which leaving a household takes them, too.
        let space = self.choose_space(cx, txn, session.user_id, refresh.space_id, session.space_id).await?;
        let session =
            sessions::lock(&**txn, id).await.or_fail(cx)?.ok_or(IdentityError::RefreshTokenInvalid)?;
        // Read again: only under the lock is it known who came first.
        let token = refresh_tokens::find(&**txn, hash.clone()).await.or_fail(cx)?;
        let token = token.ok_or(IdentityError::RefreshTokenInvalid)?;
        if session.revoked_at.is_some() {
            return Err(IdentityError::SessionRevoked);
        }
        if token.expires_at <= now || !session.is_open(now) {
            return Err(IdentityError::RefreshTokenInvalid);
        }
        let client = domain::normal_client(refresh.client.as_deref());
        let lifetimes = &self.settings.lifetimes;
        let generation = token.generation + 1;
        let granted = Outcome::Granted { session: id.into(), generation };
        let expires_at = domain::session_end(lifetimes, session.created_at, now);
        match domain::judge(token.earlier_use().as_ref(), client.as_deref(), now, lifetimes) {
            Verdict::Rotate => {
                refresh_tokens::note_use(&**txn, hash, &Use { at: now, by: client }).await.or_fail(cx)?;
                self.insert_refresh_token(cx, txn, id.into(), generation, expires_at).await?;
                sessions::note_use(&**txn, id, space, now, expires_at).await.or_fail(cx)?;
                Ok(granted)
            }
            Verdict::Repeat => {
                sessions::note_use(&**txn, id, space, now, expires_at).await.or_fail(cx)?;
                Ok(granted)
            }
            Verdict::Reuse => {
                self.revoke(cx, txn, vec![session], "refresh_token_reused").await?;
                // An answer, not an error: the revocation has to be committed.
                Ok(Outcome::Reused)
            }
        }
    }

    /// Makes the tokens of a session as it is now.
    async fn tokens_of(&self, cx: &CallContext, outcome: Outcome) -> Result<Tokens, IdentityError> {
        let Outcome::Granted { session: id, generation } = outcome else {
            return Err(IdentityError::RefreshTokenReused);
        };
        let now = self.now();
        let session = sessions::find(self.store.reader(), id.0).await.or_fail(cx)?;
        // A repeat of an old request must not make tokens for a session that is over.
        let session = session.filter(|session| session.is_open(now)).ok_or(IdentityError::SessionRevoked)?;
        let space = match session.space_id {
            Some(space) => spaces::find_as(self.store.reader(), space, session.user_id).await.or_fail(cx)?,
            None => None,
        };
        let expires_in = self.settings.lifetimes.access_token().num_seconds();
        let claims = self.claims(&session, space.as_ref(), now, expires_in);
        Ok(Tokens {
            session: session.seen_from(Some(id)),
            access_token: self.settings.signing_key.sign(&claims).or_fail(cx)?,
            refresh_token: self.settings.refresh_key.token(id, generation),
            token_type: "Bearer".into(),
            expires_in,
        })
    }

    fn claims(
        &self,
        session: &sessions::Model,
        space: Option<&Space>,
        now: Instant,
        expires_in: i64,
    ) -> Claims {
        let scopes = space.map_or(&[][..], |space| space.role.scopes());
        let scopes: Vec<_> = scopes.iter().map(|scope| scope.as_str()).collect();
        Claims {
            iss: self.settings.issuer.clone(),
            aud: AUDIENCE.into(),
            sub: session.user_id.into(),
            sid: session.id.into(),
            space: space.map(|space| space.id),
            role: space.map(|space| space.role.to_string()),
            scope: scopes.join(" "),
            iat: now.timestamp(),
            nbf: None,
            exp: now.timestamp() + expires_in,
            jti: Uuid::now_v7(),
        }
    }
}
