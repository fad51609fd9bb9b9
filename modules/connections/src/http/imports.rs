use actix_web::{HttpResponse, delete, get, post};
use connections_api::{Connections, FileFormat, Import, PreviewRequest};
use connections_formats::Format;
use connections_formats::csv::{self, Profile, Proof};
use kernel::{ImportId, Page, Problem};
use platform::http::{ApiError, Cx, Json, PageQuery, Path, Query, accepted, no_content, ok};
use serde::Serialize;
use utoipa::ToSchema;

use super::Client;

/// A format that is read.
#[derive(Serialize, ToSchema)]
pub(super) struct ImportFormat {
    /// Its name in imports.
    format: FileFormat,
    /// What people call it.
    name: &'static str,
    /// File name extensions that it usually has. What a file is, its content decides.
    extensions: &'static [&'static str],
    /// Of tables: the banks' layouts that are read without a mapping of one's own.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    profiles: Vec<BuiltInProfile>,
}

/// A bank's layout of tables that is known, so that nobody has to map its columns.
#[derive(Serialize, ToSchema)]
pub(super) struct BuiltInProfile {
    /// Stable word for programs.
    #[schema(example = "chase-card")]
    id: &'static str,
    /// The bank and what of it, for people.
    #[schema(example = "Chase credit card")]
    name: &'static str,
    /// How sure we are of it: `rows` (what rows look like is known), `header` (something about the rows is an
    /// assumption) or `unverified`.
    #[schema(value_type = String, example = "rows")]
    proof: Proof,
    /// What is peculiar about it.
    notes: &'static str,
}

impl From<&'static Profile> for BuiltInProfile {
    fn from(profile: &'static Profile) -> Self {
        Self { id: &profile.id, name: &profile.name, proof: profile.proof, notes: &profile.notes }
    }
}

/// The formats that are read.
#[derive(Serialize, ToSchema)]
pub(super) struct ImportFormats {
    /// All of them.
    data: Vec<ImportFormat>,
}

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

/// List formats
///
/// What files can be imported, and which banks' tables are known.
#[utoipa::path(
    tag = "imports",
    security(("bearer" = [])),
    responses(
        (status = 200, description = "The formats", body = ImportFormats),
        (status = "default", description = "Any other problem", body = Problem,
            content_type = "application/problem+json"),
    )
)]
#[get("/api/v1/imports/formats")]
pub(super) async fn formats(cx: Cx) -> Result<HttpResponse, ApiError> {
    let format = |format, name, extensions: &'static [&'static str]| ImportFormat {
        format,
        name,
        extensions,
        profiles: Vec::new(),
    };
    let csv = Format::Csv.extensions();
    let tables = format(FileFormat::Csv, "Table with one transaction per line (CSV)", csv);
    let profiles = csv::profiles().iter().map(BuiltInProfile::from).collect();
    let data = vec![
        format(FileFormat::Ofx1, "OFX or QFX 1.x (SGML)", Format::Ofx1.extensions()),
        format(FileFormat::Ofx2, "OFX or QFX 2.x (XML)", Format::Ofx2.extensions()),
        format(FileFormat::Camt, "CAMT.052, CAMT.053, CAMT.054 (ISO 20022 XML)", Format::Camt.extensions()),
        ImportFormat { profiles, ..tables },
        format(FileFormat::Mt940, "SWIFT MT940 or MT942", Format::Mt940.extensions()),
        format(FileFormat::Qif, "Quicken Interchange Format (QIF)", Format::Qif.extensions()),
        format(FileFormat::Zip, "Archive of such files (ZIP)", &["zip"]),
    ];
    Ok(ok(&cx, &ImportFormats { data }))
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
    let import = connections.preview(&cx, id.0, request.0).await?;
    Ok(accepted(&cx, format!("/api/v1/imports/{}", import.id), &import))
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
    let import = connections.commit(&cx, id.0).await?;
    Ok(accepted(&cx, format!("/api/v1/imports/{}", import.id), &import))
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
    let import = connections.undo(&cx, id.0).await?;
    Ok(accepted(&cx, format!("/api/v1/imports/{}", import.id), &import))
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
