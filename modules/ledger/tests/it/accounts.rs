use kernel::{AccountId, Currency, PageRequest, Role, SpaceId, ToProblem};
use ledger_api::{AccountKind, AccountPatch, LedgerError, NewAccount};
use service_registry::IdempotencyKey;

use crate::harness::*;

fn cash(name: &str) -> NewAccount {
    NewAccount {
        name: name.into(),
        kind: AccountKind::Cash,
        currency: Currency::parse("EUR").unwrap(),
        opening: Some("12.34".into()),
    }
}

#[test]
fn an_account_starts_with_its_opening_balance() {
    on_each_database(async |bench| {
        let cx = owner();
        let account = bench.ledger.create_account(&cx, cash(" Wallet ")).await.unwrap();
        assert_eq!((account.name.as_str(), account.booked, account.drift), ("Wallet", eur(1234), None));
        let patch = AccountPatch { opening: Some("20".into()), name: Some("Purse".into()), closed: None };
        let account = bench.ledger.update_account(&cx, account.id, patch).await.unwrap();
        assert_eq!((account.name.as_str(), account.booked, account.opening), ("Purse", eur(2000), eur(2000)));
    });
}

#[test]
fn bad_input_is_named_and_changes_nothing() {
    on_each_database(async |bench| {
        let cx = owner();
        let refused = [
            (NewAccount { name: "  ".into(), ..cash("x") }, "/name"),
            (NewAccount { name: "x".repeat(101), ..cash("x") }, "/name"),
            (NewAccount { opening: Some("1,5".into()), ..cash("x") }, "/opening"),
            (NewAccount { opening: Some("1.234".into()), ..cash("x") }, "/opening"),
        ];
        for (account, pointer) in refused {
            match bench.ledger.create_account(&cx, account).await {
                Err(LedgerError::Invalid(field)) => assert_eq!(field.pointer, pointer),
                other => panic!("{other:?}"),
            }
        }
        assert!(bench.ledger.list_accounts(&cx, PageRequest::default()).await.unwrap().data.is_empty());
    });
}

#[test]
fn an_account_of_another_household_does_not_exist() {
    on_each_database(async |bench| {
        let (mine, theirs) = (owner(), owner());
        let id = bench.ledger.create_account(&mine, cash("Wallet")).await.unwrap().id;
        assert_eq!(bench.ledger.account(&theirs, id).await, Err(LedgerError::AccountNotFound(id)));
        let patch = bench.ledger.update_account(&theirs, id, AccountPatch::default()).await;
        assert_eq!(patch, Err(LedgerError::AccountNotFound(id)));
        let nobody = AccountId::new();
        assert_eq!(bench.ledger.account(&mine, nobody).await, Err(LedgerError::AccountNotFound(nobody)));
    });
}

#[test]
fn nobody_sees_anything_without_logging_in() {
    on_each_database(async |bench| {
        let nobody = service_registry::CallContext::root();
        let refused = bench.ledger.list_accounts(&nobody, PageRequest::default()).await;
        assert_eq!(refused, Err(LedgerError::Unauthenticated));
    });
}

#[test]
fn accounts_come_in_pages_with_a_true_total() {
    on_each_database(async |bench| {
        let cx = owner();
        for n in 0..5 {
            bench.ledger.create_account(&cx, cash(&format!("A{n}"))).await.unwrap();
        }
        bench.ledger.create_account(&owner(), cash("Theirs")).await.unwrap();
        let mut names = Vec::new();
        let mut page = PageRequest { limit: 2, with_total: true, cursor: None };
        loop {
            let next = bench.ledger.list_accounts(&cx, page.clone()).await.unwrap();
            assert_eq!(next.total, Some(5));
            names.extend(next.data.into_iter().map(|account| account.name));
            page.cursor = next.next_cursor;
            if page.cursor.is_none() {
                break;
            }
        }
        assert_eq!(names, ["A0", "A1", "A2", "A3", "A4"]);
    });
}

#[test]
fn a_repeated_creation_with_the_same_key_makes_one_account() {
    on_each_database(async |bench| {
        let key = |fingerprint: &str| IdempotencyKey {
            route: "POST /api/v1/accounts".into(),
            key: "0123456789abcdef".into(),
            fingerprint: fingerprint.into(),
        };
        let (space, user) = (SpaceId::new(), owner());
        let who = member(space, Role::Owner);
        let first_cx = who.clone().with_idempotency(key("same"));
        let first = bench.ledger.create_account(&first_cx, cash("Wallet")).await.unwrap();
        assert!(!first_cx.was_replayed());
        let again_cx = who.clone().with_idempotency(key("same"));
        assert_eq!(bench.ledger.create_account(&again_cx, cash("Wallet")).await.unwrap(), first);
        assert!(again_cx.was_replayed());
        let other =
            bench.ledger.create_account(&who.clone().with_idempotency(key("other")), cash("Purse")).await;
        assert!(
            matches!(other, Err(LedgerError::Idempotency(problem)) if problem.code == "idempotency_key_reused")
        );
        // The same key of another household is another key.
        assert_ne!(
            bench.ledger.create_account(&user.with_idempotency(key("same")), cash("Wallet")).await.unwrap(),
            first
        );
        assert_eq!(bench.ledger.list_accounts(&who, PageRequest::default()).await.unwrap().data.len(), 1);
    });
}

#[test]
fn a_refusal_that_stands_is_the_answer_to_its_key_and_one_that_can_be_mended_is_not() {
    on_each_database(async |bench| {
        let who = owner();
        let under = |fingerprint: &str| {
            let (route, key) = ("PATCH".into(), "0123456789abcdef".into());
            who.clone().with_idempotency(IdempotencyKey { route, key, fingerprint: fingerprint.into() })
        };
        let nameless = AccountPatch { name: Some(" ".into()), ..AccountPatch::default() };
        let (missing, fine) = (AccountId::new(), AccountPatch::default());
        let known = bench.ledger.create_account(&who, cash("Wallet")).await.unwrap().id;
        let invalid = bench.ledger.update_account(&under("other"), known, nameless).await;
        assert!(matches!(invalid, Err(LedgerError::Invalid(_))), "{invalid:?}");

        let refused = bench.ledger.update_account(&under("f"), missing, fine.clone()).await;
        assert_eq!(refused, Err(LedgerError::AccountNotFound(missing)));
        let again_cx = under("f");
        let again = bench.ledger.update_account(&again_cx, missing, fine.clone()).await.unwrap_err();
        assert_eq!(again.to_problem(), LedgerError::AccountNotFound(missing).to_problem());
        assert!(again_cx.was_replayed());
        let reused = bench.ledger.update_account(&under("other"), missing, fine).await.unwrap_err();
        assert_eq!(reused.to_problem().code, "idempotency_key_reused");
    });
}

#[test]
fn two_requests_at_once_with_one_key_have_one_effect() {
    on_each_database(async |bench| {
        let key =
            IdempotencyKey { route: "POST".into(), key: "0123456789abcdef".into(), fingerprint: "f".into() };
        let cx = owner();
        let keyed = cx.clone().with_idempotency(key);
        let answers = futures_util::future::join_all(
            (0..8).map(|_| bench.ledger.create_account(&keyed, cash("Wallet"))),
        )
        .await;
        for answer in answers.into_iter().filter_map(Result::err) {
            assert!(
                matches!(answer, LedgerError::Idempotency(problem) if problem.code == "idempotency_in_progress")
            );
        }
        assert_eq!(bench.ledger.list_accounts(&cx, PageRequest::default()).await.unwrap().data.len(), 1);
    });
}
