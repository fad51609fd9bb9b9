use actix_web::{HttpResponse, delete, get, put};
use connections_api::{Connections, MappingProfile, NewMappingProfile};
use kernel::{Page, Problem, ProfileId};
use platform::http::{ApiError, Cx, Json, PageQuery, Path, Query, no_content, ok};

use super::Client;

/// List mapping profiles
///
/// The household's saved ways to read tables, by name.
#[utoipa::path(
    tag = "imports",
    security(("bearer" = [])),
    params(PageQuery),
    responses(
        (status = 200, description = "A page of profiles", body = Page<MappingProfile>),
        (status = "default", description = "Any other problem", body = Problem,
            content_type = "application/problem+json"),
    )
)]
#[get("/api/v1/mapping-profiles")]
pub(super) async fn list(
    cx: Cx,
    connections: Client,
    page: Query<PageQuery>,
) -> Result<HttpResponse, ApiError> {
    Ok(ok(&cx, &connections.list_profiles(&cx, page.0.request()?).await?))
}

/// Save a mapping profile
///
/// Under an id of the client's choice, in place of what was there. Tables with the mapping's `header_fingerprint` are
/// then read with it by themselves; the mapping of a previewed import has one.
#[utoipa::path(
    tag = "imports",
    security(("bearer" = [])),
    params(("id" = ProfileId, Path, description = "The profile")),
    request_body = NewMappingProfile,
    responses(
        (status = 200, description = "The profile", body = MappingProfile),
        (status = 404, description = "`not_found`: no such account here", body = Problem,
            content_type = "application/problem+json"),
        (status = 422, description = "`validation_failed`", body = Problem,
            content_type = "application/problem+json"),
        (status = "default", description = "Any other problem", body = Problem,
            content_type = "application/problem+json"),
    )
)]
#[put("/api/v1/mapping-profiles/{id}")]
pub(super) async fn save(
    cx: Cx,
    connections: Client,
    id: Path<ProfileId>,
    profile: Json<NewMappingProfile>,
) -> Result<HttpResponse, ApiError> {
    Ok(ok(&cx, &connections.save_profile(&cx, id.0, profile.0).await?))
}

/// Delete a mapping profile
///
/// Imports that were read with it keep their mapping.
#[utoipa::path(
    tag = "imports",
    security(("bearer" = [])),
    params(("id" = ProfileId, Path, description = "The profile")),
    responses(
        (status = 204, description = "The profile is gone"),
        (status = 404, description = "`not_found`: not a profile of the household", body = Problem,
            content_type = "application/problem+json"),
        (status = "default", description = "Any other problem", body = Problem,
            content_type = "application/problem+json"),
    )
)]
#[delete("/api/v1/mapping-profiles/{id}")]
pub(super) async fn delete(
    cx: Cx,
    connections: Client,
    id: Path<ProfileId>,
) -> Result<HttpResponse, ApiError> {
    connections.delete_profile(&cx, id.0).await?;
    Ok(no_content())
}
