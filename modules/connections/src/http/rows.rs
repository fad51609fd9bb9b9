use actix_web::{HttpResponse, get};
use connections_api::{Connections, FileRow, RowFilter, RowOutcome};
use kernel::{ImportId, Page, PageRequest, Problem};
use platform::http::{ApiError, Cx, PageQuery, Path, Query, ok};
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
pub(super) async fn list(
    cx: Cx,
    connections: Client,
    id: Path<ImportId>,
    query: Query<RowsQuery>,
) -> Result<HttpResponse, ApiError> {
    let RowsQuery { outcome, cursor, limit, with_total } = query.0;
    let page: PageRequest = PageQuery { cursor, limit, with_total }.request()?;
    Ok(ok(&cx, &connections.rows(&cx, id.0, RowFilter { outcome }, page).await?))
}
