//! From pending to booked: what proves it, what only suggests it, and what is gone.

use std::collections::{HashMap, HashSet};

use kernel::{BatchId, Money, Principal, TransactionId};
use ledger_api::{LedgerError, Suggestion};
use platform::{OrFail, Txn, outbox};
use serde_json::json;
use service_registry::CallContext;
use uuid::Uuid;

use crate::domain::may_be_one;
use crate::store::pending::{self, Pair};
use crate::store::{currency, dedupe};

/// Suggestions that a report lists.
const LISTED: usize = 100;

/// Says of each waiting row what it is, except corrections; answers what it may be besides.
pub(super) async fn classify(
    cx: &CallContext,
    txn: &Txn,
    batch: BatchId,
) -> Result<Vec<Suggestion>, LedgerError> {
    let expects = pending::is_any(&**txn, batch).await.or_fail(cx)?;
    dedupe::classify(&**txn, batch, expects).await.or_fail(cx)?;
    if !expects {
        return Ok(Vec::new());
    }
    pending::mark_by_id(&**txn, batch).await.or_fail(cx)?;
    pending::book_met(&**txn, batch).await.or_fail(cx)?;
    let pairs = pending::pairs(&**txn, batch).await.or_fail(cx)?;
    let pairs: Vec<Pair> = pairs.into_iter().filter(|pair| may_be_one(&pair.told, &pair.expected)).collect();
    let (exact, others): (Vec<Pair>, Vec<Pair>) =
        pairs.into_iter().partition(|pair| pair.amount_minor == pair.pending_minor);
    let (rows, transactions) = (counts(&exact, place), counts(&exact, target));
    let is_only = |pair: &Pair| rows[&place(pair)] == 1 && transactions[&target(pair)] == 1;
    for pair in exact.iter().filter(|pair| is_only(pair)) {
        pending::settle(&**txn, batch, pair).await.or_fail(cx)?;
    }
    // What is proven needs no suggestion; what was ambiguous is one.
    let settled = || exact.iter().filter(|pair| is_only(pair));
    let (rows_done, done): (HashSet<_>, HashSet<_>) =
        (settled().map(place).collect(), settled().map(target).collect());
    let is_open = |pair: &Pair| !rows_done.contains(&place(pair)) && !done.contains(&target(pair));
    let ambiguous = exact.iter().filter(|pair| !is_only(pair));
    let open = ambiguous.chain(others.iter().filter(|pair| is_near(pair) && is_open(pair))).take(LISTED);
    open.map(suggestion).collect::<Result<_, _>>().or_fail(cx).map_err(LedgerError::from)
}

fn place(pair: &Pair) -> (i32, i32) {
    (pair.part, pair.position)
}

fn target(pair: &Pair) -> Uuid {
    pair.transaction_id
}

fn counts<K: std::hash::Hash + Eq>(pairs: &[Pair], key: impl Fn(&Pair) -> K) -> HashMap<K, u32> {
    let mut counts = HashMap::new();
    pairs.iter().for_each(|pair| *counts.entry(key(pair)).or_default() += 1);
    counts
}

/// A tip, or a hold that was a guess: the booked amount is at most twice the expected one.
fn is_near(pair: &Pair) -> bool {
    pair.amount_minor.unsigned_abs() <= pair.pending_minor.unsigned_abs().saturating_mul(2)
}

fn suggestion(pair: &Pair) -> Result<Suggestion, sea_orm::DbErr> {
    let currency = currency(&pair.currency)?;
    Ok(Suggestion {
        line: pair.line.unsigned_abs(),
        amount: Money::from_minor(pair.amount_minor, currency),
        transaction_id: TransactionId(pair.transaction_id),
        pending: Money::from_minor(pair.pending_minor, currency),
    })
}

/// Takes away what is pending and should be in the batch but is not; answers which.
pub(super) async fn sweep(
    cx: &CallContext,
    who: &Principal,
    txn: &Txn,
    batch: BatchId,
) -> Result<HashSet<TransactionId>, LedgerError> {
    let mut gone = HashSet::new();
    for window in pending::windows(&**txn, batch, kernel::now().date_naive()).await.or_fail(cx)? {
        for id in pending::missing(&**txn, batch, &window).await.or_fail(cx)? {
            pending::remove(&**txn, batch, id, kernel::now()).await.or_fail(cx)?;
            let (space, told) = (Some(who.space), json!({ "account": window.account_id, "batch": batch }));
            outbox::append(cx, txn, space, "ledger.pending.removed", id, &told).await.or_fail(cx)?;
            gone.insert(TransactionId(id));
        }
    }
    Ok(gone)
}
