use actix_web::http::header::{CACHE_CONTROL, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, get, post};
use identity_api::{Credentials, Identity, Jwks, Refresh, Secret, Tokens};
use kernel::{Problem, SpaceId};
use platform::http::{ApiError, Cx, Json, created, ok};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{Client, user_agent};

/// What it takes to log in.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Login {
    /// The address, in any case.
    #[schema(format = "email")]
    email: String,
    /// The password.
    password: Secret,
    /// The household to work in; the one joined first where absent.
    #[serde(default)]
    space_id: Option<SpaceId>,
}

/// What it takes to go on with a session.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct TokenRequest {
    /// The refresh token that was given out last.
    refresh_token: Secret,
    /// The household to work in from now on; the same as before where absent.
    #[serde(default)]
    space_id: Option<SpaceId>,
}

/// Log in
///
/// Opens a session. Whether the address is unknown or the password is wrong is not said. A repeat with the same
/// `Idempotency-Key` gives tokens of the same session.
#[utoipa::path(
    tag = "sessions",
    params(("Idempotency-Key" = Option<String>, Header, description = "Makes a repeat of this request harmless")),
    request_body = Login,
    responses(
        (status = 201, description = "The session and its tokens", body = Tokens,
            headers(("Location", description = "Where the session is seen"))),
        (status = 401, description = "`invalid_credentials`", body = Problem,
            content_type = "application/problem+json"),
        (status = 422, description = "`validation_failed`, `idempotency_key_reused`", body = Problem,
            content_type = "application/problem+json"),
        (status = "default", description = "Any other problem", body = Problem,
            content_type = "application/problem+json"),
    )
)]
#[post("/api/v1/sessions")]
pub(super) async fn log_in(
    cx: Cx,
    request: HttpRequest,
    identity: Client,
    body: Json<Login>,
) -> Result<HttpResponse, ApiError> {
    let Login { email, password, space_id } = body.0;
    let credentials = Credentials { email, password, space_id, client: user_agent(&request) };
    let tokens = identity.open_session(&cx, credentials).await?;
    let location = format!("/api/v1/sessions/{}", tokens.session.id);
    Ok(unstored(created(&cx, location, &tokens)))
}

/// Refresh
///
/// Trades the refresh token for the next pair; each works once. If the answer was lost, the same client may send
/// the same token again for 30 seconds and gets the same next one. Later, or from another client, it counts as
/// stolen: `refresh_token_reused`, and the session ends. An `Idempotency-Key` changes nothing in this.
#[utoipa::path(
    tag = "sessions",
    request_body = TokenRequest,
    responses(
        (status = 200, description = "The next tokens", body = Tokens),
        (status = 401, description = "`refresh_token_invalid`, `refresh_token_reused`, `session_revoked`",
            body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "`validation_failed`", body = Problem,
            content_type = "application/problem+json"),
        (status = "default", description = "Any other problem", body = Problem,
            content_type = "application/problem+json"),
    )
)]
#[post("/api/v1/tokens")]
pub(super) async fn refresh(
    cx: Cx,
    request: HttpRequest,
    identity: Client,
    body: Json<TokenRequest>,
) -> Result<HttpResponse, ApiError> {
    let TokenRequest { refresh_token, space_id } = body.0;
    let refresh = Refresh { refresh_token, space_id, client: user_agent(&request) };
    let tokens = identity.refresh(&cx, refresh).await?;
    Ok(unstored(ok(&cx, &tokens)))
}

/// The public keys
///
/// What access tokens are checked with (RFC 7517).
#[utoipa::path(
    tag = "sessions",
    responses(
        (status = 200, description = "The keys, good for five minutes", body = Jwks),
        (status = "default", description = "Any problem", body = Problem,
            content_type = "application/problem+json"),
    )
)]
#[get("/.well-known/jwks.json")]
pub(super) async fn jwks(cx: Cx, identity: Client) -> Result<HttpResponse, ApiError> {
    let jwks = identity.jwks(&cx).await?;
    Ok(HttpResponse::Ok().insert_header((CACHE_CONTROL, "public, max-age=300")).json(jwks))
}

/// Tokens are for the one who asked, and for no cache in between (RFC 6749 §5.1).
fn unstored(mut response: HttpResponse) -> HttpResponse {
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
