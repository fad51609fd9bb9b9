//! What has no place of its own in a plain-text ledger: metadata there, tags here, the same in both.

use chrono::NaiveDate;
use kernel::Money;
use ledger_api::{Account, Trade, Transaction};

use super::journal::amount;
use super::text::{self, account_kind, one_line};

/// Something that is told of an account or a row.
pub(super) enum Fact {
    /// In one line.
    Text(String),
    Day(NaiveDate),
    Amount(Money),
}

impl Fact {
    /// Without the marks that a format may put around it.
    pub(super) fn plain(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Day(day) => day.to_string(),
            Self::Amount(money) => amount(money.minor().into(), money.currency()),
        }
    }
}

/// A fact and its name.
pub(super) type Named = (&'static str, Fact);

/// What is told of an account.
pub(super) fn of_account(account: &Account) -> impl Iterator<Item = Named> {
    let all = [
        text("name", &account.name),
        text("account-id", &account.id.to_string()),
        text("kind", &account_kind(account.kind)),
        text("bank-id", account.bank_id.as_deref().unwrap_or_default()),
        text("number", account.number_mask.as_deref().unwrap_or_default()),
    ];
    all.into_iter().flatten()
}

/// What is told of a row.
pub(super) fn of_row(transaction: &Transaction) -> impl Iterator<Item = Named> {
    let details = &transaction.details;
    let day = |name, day: Option<NaiveDate>| day.map(|day| (name, Fact::Day(day)));
    let all = [
        text("transaction-id", &transaction.id.to_string()),
        text("external-id", transaction.external_id.as_deref().unwrap_or_default()),
        text("kind", &text::kind(transaction.kind)),
        text("check", transaction.check_number.as_deref().unwrap_or_default()),
        day("occurred-on", transaction.occurred_on),
        day("value-on", details.value_on),
        text("reference", details.reference.as_deref().unwrap_or_default()),
    ];
    let trade = details.trade.as_deref().map(of_trade).into_iter().flatten();
    let original = transaction.original.map(|original| ("original", Fact::Amount(original)));
    all.into_iter().chain(trade).chain([original]).flatten()
}

fn of_trade(trade: &Trade) -> [Option<Named>; 3] {
    let security =
        trade.ticker.as_deref().or(trade.security_id.as_deref()).or(trade.security_name.as_deref());
    [
        text("security", security.unwrap_or_default()),
        text("units", trade.units.as_deref().unwrap_or_default()),
        text("unit-price", trade.unit_price.as_deref().unwrap_or_default()),
    ]
}

/// Nothing where there is no text.
fn text(name: &'static str, text: &str) -> Option<Named> {
    let text = one_line(text);
    (!text.is_empty()).then_some((name, Fact::Text(text)))
}
