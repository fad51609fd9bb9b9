use actix_web::{HttpResponse, delete, get, post};
use connections_api::{Connections, FileRow, Import, RowFilter, RowOutcome};
use kernel::{ImportId, Page, PageRequest, Problem};
use platform::http::{ApiError, Cx, PageQuery, Path, Query, accepted, no_content, ok};
use serde::Deserialize;

use super::Client;

#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct RowsQuery {
    /// Rows that ended so; all where absent.
    outcome: Option<RowOutcome>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// Items at most.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u16>,
    /// Count the whole list as well.
    with_total: Option<bool>,
}

/// List rows
///
/// Every row of the file in its order, with its line and what became, or would become, of it.
#[utoipa::path(
    tag = "imports",
    security(("bearer" = [])),
    params(("id" = ImportId, Path, description = "The import"), RowsQuery),
    responses(
        (status = 200, description = "A page of rows", body = Page<FileRow>),
        (status = 404, description = "`not_found`: not an import of the household", body = Problem,
            content_type = "application/problem+json"),
        (status = 409, description = "`import_state`: neither previewed nor committed", body = Problem,
            content_type = "application/problem+json"),
        (status = "default", description = "Any other problem", body = Problem,
            content_type = "application/problem+json"),
    )
)]
#[get("/api/v1/imports/{id}/rows")]
pub(super) async fn rows(
    cx: Cx,
    connections: Client,
    id: Path<ImportId>,
    query: Query<RowsQuery>,
) -> Result<HttpResponse, ApiError> {
    let RowsQuery { outcome, cursor, limit, with_total } = query.0;
    let page: PageRequest = PageQuery { cursor, limit, with_total }.request()?;
    Ok(ok(&cx, &connections.rows(&cx, id.0, RowFilter { outcome }, page).await?))
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
    let import = connections.reparse(&cx, id.0).await?;
    Ok(accepted(&cx, format!("/api/v1/imports/{}", import.id), &import))
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
