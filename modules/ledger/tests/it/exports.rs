//! Files of the ledger, as the routes give them.

mod books;
mod formats;
mod streaming;

use actix_web::body::{BoxBody, to_bytes};
use actix_web::dev::{Service, ServiceRequest};
use actix_web::http::{StatusCode, header};
use actix_web::middleware::{Next, from_fn};
use actix_web::{App, HttpMessage, HttpResponse, test};
use kernel::{Currency, Money};
use ledger_api::{
    AccountKind, AccountRef, BalanceKind, Details, ExternalAccount, Row, Split, StatedBalance,
    TransactionStatus,
};
use proptest::prelude::*;
use service_registry::CallContext;
use utoipa_actix_web::AppExt;

use crate::harness::*;

/// An answer whose body came whole, or did not.
pub struct Answer {
    pub status: StatusCode,
    pub headers: header::HeaderMap,
    pub body: Option<String>,
}

impl Answer {
    pub async fn of(response: HttpResponse) -> Self {
        let (status, headers) = (response.status(), response.headers().clone());
        let body = to_bytes(response.into_body()).await.ok();
        Self { status, headers, body: body.map(|bytes| String::from_utf8(bytes.to_vec()).unwrap()) }
    }

    pub fn text(self) -> String {
        assert_eq!(self.status, StatusCode::OK, "{:?}", self.body);
        self.body.unwrap()
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).unwrap().to_str().unwrap()
    }
}

/// `GET /api/v1/exports/ledger.{rest}` through the routes; the body is there to be read.
pub async fn begin(bench: &Bench, cx: &CallContext, rest: &str) -> HttpResponse {
    let routes = bench.module.routes.clone();
    let (app, _) = App::new().into_utoipa_app().configure(|config| routes(config)).split_for_parts();
    let cx = cx.clone();
    let edge = move |request: ServiceRequest, next: Next<BoxBody>| {
        request.extensions_mut().insert(cx.clone());
        async move { next.call(request).await }
    };
    let app = test::init_service(app.wrap(from_fn(edge))).await;
    let request = test::TestRequest::with_uri(&format!("/api/v1/exports/ledger.{rest}")).to_request();
    match app.call(request).await {
        Ok(response) => response.into_parts().1.map_into_boxed_body(),
        Err(error) => error.error_response(),
    }
}

/// The whole answer.
pub async fn export(bench: &Bench, cx: &CallContext, rest: &str) -> Answer {
    Answer::of(begin(bench, cx, rest).await).await
}

pub fn money(minor: i64, currency: &str) -> Money {
    Money::from_minor(minor, Currency::parse(currency).unwrap())
}

/// An account of its own for each number, with rows and the balances that its bank states.
#[derive(Clone, Debug)]
pub struct Content {
    pub kind: AccountKind,
    pub currency: &'static str,
    pub name: String,
    pub rows: Vec<Row>,
    pub stated: Vec<StatedBalance>,
}

/// Puts the accounts into a household of their own.
pub async fn household(bench: &Bench, accounts: &[Content]) -> CallContext {
    let cx = owner();
    for (number, content) in accounts.iter().enumerate() {
        let account = ExternalAccount {
            currency: Currency::parse(content.currency).unwrap(),
            kind: content.kind,
            name: content.name.clone(),
            ..checking(&format!("key-{number}"))
        };
        let file = File {
            account: AccountRef::External(account),
            balances: content.stated.clone(),
            ..File::of(content.rows.clone())
        };
        let outcomes = bench.import(&cx, &file).await.unwrap().outcomes;
        assert_eq!(outcomes.created, content.rows.len() as u64);
    }
    cx
}

/// Text as banks and people write it, and as nobody should.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[A-Za-z ]{0,12}",
        2 => prop::sample::select(&[
            "=1+1", "+49 30 1", "-5", "@x", "'=x", "a \"b\" \\ c", "a\nb", "a;b, c", "(12) x", "! z", "* y",
            "date: 2026-99-99", "[2026/13/13]", "Müller & Söhne <b>", "家計", "a | b  c", "\u{1f600}", "x\u{b}y", "{z}",
        ][..])
        .prop_map(str::to_owned),
        1 => "\\PC{0,10}",
        1 => ".{0,10}".prop_map(|text| text.replace('\0', "")),
    ]
}

/// What only some formats tell: categories as people write them, splits that add up and some that do not.
fn details(minor: i64, currency: &'static str) -> impl Strategy<Value = Details> {
    let category =
        || prop::option::of(prop_oneof![text(), Just("Food:Fruit".to_owned()), Just("[Savings]".to_owned())]);
    let split = (category(), -300..300i64, prop::option::of(text()));
    let splits = prop_oneof![3 => Just(vec![]), 1 => prop::collection::vec(split, 1..3)];
    (category(), prop::option::of(text()), splits, any::<bool>()).prop_map(
        move |(category, reference, splits, exact)| {
            let mut splits: Vec<_> = splits
                .into_iter()
                .map(|(category, minor, memo)| Split { amount: money(minor, currency), category, memo })
                .collect();
            let others: i64 = splits.iter().skip(1).map(|split| split.amount.minor()).sum();
            if let (Some(first), true) = (splits.first_mut(), exact) {
                first.amount = money(minor - others, currency);
            }
            Details { category, reference, splits, ..Details::default() }
        },
    )
}

/// A row, often one that looks like another.
fn rows(currency: &'static str) -> impl Strategy<Value = Row> {
    let amount = prop_oneof![4 => -300..300i64, 1 => -1_000_000_000_000..1_000_000_000_000i64];
    let texts = (text(), prop::option::of(text()), prop::option::of("[0-9]{1,4}"), prop::option::of("[xyz]"));
    let row = (1..28u32, amount, texts, any::<bool>());
    row.prop_flat_map(move |(on, minor, (name, memo, check_number, external_id), is_pending)| {
        let row = Row {
            memo,
            check_number,
            external_id,
            status: if is_pending { TransactionStatus::Pending } else { TransactionStatus::Booked },
            ..Row::new(day(on), money(minor, currency), name)
        };
        details(minor, currency).prop_map(move |details| Row { details, ..row.clone() })
    })
}

/// Ledgers of a few accounts with rows that often look alike.
pub fn ledgers() -> impl Strategy<Value = Vec<Content>> {
    let kinds =
        &[AccountKind::Checking, AccountKind::CreditCard, AccountKind::Loan, AccountKind::Investment][..];
    let currencies = prop::sample::select(&["EUR", "JPY", "KWD"][..]);
    let account = (prop::sample::select(kinds), currencies, text());
    let account = account.prop_flat_map(|(kind, currency, name)| {
        let stated = (1..28u32, prop::option::of(-300..300i64));
        let parts = (prop::collection::vec(rows(currency), 0..8), prop::collection::vec(stated, 0..3));
        parts.prop_map(move |(rows, stated)| {
            let name = if name.is_empty() { "x".to_owned() } else { name.clone() };
            let stated = stated.iter().map(|(on, minor)| StatedBalance {
                kind: BalanceKind::Ledger,
                as_of: day(*on),
                amount: money(minor.unwrap_or_else(|| booked(&rows, *on)), currency),
            });
            Content { kind, currency, name, stated: stated.collect(), rows }
        })
    });
    prop::collection::vec(account, 0..4)
}

fn booked(rows: &[Row], on: u32) -> i64 {
    let counts = |row: &&Row| row.posted_on <= day(on) && row.status == TransactionStatus::Booked;
    rows.iter().filter(counts).map(|row| row.amount.minor()).sum()
}
