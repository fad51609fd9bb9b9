use actix_web::{HttpResponse, delete, get, post};
use connections_api::{Connections, Import, PreviewRequest};
use kernel::{ImportId, Page, Problem};
use platform::http::{ApiError, Cx, Json, PageQuery, Path, Query, no_content, ok};

use super::{Client, begun};

/// List imports
///
/// The household's imports, the latest first.
#[utoipa::path(
    tag = "imports",
    security(("bearer" = [])),
    params(PageQuery),
    responses(
        (status = 200, description = "A page of imports", body = Page<Import>),
        (status = "default", description = "Any other problem", body = Problem,
            content_type = "application/problem+json"),
    )
)]
#[get("/api/v1/imports")]
pub(super) async fn list(
    cx: Cx,
    connections: Client,
    page: Query<PageQuery>,
) -> Result<HttpResponse, ApiError> {
    Ok(ok(&cx, &connections.list_imports(&cx, page.0.request()?).await?))
}

/// One import
///
/// How far it is, and what becomes of its rows.
#[utoipa::path(
    tag = "imports",
    security(("bearer" = [])),
    params(("id" = ImportId, Path, description = "The import")),
    responses(
        (status = 200, description = "The import", body = Import),
        (status = 404, description = "`not_found`: not an import of the household", body = Problem,
            content_type = "application/problem+json"),
        (status = "default", description = "Any other problem", body = Problem,
            content_type = "application/problem+json"),
    )
)]
#[get("/api/v1/imports/{id}")]
pub(super) async fn find(cx: Cx, connections: Client, id: Path<ImportId>) -> Result<HttpResponse, ApiError> {
    Ok(ok(&cx, &connections.import(&cx, id.0).await?))
}

/// Read a file again
///
/// With another mapping, or for another account; what is left out stays as it was.
#[utoipa::path(
    tag = "imports",
    security(("bearer" = [])),
    params(("id" = ImportId, Path, description = "The import")),
    request_body = PreviewRequest,
    responses(
        (status = 202, description = "The import, being read", body = Import),
        (status = 404, description = "`not_found`: no such import, account or profile here", body = Problem,
            content_type = "application/problem+json"),
        (status = 409, description = "`import_state`: neither previewed nor failed, or the file is not kept any more",
            body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "`validation_failed`", body = Problem,
            content_type = "application/problem+json"),
        (status = "default", description = "Any other problem", body = Problem,
            content_type = "application/problem+json"),
    )
)]
#[post("/api/v1/imports/{id}/preview")]
pub(super) async fn preview(
    cx: Cx,
    connections: Client,
    id: Path<ImportId>,
    request: Json<PreviewRequest>,
) -> Result<HttpResponse, ApiError> {
    Ok(begun(&cx, &connections.preview(&cx, id.0, request.0).await?))
}

/// Commit an import
///
/// Makes the previewed rows part of the ledger, all or none. A repeat changes nothing.
#[utoipa::path(
    tag = "imports",
    security(("bearer" = [])),
    params(("id" = ImportId, Path, description = "The import")),
    responses(
        (status = 202, description = "The import, on its way into the ledger", body = Import),
        (status = 404, description = "`not_found`: not an import of the household", body = Problem,
            content_type = "application/problem+json"),
        (status = 409, description = "`import_state`: not previewed", body = Problem,
            content_type = "application/problem+json"),
        (status = "default", description = "Any other problem", body = Problem,
            content_type = "application/problem+json"),
    )
)]
#[post("/api/v1/imports/{id}/commit")]
pub(super) async fn commit(
    cx: Cx,
    connections: Client,
    id: Path<ImportId>,
) -> Result<HttpResponse, ApiError> {
    Ok(begun(&cx, &connections.commit(&cx, id.0).await?))
}

/// Undo an import
///
/// Takes back exactly what it brought into the ledger; what other imports have too stays, and the file can be imported
/// again as new. Where that cannot be, the import is `committed` still, with a `problem`. A repeat changes nothing.
#[utoipa::path(
    tag = "imports",
    security(("bearer" = [])),
    params(("id" = ImportId, Path, description = "The import")),
    responses(
        (status = 202, description = "The import, on its way out of the ledger", body = Import),
        (status = 404, description = "`not_found`: not an import of the household", body = Problem,
            content_type = "application/problem+json"),
        (status = 409, description = "`import_state`: not committed", body = Problem,
            content_type = "application/problem+json"),
        (status = "default", description = "Any other problem", body = Problem,
            content_type = "application/problem+json"),
    )
)]
#[post("/api/v1/imports/{id}/undo")]
pub(super) async fn undo(cx: Cx, connections: Client, id: Path<ImportId>) -> Result<HttpResponse, ApiError> {
    Ok(begun(&cx, &connections.undo(&cx, id.0).await?))
}

/// Cancel an import
///
/// Its file and its waiting rows go. A repeat changes nothing.
#[utoipa::path(
    tag = "imports",
    security(("bearer" = [])),
    params(("id" = ImportId, Path, description = "The import")),
    responses(
        (status = 204, description = "The import is cancelled"),
        (status = 404, description = "`not_found`: not an import of the household", body = Problem,
            content_type = "application/problem+json"),
        (status = 409, description = "`import_state`: committed, or about to be", body = Problem,
            content_type = "application/problem+json"),
        (status = "default", description = "Any other problem", body = Problem,
            content_type = "application/problem+json"),
    )
)]
#[delete("/api/v1/imports/{id}")]
pub(super) async fn cancel(
    cx: Cx,
    connections: Client,
    id: Path<ImportId>,
) -> Result<HttpResponse, ApiError> {
    connections.cancel(&cx, id.0).await?;
    Ok(no_content())
}

/// Read a committed file again
///
/// With today's reader, into a new import whose report is the difference to the ledger: `created` and `updated` rows,
/// and in `difference` the transactions that the first reading brought and this one does not find. Nothing changes before
/// the new import is committed, and a commit takes nothing away.
#[utoipa::path(
    tag = "imports",
    security(("bearer" = [])),
    params(("id" = ImportId, Path, description = "The import")),
    responses(
        (status = 202, description = "The new import, being read", body = Import,
            headers(("Location" = String, description = "The new import"))),
        (status = 404, description = "`not_found`: not an import of the household", body = Problem,
            content_type = "application/problem+json"),
        (status = 409, description = "`import_state`: neither committed nor undone, or the file is not kept any more", body = Problem,
            content_type = "application/problem+json"),
        (status = "default", description = "Any other problem", body = Problem,
            content_type = "application/problem+json"),
    )
)]
#[post("/api/v1/imports/{id}/reparse")]
pub(super) async fn reparse(
    cx: Cx,
    connections: Client,
    id: Path<ImportId>,
) -> Result<HttpResponse, ApiError> {
    Ok(begun(&cx, &connections.reparse(&cx, id.0).await?))
}

/// Delete an uploaded file
///
/// Before its time, for good; the import stays. Imports that were read from the same file again lose it as well.
#[utoipa::path(
    tag = "imports",
    security(("bearer" = [])),
    params(("id" = ImportId, Path, description = "The import")),
    responses(
        (status = 204, description = "No file is kept"),
        (status = 404, description = "`not_found`: not an import of the household", body = Problem,
            content_type = "application/problem+json"),
        (status = 409, description = "`import_state`: the file is being read", body = Problem,
            content_type = "application/problem+json"),
        (status = "default", description = "Any other problem", body = Problem,
            content_type = "application/problem+json"),
    )
)]
#[delete("/api/v1/imports/{id}/file")]
pub(super) async fn delete_file(
    cx: Cx,
    connections: Client,
    id: Path<ImportId>,
) -> Result<HttpResponse, ApiError> {
    connections.delete_file(&cx, id.0).await?;
    Ok(no_content())
}
