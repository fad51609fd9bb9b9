use actix_web::{HttpResponse, get, post};
use identity_api::{Identity, Me, NewUser, Registered};
use kernel::Problem;
use platform::http::{ApiError, Cx, Json, created, ok};

use super::Client;

/// Register
///
/// Makes a user and a household with that user as its owner. Log in afterwards.
#[utoipa::path(
    tag = "users",
    params(("Idempotency-Key" = Option<String>, Header, description = "Makes a repeat of this request harmless")),
    request_body = NewUser,
    responses(
        (status = 201, description = "The user and the household", body = Registered,
            headers(("Location", description = "Where the user is seen"))),
        (status = 409, description = "`email_taken`, `idempotency_in_progress`", body = Problem,
            content_type = "application/problem+json"),
        (status = 422, description = "`validation_failed`, `idempotency_key_reused`", body = Problem,
            content_type = "application/problem+json"),
        (status = "default", description = "Any other problem", body = Problem,
            content_type = "application/problem+json"),
    )
)]
#[post("/api/v1/users")]
pub(super) async fn register(
    cx: Cx,
    identity: Client,
    user: Json<NewUser>,
) -> Result<HttpResponse, ApiError> {
    let registered = identity.register(&cx, user.0).await?;
    Ok(created(&cx, "/api/v1/users/me".into(), &registered))
}

/// Who am I
///
/// The user, the household that the access token is for, and the session.
#[utoipa::path(
    tag = "users",
    security(("bearer" = [])),
    responses(
        (status = 200, description = "The one who asks", body = Me),
        (status = 401, description = "`unauthenticated`, `token_invalid`, `token_expired`, `session_revoked`",
            body = Problem, content_type = "application/problem+json"),
        (status = "default", description = "Any other problem", body = Problem,
            content_type = "application/problem+json"),
    )
)]
#[get("/api/v1/users/me")]
pub(super) async fn me(cx: Cx, identity: Client) -> Result<HttpResponse, ApiError> {
    let me = identity.me(&cx).await?;
    Ok(ok(&cx, &me))
}
