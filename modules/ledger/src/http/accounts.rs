use actix_web::{HttpResponse, get, patch, post};
use chrono::NaiveDate;
use kernel::{AccountId, Page, Problem};
use ledger_api::{Account, AccountPatch, BalanceFilter, BalanceSnapshot, Ledger, NewAccount};
use platform::http::{ApiError, Cx, Json, PageQuery, Path, Query, created, ok};
use serde::Deserialize;

use super::Client;

/// The household's accounts.
#[utoipa::path(tag = "accounts", params(PageQuery), responses(
    (status = 200, description = "A page of accounts", body = Page<Account>),
    (status = 401, description = "Not logged in", body = Problem, content_type = "application/problem+json"),
))]
#[get("/api/v1/accounts")]
pub(crate) async fn list_accounts(
    ledger: Client,
    cx: Cx,
    page: Query<PageQuery>,
) -> Result<HttpResponse, ApiError> {
    Ok(ok(&cx, &ledger.list_accounts(&cx, page.0.request()?).await?))
}

/// Opens an account that is kept by hand or filled by imports into it.
#[utoipa::path(tag = "accounts", request_body = NewAccount, responses(
    (status = 201, description = "The new account", body = Account),
    (status = 403, description = "Viewers change nothing", body = Problem, content_type = "application/problem+json"),
    (status = 422, description = "Not acceptable", body = Problem, content_type = "application/problem+json"),
))]
#[post("/api/v1/accounts")]
pub(crate) async fn create_account(
    ledger: Client,
    cx: Cx,
    new: Json<NewAccount>,
) -> Result<HttpResponse, ApiError> {
    let opened = ledger.create_account(&cx, new.0).await?;
    Ok(created(&cx, format!("/api/v1/accounts/{}", opened.id), &opened))
}

/// One account with its balance.
#[utoipa::path(tag = "accounts", params(("id" = AccountId, Path)), responses(
    (status = 200, description = "The account", body = Account),
    (status = 404, description = "No such account here", body = Problem, content_type = "application/problem+json"),
))]
#[get("/api/v1/accounts/{id}")]
pub(crate) async fn account(ledger: Client, cx: Cx, id: Path<AccountId>) -> Result<HttpResponse, ApiError> {
    Ok(ok(&cx, &ledger.account(&cx, id.0).await?))
}

/// Renames, closes or reopens an account, or states what it held before its first transaction.
#[utoipa::path(tag = "accounts", params(("id" = AccountId, Path)), request_body = AccountPatch, responses(
    (status = 200, description = "The account as it is now", body = Account),
    (status = 404, description = "No such account here", body = Problem, content_type = "application/problem+json"),
    (status = 422, description = "Not acceptable", body = Problem, content_type = "application/problem+json"),
))]
#[patch("/api/v1/accounts/{id}")]
pub(crate) async fn update_account(
    ledger: Client,
    cx: Cx,
    id: Path<AccountId>,
    patch: Json<AccountPatch>,
) -> Result<HttpResponse, ApiError> {
    Ok(ok(&cx, &ledger.update_account(&cx, id.0, patch.0).await?))
}

/// Which stated balances are wanted, and which page of them.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct BalanceQuery {
    /// As of this date or later.
    from: Option<NaiveDate>,
    /// As of this date or earlier.
    to: Option<NaiveDate>,
    /// Goes on after this position: the `next_cursor` of the page before.
    cursor: Option<String>,
    /// Items at most, 1 to 200.
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<u16>,
    /// Also count the whole list.
    with_total: Option<bool>,
}

impl BalanceQuery {
    fn split(self, account_id: Option<AccountId>) -> (BalanceFilter, PageQuery) {
        let page = PageQuery { cursor: self.cursor, limit: self.limit, with_total: self.with_total };
        (BalanceFilter { account_id, from: self.from, to: self.to }, page)
    }
}

/// Balances of one account as its bank stated them, newest first.
#[utoipa::path(tag = "balances", params(("id" = AccountId, Path), BalanceQuery), responses(
    (status = 200, description = "A page of stated balances", body = Page<BalanceSnapshot>),
    (status = 404, description = "No such account here", body = Problem, content_type = "application/problem+json"),
))]
#[get("/api/v1/accounts/{id}/balance-snapshots")]
pub(crate) async fn account_balance_snapshots(
    ledger: Client,
    cx: Cx,
    id: Path<AccountId>,
    query: Query<BalanceQuery>,
) -> Result<HttpResponse, ApiError> {
    let (filter, page) = query.0.split(Some(id.0));
    Ok(ok(&cx, &ledger.list_balance_snapshots(&cx, filter, page.request()?).await?))
}

/// Balances of all accounts as their banks stated them, newest first.
#[utoipa::path(tag = "balances", params(BalanceQuery), responses(
    (status = 200, description = "A page of stated balances", body = Page<BalanceSnapshot>),
))]
#[get("/api/v1/balance-snapshots")]
pub(crate) async fn balance_snapshots(
    ledger: Client,
    cx: Cx,
    query: Query<BalanceQuery>,
) -> Result<HttpResponse, ApiError> {
    let (filter, page) = query.0.split(None);
    Ok(ok(&cx, &ledger.list_balance_snapshots(&cx, filter, page.request()?).await?))
}
