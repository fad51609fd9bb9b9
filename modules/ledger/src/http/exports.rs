use actix_web::body::BodyStream;
use actix_web::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse, get, web};
use chrono::NaiveDate;
use futures_util::stream;
use kernel::{AccountId, Code, DateRange, FieldError, Problem};
use platform::http::{ApiError, Cx};

use crate::export::{Exports, Format, Selection};

/// What is wanted of the ledger; read by hand, because `account_id` may come several times.
#[derive(utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[allow(dead_code, reason = "describes what `selection` reads")]
struct ExportQuery {
    /// This account alone; several times for several. All accounts where absent.
    account_id: Option<Vec<AccountId>>,
    /// Booked on this date or later.
    from: Option<NaiveDate>,
    /// Booked on this date or earlier.
    to: Option<NaiveDate>,
}

/// One route for each format, since each is a resource of its own with a type of its own.
macro_rules! route {
    ($name:ident, $format:ident, $path:literal, $type:literal, $said:literal) => {
        #[doc = $said]
        ///
        /// The answer is streamed and shows the ledger as it was at one moment; if it breaks off, the connection does.
        #[utoipa::path(tag = "exports", params(ExportQuery), responses(
            (status = 200, description = "The file", body = String, content_type = $type),
            (status = 404, description = "No such account here", body = Problem, content_type = "application/problem+json"),
            (status = 422, description = "Not acceptable", body = Problem, content_type = "application/problem+json"),
        ))]
        #[get($path)]
        pub(crate) async fn $name(
            exports: Data<Exports>,
            cx: Cx,
            request: HttpRequest,
        ) -> Result<HttpResponse, ApiError> {
            export(&exports, &cx, &request, Format::$format).await
        }
    };
}

route!(csv, Csv, "/api/v1/exports/ledger.csv", "text/csv", "All transactions as one CSV table.");
route!(
    ofx,
    Ofx,
    "/api/v1/exports/ledger.ofx",
    "application/x-ofx",
    "A statement of each account as OFX 2.2."
);
route!(qif, Qif, "/api/v1/exports/ledger.qif", "application/qif", "The register of each account as QIF.");
route!(
    beancount,
    Beancount,
    "/api/v1/exports/ledger.beancount",
    "text/plain",
    "The ledger as a beancount file."
);
route!(
    hledger,
    Hledger,
    "/api/v1/exports/ledger.hledger",
    "text/plain",
    "The ledger as a journal of hledger."
);
route!(
    json,
    Json,
    "/api/v1/exports/ledger.json",
    "application/json",
    "Accounts, transactions and stated balances as JSON."
);

async fn export(
    exports: &Exports,
    cx: &Cx,
    request: &HttpRequest,
    format: Format,
) -> Result<HttpResponse, ApiError> {
    let wanted = selection(request.query_string())?;
    let pieces = exports.begin(cx, format, wanted).await?;
    let pieces = stream::unfold(pieces, |mut pieces| async { Some((pieces.recv().await?, pieces)) });
    let name = format!("tributary-ledger-{}.{}", kernel::now().date_naive(), format.extension());
    Ok(HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, format.media_type()))
        .insert_header((CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")))
        .body(BodyStream::new(pieces)))
}

fn selection(query: &str) -> Result<Selection, ApiError> {
    let pairs = web::Query::<Vec<(String, String)>>::from_query(query);
    let pairs = pairs.map_err(|error| invalid("?", error.to_string()))?.into_inner();
    let mut accounts = Vec::new();
    let (mut from, mut to) = (None, None);
    for (name, value) in pairs {
        match name.as_str() {
            "account_id" => {
                accounts.push(value.parse().map_err(|error| invalid("?account_id", format!("{error}")))?)
            }
            "from" if from.is_none() => from = Some(day("?from", &value)?),
            "to" if to.is_none() => to = Some(day("?to", &value)?),
            _ => return Err(invalid("?", format!("{:?} is not known here, or came twice", shown(&name)))),
        }
    }
    let dates = DateRange::new(from, to).map_err(|error| invalid("?to", error.to_string()))?;
    Ok(Selection { accounts, dates })
}

fn day(pointer: &str, text: &str) -> Result<NaiveDate, ApiError> {
    text.parse().map_err(|_| invalid(pointer, "a date is YYYY-MM-DD".into()))
}

fn shown(text: &str) -> String {
    text.chars().take(40).collect()
}

fn invalid(pointer: &str, detail: String) -> ApiError {
    Problem::new(Code::ValidationFailed).error(FieldError::new(pointer, "invalid", detail)).into()
}
