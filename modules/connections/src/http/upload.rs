use actix_web::error::PayloadError;
use actix_web::{HttpMessage, HttpRequest, HttpResponse, post, web};
use connections_api::Import;
use futures_util::StreamExt;
use kernel::{AccountId, Code, Currency, FieldError, Problem, ProfileId};
use platform::http::{ApiError, Cx, Query};
use serde::Deserialize;

use super::begun;
use crate::uploads::{UploadRequest, Uploads};

/// Content types under which bank files come. What a file is, its content decides.
const CONTENT_TYPES: [&str; 11] = [
    "application/octet-stream",
    "text/csv",
    "text/plain",
    "text/tab-separated-values",
    "application/x-ofx",
    "application/vnd.intu.qfx",
    "application/vnd.intu.qbo",
    "application/xml",
    "text/xml",
    "application/zip",
    "application/x-zip-compressed",
];

const MOST_NAME_CHARACTERS: usize = 255;

#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct UploadQuery {
    /// What the file is called where it comes from.
    #[param(max_length = 255)]
    file_name: Option<String>,
    /// The account that all rows are for. Without it, each statement goes to the account that it names.
    account_id: Option<AccountId>,
    /// The currency of amounts that do not say theirs.
    currency: Option<Currency>,
    /// The mapping profile to read a table with. Without it, the one that was saved for its header, or a guess.
    profile_id: Option<ProfileId>,
}

/// A bank file as its bank wrote it.
#[derive(utoipa::ToSchema)]
#[schema(value_type = String, format = Binary)]
struct BankFile(#[expect(dead_code, reason = "only described, never made: a file is a stream")] Vec<u8>);

/// Upload a bank file
///
/// The body is the file itself. It is read in the background: follow `Location` until the import is `previewed`, look
/// at its report, and commit it. Nothing reaches the ledger before that.
///
/// A ZIP archive ends `unpacked` instead, and each of the bank files in it is an import of its own, named in `members`.
/// Files of other kinds are left out and noted. An archive with an encrypted file, with an archive in it, or with more
/// in it than the limits allow fails as a whole.
#[utoipa::path(
    tag = "imports",
    security(("bearer" = [])),
    params(UploadQuery),
    request_body(
        content(
            (inline(BankFile) = "application/octet-stream"),
            (inline(BankFile) = "text/csv"),
            (inline(BankFile) = "application/x-ofx"),
            (inline(BankFile) = "application/xml"),
            (inline(BankFile) = "application/zip"),
        ),
        description = "OFX or QFX (1.x or 2.x), CAMT.052 to .054, MT940, QIF, a table, or a ZIP archive of such files. Other usual content types \
            are taken as well",
    ),
    responses(
        (status = 202, description = "The new import, being read", body = Import,
            headers(("Location" = String, description = "The import"))),
        (status = 403, description = "`forbidden`: viewers import nothing", body = Problem,
            content_type = "application/problem+json"),
        (status = 404, description = "`not_found`: no such account or profile here", body = Problem,
            content_type = "application/problem+json"),
        (status = 413, description = "`body_too_large`", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "`unsupported_media_type`", body = Problem,
            content_type = "application/problem+json"),
        (status = 422, description = "`empty_file`, `binary_file`, `unsupported_format`, `unknown_format`, \
            `validation_failed`, `idempotency_key_reused`", body = Problem,
            content_type = "application/problem+json"),
        (status = "default", description = "Any other problem", body = Problem,
            content_type = "application/problem+json"),
    )
)]
#[post("/api/v1/imports")]
pub(super) async fn upload(
    uploads: web::Data<Uploads>,
    cx: Cx,
    query: Query<UploadQuery>,
    request: HttpRequest,
    mut body: web::Payload,
) -> Result<HttpResponse, ApiError> {
    let taken = match checked(&request, query.0) {
        Ok(request) => {
            let pieces = body.by_ref().map(|piece| piece.map_err(broken_off));
            uploads.receive(&cx, request, pieces).await.map_err(ApiError::from)
        }
        Err(problem) => Err(ApiError::from(*problem)),
    };
    if taken.is_err() {
        read_to_the_end(&mut body, uploads.settings.upload_limit_bytes).await;
    }
    Ok(begun(&cx, &taken?))
}

fn checked(request: &HttpRequest, query: UploadQuery) -> Result<UploadRequest, Box<Problem>> {
    let content_type = request.content_type();
    if !CONTENT_TYPES.iter().any(|known| known.eq_ignore_ascii_case(content_type)) {
        let detail = format!("send the file itself, as one of {}", CONTENT_TYPES.join(", "));
        return Err(Box::new(Problem::new(Code::UnsupportedMediaType).detail(detail)));
    }
    let UploadQuery { file_name, account_id, currency, profile_id } = query;
    let is_odd =
        |name: &String| name.chars().count() > MOST_NAME_CHARACTERS || name.chars().any(char::is_control);
    if file_name.as_ref().is_some_and(is_odd) {
        let detail =
            format!("a file name has at most {MOST_NAME_CHARACTERS} characters, none of them a control one");
        let field = FieldError::new("?file_name", "invalid", detail);
        return Err(Box::new(Problem::new(Code::ValidationFailed).error(field)));
    }
    // Some clients send the whole path of where the file lay; that is nobody's business.
    let file_name = file_name.map(|name| name.rsplit(['/', '\\']).next().unwrap_or_default().to_owned());
    let file_name = file_name.filter(|name| !name.is_empty());
    Ok(UploadRequest { file_name, account_id, currency, profile_id })
}

fn broken_off(error: PayloadError) -> Box<Problem> {
    match error {
        PayloadError::Overflow => Box::new(Problem::new(Code::BodyTooLarge)),
        _ => Box::new(Problem::new(Code::MalformedRequest).detail("the body broke off")),
    }
}

/// A client that is still sending when the connection closes never sees the answer, so a body of bearable size is
/// read and thrown away.
async fn read_to_the_end(body: &mut web::Payload, at_most: u64) {
    let mut read = 0;
    while let Some(Ok(piece)) = body.next().await {
        read += piece.len() as u64;
        if read > at_most {
            return;
        }
    }
}
