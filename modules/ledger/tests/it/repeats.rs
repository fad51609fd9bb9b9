//! A call that comes again under its call id, since its first answer may have been lost on the way.

use futures_util::future::join_all;
use kernel::{Currency, PageRequest};
use ledger_api::{AccountKind, AccountPatch, LedgerError, NewAccount};
use service_registry::CallContext;

use crate::harness::*;

fn cash() -> NewAccount {
    let currency = Currency::parse("EUR").unwrap();
    NewAccount { name: "Wallet".into(), kind: AccountKind::Cash, currency, opening: None }
}

async fn count(bench: &Bench, cx: &CallContext) -> usize {
    bench.ledger.list_accounts(cx, PageRequest::default()).await.unwrap().data.len()
}

#[test]
fn a_repeated_call_gets_the_first_answer_and_has_no_second_effect() {
    on_each_database(async |bench| {
        let cx = owner();
        let lost = cx.clone().of_repeatable_request();
        let first = bench.ledger.create_account(&lost, cash()).await.unwrap();
        assert_eq!(bench.ledger.create_account(&lost, cash()).await.unwrap(), first);
        assert!(!lost.was_replayed(), "nobody asked twice: it was our own repeat");
        assert_eq!(count(bench, &cx).await, 1);

        let patch = AccountPatch { name: Some("Purse".into()), opening: None, closed: None };
        let changed = bench.ledger.update_account(&lost, first.id, patch.clone()).await.unwrap();
        assert_eq!(changed.name, "Purse", "another method is another call");
        let other = cx.clone().of_repeatable_request().with_position(uuid::Uuid::now_v7(), 0, 0);
        bench.ledger.create_account(&other, cash()).await.unwrap();
        assert_eq!(count(bench, &cx).await, 2, "another request is another call");
    });
}

#[test]
fn a_repeat_that_overtakes_its_first_waits_for_it() {
    on_each_database(async |bench| {
        let cx = owner();
        let lost = cx.clone().of_repeatable_request();
        let answers = join_all((0..6).map(|_| bench.ledger.create_account(&lost, cash()))).await;
        let first = answers[0].as_ref().unwrap();
        assert!(answers.iter().all(|answer| answer.as_ref() == Ok(first)), "{answers:?}");
        assert_eq!(count(bench, &cx).await, 1);
    });
}

#[test]
fn a_refused_call_leaves_nothing_and_may_come_again() {
    on_each_database(async |bench| {
        let cx = owner();
        let lost = cx.clone().of_repeatable_request();
        let account = kernel::AccountId::new();
        for _ in 0..2 {
            let patch = AccountPatch { name: Some("Purse".into()), opening: None, closed: None };
            let refused = bench.ledger.update_account(&lost, account, patch).await;
            assert_eq!(refused, Err(LedgerError::AccountNotFound(account)));
        }
    });
}

#[test]
fn the_id_of_another_users_call_is_another_id() {
    on_each_database(async |bench| {
        let (ada, eve) = (owner(), owner());
        let id = uuid::Uuid::now_v7();
        let same = |cx: &CallContext| cx.clone().with_position(id, 0, 0).of_repeatable_request();
        let hers = bench.ledger.create_account(&same(&ada), cash()).await.unwrap();
        let theirs = bench.ledger.create_account(&same(&eve), cash()).await.unwrap();
        assert_ne!(hers.id, theirs.id);
    });
}
