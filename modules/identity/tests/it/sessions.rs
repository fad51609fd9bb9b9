use chrono::TimeDelta;
use identity_api::{Identity, IdentityError, TokenFault};
use kernel::{PageRequest, SessionId};
use sea_orm::{ConnectionTrait, Statement};
use service_registry::CallContext;
use tokio_util::sync::CancellationToken;

use crate::home::{Home, in_each_home, refresh, within_a_second};

#[tokio::test]
async fn sessions_are_listed_with_the_current_one_marked() {
    in_each_home(async |home| {
        let (_, first) = home.move_in("ada@example.org").await;
        let second = home.log_in("ada@example.org").await;
        home.move_in("bob@example.org").await;
        let cx = home.cx(&first).await;
        let page = PageRequest { with_total: true, ..PageRequest::default() };
        let listed = home.identity.list_sessions(&cx, page).await.unwrap();
        let seen: Vec<_> = listed.data.iter().map(|session| (session.id, session.current)).collect();
        assert_eq!(seen, [(second.session.id, false), (first.session.id, true)]);
        assert_eq!(listed.total, Some(2));
    })
    .await;
}

#[tokio::test]
async fn a_long_list_of_sessions_comes_in_pages() {
    in_each_home(async |home| {
        let (_, tokens) = home.move_in("ada@example.org").await;
        for _ in 0..4 {
            home.log_in("ada@example.org").await;
        }
        let cx = home.cx(&tokens).await;
        let (mut cursor, mut seen) = (None, Vec::new());
        loop {
            let request = PageRequest { cursor, limit: 2, with_total: false };
            let page = home.identity.list_sessions(&cx, request).await.unwrap();
            seen.extend(page.data.into_iter().map(|session| session.id));
            cursor = page.next_cursor;
            if cursor.is_none() {
                break;
            }
        }
        assert_eq!(seen.len(), 5);
        assert!(seen.is_sorted_by(|one, next| one > next));
    })
    .await;
}

#[tokio::test]
async fn a_revoked_session_stops_working_within_a_second() {
    in_each_home(async |home| {
        let (_, tokens) = home.move_in("ada@example.org").await;
        let other = home.log_in("ada@example.org").await;
        let cx = home.cx(&other).await;
        home.identity.revoke_session(&cx, tokens.session.id).await.unwrap();
        within_a_second("the access token is refused", async || {
            home.verify(&tokens).await == Err(TokenFault::Revoked)
        })
        .await;
        let refreshed = home.identity.refresh(&CallContext::root(), refresh(&tokens)).await;
        assert_eq!(refreshed, Err(IdentityError::SessionRevoked));
        assert!(home.verify(&other).await.is_ok());
        let gone = home.identity.session(&cx, tokens.session.id).await;
        assert_eq!(gone, Err(IdentityError::SessionNotFound(tokens.session.id)));
    })
    .await;
}

#[tokio::test]
async fn ending_a_session_twice_is_no_fault() {
    in_each_home(async |home| {
        let (_, tokens) = home.move_in("ada@example.org").await;
        let cx = home.cx(&tokens).await;
        home.identity.revoke_current(&cx).await.unwrap();
        home.identity.revoke_current(&cx).await.unwrap();
        let told = home.identity.revocations(&CallContext::root(), 0).await.unwrap();
        assert_eq!(told.sessions, [tokens.session.id]);
    })
    .await;
}

#[tokio::test]
async fn the_session_of_somebody_else_is_not_found() {
    in_each_home(async |home| {
        let (_, ada) = home.move_in("ada@example.org").await;
        let (_, bob) = home.move_in("bob@example.org").await;
        let cx = home.cx(&ada).await;
        for id in [bob.session.id, SessionId::new()] {
            let missing = IdentityError::SessionNotFound(id);
            assert_eq!(home.identity.session(&cx, id).await, Err(missing.clone()));
            assert_eq!(home.identity.revoke_session(&cx, id).await, Err(missing));
        }
        assert!(home.identity.refresh(&CallContext::root(), refresh(&bob)).await.is_ok());
    })
    .await;
}

#[tokio::test]
async fn logging_out_everywhere_ends_every_session() {
    in_each_home(async |home| {
        let (_, first) = home.move_in("ada@example.org").await;
        let second = home.log_in("ada@example.org").await;
        home.identity.revoke_all_sessions(&home.cx(&first).await).await.unwrap();
        for tokens in [first, second] {
            let refreshed = home.identity.refresh(&CallContext::root(), refresh(&tokens)).await;
            assert_eq!(refreshed, Err(IdentityError::SessionRevoked));
        }
    })
    .await;
}

#[tokio::test]
async fn nobody_is_told_twice_of_a_revocation_nor_after_it_matters() {
    in_each_home(async |home| {
        let (_, first) = home.move_in("ada@example.org").await;
        let second = home.log_in("ada@example.org").await;
        let cx = home.cx(&first).await;
        home.identity.revoke_session(&cx, second.session.id).await.unwrap();
        let told = home.identity.revocations(&CallContext::root(), 0).await.unwrap();
        assert_eq!(told.sessions, [second.session.id]);
        home.identity.revoke_current(&cx).await.unwrap();
        let next = home.identity.revocations(&CallContext::root(), told.seq).await.unwrap();
        assert_eq!(next.sessions, [first.session.id]);
        assert_eq!(home.identity.revocations(&CallContext::root(), next.seq).await.unwrap().sessions, []);
        let lost = home.identity.revocations(&CallContext::root(), next.seq + 1000).await.unwrap();
        assert_eq!(lost.sessions, [second.session.id, first.session.id], "as after a restored backup");
        home.wait(TimeDelta::seconds(621));
        assert_eq!(home.identity.revocations(&CallContext::root(), 0).await.unwrap().sessions, []);
    })
    .await;
}

#[tokio::test]
async fn sessions_that_are_long_over_are_forgotten() {
    in_each_home(async |home| {
        let (_, old) = home.move_in("ada@example.org").await;
        home.wait(TimeDelta::days(38));
        let (_, ended) = home.move_in("bob@example.org").await;
        home.identity.revoke_current(&home.cx(&ended).await).await.unwrap();
        let jobs = std::mem::take(&mut *home.jobs.lock().unwrap());
        let sweeper = jobs.into_iter().find(|job| job.name == "identity sweeper").unwrap();
        let stop = CancellationToken::new();
        let sweeping = sweeper.start(stop.clone());
        within_a_second("the old session is forgotten", async || kept(home).await == 1).await;
        stop.cancel();
        sweeping.await.unwrap();
        let refreshed = home.identity.refresh(&CallContext::root(), refresh(&old)).await;
        assert_eq!(refreshed, Err(IdentityError::RefreshTokenInvalid));
        let refreshed = home.identity.refresh(&CallContext::root(), refresh(&ended)).await;
        assert_eq!(refreshed, Err(IdentityError::SessionRevoked), "this one is over, but not for long");
    })
    .await;
}

/// Sessions in the database, over or not.
async fn kept(home: &Home) -> i64 {
    let count = Statement::from_string(home.store.backend(), "SELECT count(*) AS kept FROM sessions");
    home.store.reader().query_one_raw(count).await.unwrap().unwrap().try_get("", "kept").unwrap()
}

#[tokio::test]
async fn who_did_not_log_in_is_told_so() {
    in_each_home(async |home| {
        let cx = CallContext::root();
        let nobody = IdentityError::Unauthenticated;
        assert_eq!(home.identity.me(&cx).await, Err(nobody.clone()));
        assert_eq!(home.identity.list_sessions(&cx, PageRequest::default()).await, Err(nobody.clone()));
        assert_eq!(home.identity.revoke_all_sessions(&cx).await, Err(nobody.clone()));
        assert_eq!(home.identity.list_spaces(&cx, PageRequest::default()).await, Err(nobody));
    })
    .await;
}
