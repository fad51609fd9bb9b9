use actix_web::{HttpResponse, get, patch};
use chrono::NaiveDate;
use kernel::{AccountId, Page, Problem, TransactionId};
use ledger_api::{ChangePage, Ledger, Transaction, TransactionFilter, TransactionKind, TransactionPatch};
use platform::http::{ApiError, Cx, Json, PageQuery, Path, Query, ok};
use serde::Deserialize;

use super::Client;

/// Which transactions are wanted, and which page of them; all conditions hold together.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct TransactionQuery {
    /// Booked on this date or later.
    from: Option<NaiveDate>,
    /// Booked on this date or earlier; the same as `from` for one day.
    to: Option<NaiveDate>,
    /// In name, memo or note, in either case.
    text: Option<String>,
    /// At least this amount, in each account's own currency.
    #[param(example = "-100.00")]
    min_amount: Option<String>,
    /// At most this amount.
    max_amount: Option<String>,
    /// Of this kind.
    #[param(inline)]
    kind: Option<TransactionKind>,
    /// Goes on after this position: the `next_cursor` of the page before.
    cursor: Option<String>,
    /// Items at most, 1 to 200.
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<u16>,
    /// Also count the whole list.
    with_total: Option<bool>,
}

impl TransactionQuery {
    fn split(self, account_id: Option<AccountId>) -> (TransactionFilter, PageQuery) {
        let page = PageQuery { cursor: self.cursor, limit: self.limit, with_total: self.with_total };
        let filter = TransactionFilter {
            account_id,
            from: self.from,
            to: self.to,
            text: self.text.filter(|text| !text.is_empty()),
            min_amount: self.min_amount,
            max_amount: self.max_amount,
            kind: self.kind,
        };
        (filter, page)
    }
}

/// Transactions of one account, newest bank date first.
#[utoipa::path(tag = "transactions", params(("id" = AccountId, Path), TransactionQuery), responses(
    (status = 200, description = "A page of transactions", body = Page<Transaction>),
    (status = 404, description = "No such account here", body = Problem, content_type = "application/problem+json"),
    (status = 422, description = "Not acceptable", body = Problem, content_type = "application/problem+json"),
))]
#[get("/api/v1/accounts/{id}/transactions")]
pub(crate) async fn account_transactions(
    ledger: Client,
    cx: Cx,
    id: Path<AccountId>,
    query: Query<TransactionQuery>,
) -> Result<HttpResponse, ApiError> {
    let (filter, page) = query.0.split(Some(id.0));
    Ok(ok(&cx, &ledger.list_transactions(&cx, filter, page.request()?).await?))
}

/// Transactions of all accounts, newest bank date first.
#[utoipa::path(tag = "transactions", params(TransactionQuery), responses(
    (status = 200, description = "A page of transactions", body = Page<Transaction>),
    (status = 422, description = "Not acceptable", body = Problem, content_type = "application/problem+json"),
))]
#[get("/api/v1/transactions")]
pub(crate) async fn list_transactions(
    ledger: Client,
    cx: Cx,
    query: Query<TransactionQuery>,
) -> Result<HttpResponse, ApiError> {
    let (filter, page) = query.0.split(None);
    Ok(ok(&cx, &ledger.list_transactions(&cx, filter, page.request()?).await?))
}

/// One transaction.
#[utoipa::path(tag = "transactions", params(("id" = TransactionId, Path)), responses(
    (status = 200, description = "The transaction", body = Transaction),
    (status = 404, description = "No such transaction here", body = Problem, content_type = "application/problem+json"),
))]
#[get("/api/v1/transactions/{id}")]
pub(crate) async fn transaction(
    ledger: Client,
    cx: Cx,
    id: Path<TransactionId>,
) -> Result<HttpResponse, ApiError> {
    Ok(ok(&cx, &ledger.transaction(&cx, id.0).await?))
}

/// Says what the household calls a transaction, files it under, or writes beside it. No import overwrites that.
#[utoipa::path(tag = "transactions", params(("id" = TransactionId, Path)), request_body = TransactionPatch, responses(
    (status = 200, description = "The transaction as it is now", body = Transaction),
    (status = 403, description = "Viewers change nothing", body = Problem, content_type = "application/problem+json"),
    (status = 404, description = "No such transaction here", body = Problem, content_type = "application/problem+json"),
    (status = 422, description = "Not acceptable", body = Problem, content_type = "application/problem+json"),
))]
#[patch("/api/v1/transactions/{id}")]
pub(crate) async fn update_transaction(
    ledger: Client,
    cx: Cx,
    id: Path<TransactionId>,
    patch: Json<TransactionPatch>,
) -> Result<HttpResponse, ApiError> {
    Ok(ok(&cx, &ledger.update_transaction(&cx, id.0, patch.0).await?))
}

/// From where to read the change feed.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ChangesQuery {
    /// The `next_seq` of the page before; from the start where absent.
    #[param(default = 0)]
    after_seq: Option<i64>,
    /// Changes at most, 1 to 200.
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<u16>,
}

/// What changed in the household's ledger, oldest first: thin events that say where to look.
#[utoipa::path(tag = "transactions", params(ChangesQuery), responses(
    (status = 200, description = "A page of changes", body = ChangePage),
))]
#[get("/api/v1/changes")]
pub(crate) async fn changes(
    ledger: Client,
    cx: Cx,
    query: Query<ChangesQuery>,
) -> Result<HttpResponse, ApiError> {
    let page = PageQuery { limit: query.0.limit, ..PageQuery::default() }.request()?;
    Ok(ok(&cx, &ledger.changes(&cx, query.0.after_seq.unwrap_or_default(), page.limit).await?))
}
