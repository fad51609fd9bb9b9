use chrono::TimeDelta;
use identity_api::{Credentials, Identity, IdentityError, Secret};
use kernel::{SpaceId, ToProblem};
use platform::testing::TestDatabase;
use sea_orm::{ConnectionTrait, Statement};
use service_registry::CallContext;

use crate::home::{credentials, in_each_home, keyed};

#[tokio::test]
async fn a_log_in_gives_tokens_for_the_household() {
    in_each_home(async |home| {
        let (registered, tokens) = home.move_in("ada@example.org").await;
        assert_eq!((tokens.token_type.as_str(), tokens.expires_in), ("Bearer", 600));
        assert!(tokens.session.current);
        let caller = home.verify(&tokens).await.unwrap();
        assert_eq!(caller.subject, registered.user.id.0);
        assert_eq!(caller.space, Some(registered.space.id.0));
        assert_eq!(caller.session, Some(tokens.session.id.0));
        assert_eq!(caller.role, "owner");
        assert_eq!(*caller.scopes, ["ledger:read", "ledger:write", "space:admin"]);
        let me = home.identity.me(&home.cx(&tokens).await).await.unwrap();
        assert_eq!((me.user, me.space), (registered.user, Some(registered.space)));
    })
    .await;
}

#[tokio::test]
async fn wrong_password_and_unknown_email_answer_alike() {
    in_each_home(async |home| {
        home.register("ada@example.org").await;
        let wrong =
            Credentials { password: Secret::new("incorrect horse"), ..credentials("ada@example.org") };
        let wrong = home.identity.open_session(&CallContext::root(), wrong).await.unwrap_err();
        let unknown = home.identity.open_session(&CallContext::root(), credentials("bob@example.org")).await;
        let no_address = home.identity.open_session(&CallContext::root(), credentials("bob")).await;
        assert_eq!(wrong, IdentityError::InvalidCredentials);
        assert_eq!((unknown, no_address), (Err(wrong.clone()), Err(wrong)));
    })
    .await;
}

#[tokio::test]
async fn the_address_may_be_in_any_case() {
    in_each_home(async |home| {
        home.register("ada@example.org").await;
        assert_eq!(home.log_in(" ADA@Example.Org ").await.session.client.as_deref(), Some("browser"));
    })
    .await;
}

#[tokio::test]
async fn nobody_logs_in_to_a_household_of_others() {
    in_each_home(async |home| {
        home.register("ada@example.org").await;
        let theirs = home.register("bob@example.org").await.space.id;
        for space in [theirs, SpaceId::new()] {
            let asked = Credentials { space_id: Some(space), ..credentials("ada@example.org") };
            let refused =
                home.identity.open_session(&CallContext::root(), asked).await.unwrap_err().to_problem();
            assert_eq!((refused.status, refused.errors[0].pointer.as_str()), (422, "/space_id"));
        }
    })
    .await;
}

#[tokio::test]
async fn a_repeated_log_in_with_the_same_key_is_one_session() {
    in_each_home(async |home| {
        home.register("ada@example.org").await;
        let first =
            home.identity.open_session(&keyed("k-in", "1"), credentials("ada@example.org")).await.unwrap();
        home.wait(TimeDelta::seconds(5));
        let cx = keyed("k-in", "1");
        let again = home.identity.open_session(&cx, credentials("ada@example.org")).await.unwrap();
        assert!(cx.was_replayed());
        assert_eq!((&again.session, &again.refresh_token), (&first.session, &first.refresh_token));
        assert!(home.verify(&again).await.is_ok());
    })
    .await;
}

#[tokio::test]
async fn a_repeated_log_in_does_not_bring_a_revoked_session_back() {
    in_each_home(async |home| {
        home.register("ada@example.org").await;
        let first =
            home.identity.open_session(&keyed("k-rev", "1"), credentials("ada@example.org")).await.unwrap();
        home.identity.revoke_current(&home.cx(&first).await).await.unwrap();
        let again = home.identity.open_session(&keyed("k-rev", "1"), credentials("ada@example.org")).await;
        assert_eq!(again, Err(IdentityError::SessionRevoked));
    })
    .await;
}

#[tokio::test]
async fn what_is_stored_holds_neither_password_nor_token() {
    in_each_home(async |home| {
        home.register("ada@example.org").await;
        let fingerprint = "a plain hash of a body with a password in it";
        let tokens = home
            .identity
            .open_session(&keyed("k-secret", fingerprint), credentials("ada@example.org"))
            .await
            .unwrap();
        let sql = "SELECT fingerprint, answer FROM idempotency_keys ORDER BY created_at";
        let rows = home.store.writer().query_all_raw(Statement::from_string(home.store.backend(), sql)).await;
        let mut answers = Vec::new();
        for row in rows.unwrap() {
            assert_ne!(row.try_get::<String>("", "fingerprint").unwrap(), fingerprint);
            answers.push(row.try_get::<String>("", "answer").unwrap());
        }
        assert!(answers.last().unwrap().contains(&tokens.session.id.to_string()));
        let leaks = |secret: &str| answers.iter().any(|answer| answer.contains(secret));
        assert!(!leaks(tokens.refresh_token.reveal()) && !leaks(tokens.access_token.reveal()));
    })
    .await;
}

#[tokio::test]
async fn many_log_ins_at_once_all_get_their_turn() {
    in_each_home(async |home| {
        home.register("ada@example.org").await;
        let log_ins: Vec<_> = (0..20)
            .map(|_| {
                let identity = home.identity.clone();
                tokio::spawn(async move {
                    identity.open_session(&CallContext::root(), credentials("ada@example.org")).await
                })
            })
            .collect();
        for log_in in log_ins {
            log_in.await.unwrap().unwrap();
        }
    })
    .await;
}

#[tokio::test]
async fn a_second_process_on_the_same_database_starts_beside_the_first() {
    let database = TestDatabase::sqlite();
    let open = async || {
        let store = platform::Store::open("identity", &database.settings).await.unwrap();
        migrations::up("identity", store.writer(), store.lock_file()).await.unwrap();
        store
    };
    let (first, second) = tokio::join!(open(), open());
    let steps = migrations::status("identity", first.writer()).await.unwrap();
    assert!(steps.iter().all(|step| step.applied) && !steps.is_empty());
    migrations::down("identity", second.writer(), second.lock_file(), steps.len() as u32).await.unwrap();
    first.close().await.unwrap();
    second.close().await.unwrap();
    database.drop().await;
}

#[tokio::test]
async fn processes_know_by_an_id_whether_they_share_a_database() {
    let mut ids = std::collections::HashSet::new();
    let databases = TestDatabase::each().await;
    for database in &databases {
        for _ in 0..2 {
            let store = platform::Store::open("identity", &database.settings).await.unwrap();
            migrations::up("identity", store.writer(), store.lock_file()).await.unwrap();
            ids.insert(store.identity().await.unwrap());
            store.close().await.unwrap();
        }
    }
    assert_eq!(ids.len(), databases.len());
    for database in databases {
        database.drop().await;
    }
}

#[tokio::test]
async fn regression_processes_that_make_the_same_new_database_do_not_refuse_each_other() {
    for _ in 0..10 {
        let database = TestDatabase::sqlite();
        let open = || platform::Store::open("identity", &database.settings);
        for store in <[_; 4]>::from(tokio::join!(open(), open(), open(), open())) {
            store.unwrap().close().await.unwrap();
        }
        database.drop().await;
    }
}
