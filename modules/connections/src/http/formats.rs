use actix_web::{HttpResponse, get};
use connections_api::FileFormat;
use connections_formats::Format;
use connections_formats::csv::{self, Profile, Proof};
use kernel::Problem;
use platform::http::{ApiError, Cx, ok};
use serde::Serialize;
use utoipa::ToSchema;

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
pub(super) async fn list(cx: Cx) -> Result<HttpResponse, ApiError> {
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
