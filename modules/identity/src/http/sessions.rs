use actix_web::{HttpResponse, delete, get};
use identity_api::{Identity, Session};
use kernel::{Page, Problem, SessionId};
use platform::http::{ApiError, Cx, PageQuery, Path, Query, no_content, ok};

use super::Client;

/// List sessions
///
/// The caller's open sessions, the latest log-in first.
#[utoipa::path(
    tag = "sessions",
    security(("bearer" = [])),
    params(PageQuery),
    responses(
        (status = 200, description = "A page of sessions", body = Page<Session>),
        (status = 401, description = "`unauthenticated`, `token_invalid`, `token_expired`, `session_revoked`",
            body = Problem, content_type = "application/problem+json"),
        (status = "default", description = "Any other problem", body = Problem,
            content_type = "application/problem+json"),
    )
)]
#[get("/api/v1/sessions")]
pub(super) async fn list(cx: Cx, identity: Client, page: Query<PageQuery>) -> Result<HttpResponse, ApiError> {
    let sessions = identity.list_sessions(&cx, page.0.request()?).await?;
    Ok(ok(&cx, &sessions))
}

/// One session
#[utoipa::path(
    tag = "sessions",
    security(("bearer" = [])),
    params(("id" = SessionId, Path, description = "The session")),
    responses(
        (status = 200, description = "The session", body = Session),
        (status = 404, description = "`not_found`: not an open session of the caller", body = Problem,
            content_type = "application/problem+json"),
        (status = "default", description = "Any other problem", body = Problem,
            content_type = "application/problem+json"),
    )
)]
#[get("/api/v1/sessions/{id}")]
pub(super) async fn find(cx: Cx, identity: Client, id: Path<SessionId>) -> Result<HttpResponse, ApiError> {
    let session = identity.session(&cx, id.0).await?;
    Ok(ok(&cx, &session))
}

/// End a session
///
/// Its tokens stop working within a second, everywhere.
#[utoipa::path(
    tag = "sessions",
    security(("bearer" = [])),
    params(("id" = SessionId, Path, description = "The session")),
    responses(
        (status = 204, description = "The session is over"),
        (status = 404, description = "`not_found`: not a session of the caller", body = Problem,
            content_type = "application/problem+json"),
        (status = "default", description = "Any other problem", body = Problem,
            content_type = "application/problem+json"),
    )
)]
#[delete("/api/v1/sessions/{id}")]
pub(super) async fn revoke(cx: Cx, identity: Client, id: Path<SessionId>) -> Result<HttpResponse, ApiError> {
    identity.revoke_session(&cx, id.0).await?;
    Ok(no_content())
}

/// Log out
///
/// Ends the session that asks.
#[utoipa::path(
    tag = "sessions",
    security(("bearer" = [])),
    responses(
        (status = 204, description = "The session is over"),
        (status = 401, description = "`unauthenticated`, `token_invalid`, `token_expired`, `session_revoked`",
            body = Problem, content_type = "application/problem+json"),
        (status = "default", description = "Any other problem", body = Problem,
            content_type = "application/problem+json"),
    )
)]
#[delete("/api/v1/sessions/current")]
pub(super) async fn revoke_current(cx: Cx, identity: Client) -> Result<HttpResponse, ApiError> {
    identity.revoke_current(&cx).await?;
    Ok(no_content())
}

/// Log out everywhere
///
/// Ends all sessions of the caller, the one that asks included.
#[utoipa::path(
    tag = "sessions",
    security(("bearer" = [])),
    responses(
        (status = 204, description = "The sessions are over"),
        (status = 401, description = "`unauthenticated`, `token_invalid`, `token_expired`, `session_revoked`",
            body = Problem, content_type = "application/problem+json"),
        (status = "default", description = "Any other problem", body = Problem,
            content_type = "application/problem+json"),
    )
)]
#[delete("/api/v1/sessions")]
pub(super) async fn revoke_all(cx: Cx, identity: Client) -> Result<HttpResponse, ApiError> {
    identity.revoke_all_sessions(&cx).await?;
    Ok(no_content())
}
