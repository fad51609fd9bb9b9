use actix_web::{HttpResponse, delete, get, patch, post};
use identity_api::{Identity, Member, MemberChange, NewMember, NewSpace, Space};
use kernel::{Page, Problem, SpaceId, UserId};
use platform::http::{ApiError, Cx, Json, PageQuery, Path, Query, created, no_content, ok};

use super::Client;

/// List households
///
/// Those that the caller is a member of, the one joined first at the front.
#[utoipa::path(
    tag = "spaces",
    security(("bearer" = [])),
    params(PageQuery),
    responses(
        (status = 200, description = "A page of households", body = Page<Space>),
        (status = 401, description = "`unauthenticated`, `token_invalid`, `token_expired`, `session_revoked`",
            body = Problem, content_type = "application/problem+json"),
        (status = "default", description = "Any other problem", body = Problem,
            content_type = "application/problem+json"),
    )
)]
#[get("/api/v1/spaces")]
pub(super) async fn list(cx: Cx, identity: Client, page: Query<PageQuery>) -> Result<HttpResponse, ApiError> {
    let spaces = identity.list_spaces(&cx, page.0.request()?).await?;
    Ok(ok(&cx, &spaces))
}

/// Make a household
///
/// The caller becomes its owner. To work in it, refresh with its `space_id`.
#[utoipa::path(
    tag = "spaces",
    security(("bearer" = [])),
    params(("Idempotency-Key" = Option<String>, Header, description = "Makes a repeat of this request harmless")),
    request_body = NewSpace,
    responses(
        (status = 201, description = "The household", body = Space,
            headers(("Location", description = "Where its members are seen"))),
        (status = 422, description = "`validation_failed`, `idempotency_key_reused`", body = Problem,
            content_type = "application/problem+json"),
        (status = "default", description = "Any other problem", body = Problem,
            content_type = "application/problem+json"),
    )
)]
#[post("/api/v1/spaces")]
pub(super) async fn create(
    cx: Cx,
    identity: Client,
    space: Json<NewSpace>,
) -> Result<HttpResponse, ApiError> {
    let space = identity.create_space(&cx, space.0).await?;
    Ok(created(&cx, format!("/api/v1/spaces/{}/members", space.id), &space))
}

/// List members
///
/// Those of a household of the caller, the one who joined first at the front.
#[utoipa::path(
    tag = "spaces",
    security(("bearer" = [])),
    params(("id" = SpaceId, Path, description = "The household"), PageQuery),
    responses(
        (status = 200, description = "A page of members", body = Page<Member>),
        (status = 404, description = "`not_found`: not a household of the caller", body = Problem,
            content_type = "application/problem+json"),
        (status = "default", description = "Any other problem", body = Problem,
            content_type = "application/problem+json"),
    )
)]
#[get("/api/v1/spaces/{id}/members")]
pub(super) async fn list_members(
    cx: Cx,
    identity: Client,
    id: Path<SpaceId>,
    page: Query<PageQuery>,
) -> Result<HttpResponse, ApiError> {
    let members = identity.list_members(&cx, id.0, page.0.request()?).await?;
    Ok(ok(&cx, &members))
}

/// Add a member
///
/// Takes somebody who has registered into a household that the caller owns.
#[utoipa::path(
    tag = "spaces",
    security(("bearer" = [])),
    params(
        ("id" = SpaceId, Path, description = "The household"),
        ("Idempotency-Key" = Option<String>, Header, description = "Makes a repeat of this request harmless"),
    ),
    request_body = NewMember,
    responses(
        (status = 201, description = "The member", body = Member,
            headers(("Location", description = "Where the membership is changed and ended"))),
        (status = 403, description = "`forbidden`: the caller is not an owner", body = Problem,
            content_type = "application/problem+json"),
        (status = 404, description = "`not_found`: not a household of the caller", body = Problem,
            content_type = "application/problem+json"),
        (status = 409, description = "`conflict`: a member already; `idempotency_in_progress`", body = Problem,
            content_type = "application/problem+json"),
        (status = 422, description = "`validation_failed`, `idempotency_key_reused`", body = Problem,
            content_type = "application/problem+json"),
        (status = "default", description = "Any other problem", body = Problem,
            content_type = "application/problem+json"),
    )
)]
#[post("/api/v1/spaces/{id}/members")]
pub(super) async fn add_member(
    cx: Cx,
    identity: Client,
    id: Path<SpaceId>,
    member: Json<NewMember>,
) -> Result<HttpResponse, ApiError> {
    let member = identity.add_member(&cx, id.0, member.0).await?;
    Ok(created(&cx, format!("/api/v1/spaces/{}/members/{}", id.0, member.user_id), &member))
}

/// Change a role
///
/// Ends the sessions that the member has in the household: their tokens say the old role.
#[utoipa::path(
    tag = "spaces",
    security(("bearer" = [])),
    params(
        ("id" = SpaceId, Path, description = "The household"),
        ("user_id" = UserId, Path, description = "The member"),
        ("Idempotency-Key" = Option<String>, Header, description = "Makes a repeat of this request harmless"),
    ),
    request_body = MemberChange,
    responses(
        (status = 200, description = "The member as changed", body = Member),
        (status = 403, description = "`forbidden`: the caller is not an owner", body = Problem,
            content_type = "application/problem+json"),
        (status = 404, description = "`not_found`: not a household of the caller, or no member of it",
            body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "`last_owner`, `idempotency_in_progress`", body = Problem,
            content_type = "application/problem+json"),
        (status = 422, description = "`validation_failed`, `idempotency_key_reused`", body = Problem,
            content_type = "application/problem+json"),
        (status = "default", description = "Any other problem", body = Problem,
            content_type = "application/problem+json"),
    )
)]
#[patch("/api/v1/spaces/{id}/members/{user_id}")]
pub(super) async fn change_role(
    cx: Cx,
    identity: Client,
    path: Path<(SpaceId, UserId)>,
    change: Json<MemberChange>,
) -> Result<HttpResponse, ApiError> {
    let (space, user) = path.0;
    let member = identity.change_role(&cx, space, user, change.0).await?;
    Ok(ok(&cx, &member))
}

/// Remove a member, or leave
///
/// Owners may remove anybody, others themselves. Ends the sessions that the member has in the household.
#[utoipa::path(
    tag = "spaces",
    security(("bearer" = [])),
    params(
        ("id" = SpaceId, Path, description = "The household"),
        ("user_id" = UserId, Path, description = "The member"),
    ),
    responses(
        (status = 204, description = "No longer a member"),
        (status = 403, description = "`forbidden`: the caller is not an owner", body = Problem,
            content_type = "application/problem+json"),
        (status = 404, description = "`not_found`: not a household of the caller, or no member of it",
            body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "`last_owner`", body = Problem, content_type = "application/problem+json"),
        (status = "default", description = "Any other problem", body = Problem,
            content_type = "application/problem+json"),
    )
)]
#[delete("/api/v1/spaces/{id}/members/{user_id}")]
pub(super) async fn remove_member(
    cx: Cx,
    identity: Client,
    path: Path<(SpaceId, UserId)>,
) -> Result<HttpResponse, ApiError> {
    let (space, user) = path.0;
    identity.remove_member(&cx, space, user).await?;
    Ok(no_content())
}
