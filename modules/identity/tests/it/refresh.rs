use chrono::TimeDelta;
use identity_api::{Credentials, Identity, IdentityError, NewSpace, Refresh, Secret, TokenFault};
use kernel::ToProblem;
use service_registry::CallContext;

use crate::home::{credentials, in_each_home, keyed, refresh, within_a_second};

#[tokio::test]
async fn each_refresh_gives_another_token() {
    in_each_home(async |home| {
        let (_, first) = home.move_in("ada@example.org").await;
        let second = home.identity.refresh(&CallContext::root(), refresh(&first)).await.unwrap();
        let third = home.identity.refresh(&CallContext::root(), refresh(&second)).await.unwrap();
        assert_eq!((first.session.id, second.session.id), (second.session.id, third.session.id));
        assert_ne!(first.refresh_token, second.refresh_token);
        assert_ne!(second.refresh_token, third.refresh_token);
        assert!(home.verify(&third).await.is_ok());
    })
    .await;
}

#[tokio::test]
async fn a_refresh_token_used_twice_within_the_grace_gives_the_same_successor() {
    in_each_home(async |home| {
        let (_, tokens) = home.move_in("ada@example.org").await;
        let first = home.identity.refresh(&CallContext::root(), refresh(&tokens)).await.unwrap();
        home.wait(TimeDelta::seconds(29));
        let second = home.identity.refresh(&CallContext::root(), refresh(&tokens)).await.unwrap();
        assert_eq!(first.refresh_token, second.refresh_token);
        assert!(home.identity.refresh(&CallContext::root(), refresh(&second)).await.is_ok());
    })
    .await;
}

#[tokio::test]
async fn reuse_after_the_grace_revokes_the_session() {
    in_each_home(async |home| {
        let (_, stolen) = home.move_in("ada@example.org").await;
        let successor = home.identity.refresh(&CallContext::root(), refresh(&stolen)).await.unwrap();
        home.wait(TimeDelta::seconds(30));
        let reused = home.identity.refresh(&CallContext::root(), refresh(&stolen)).await;
        assert_eq!(reused, Err(IdentityError::RefreshTokenReused));
        let after = home.identity.refresh(&CallContext::root(), refresh(&successor)).await;
        assert_eq!(after, Err(IdentityError::SessionRevoked));
        within_a_second("the access token is refused", async || {
            home.verify(&successor).await == Err(TokenFault::Revoked)
        })
        .await;
    })
    .await;
}

#[tokio::test]
async fn another_client_has_no_grace() {
    in_each_home(async |home| {
        let (_, tokens) = home.move_in("ada@example.org").await;
        home.identity.refresh(&CallContext::root(), refresh(&tokens)).await.unwrap();
        let thief = Refresh { client: Some("curl".into()), ..refresh(&tokens) };
        let reused = home.identity.refresh(&CallContext::root(), thief).await;
        assert_eq!(reused, Err(IdentityError::RefreshTokenReused));
    })
    .await;
}

#[tokio::test]
async fn two_concurrent_refreshes_give_one_successor() {
    in_each_home(async |home| {
        let (_, tokens) = home.move_in("ada@example.org").await;
        let refreshes: Vec<_> = (0..8)
            .map(|_| {
                let (identity, refresh) = (home.identity.clone(), refresh(&tokens));
                tokio::spawn(async move { identity.refresh(&CallContext::root(), refresh).await })
            })
            .collect();
        let mut successors = Vec::new();
        for refreshed in refreshes {
            successors.push(refreshed.await.unwrap().unwrap().refresh_token);
        }
        successors.dedup();
        assert_eq!(successors.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_refresh_token_that_was_never_given_out_is_refused() {
    in_each_home(async |home| {
        home.move_in("ada@example.org").await;
        for text in ["", "nonsense", &"A".repeat(43)] {
            let forged = Refresh { refresh_token: Secret::new(text), space_id: None, client: None };
            let refused = home.identity.refresh(&CallContext::root(), forged).await;
            assert_eq!(refused, Err(IdentityError::RefreshTokenInvalid), "{text:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_session_that_is_not_used_ends_after_thirty_days() {
    in_each_home(async |home| {
        let (_, tokens) = home.move_in("ada@example.org").await;
        home.wait(TimeDelta::days(29));
        let tokens = home.identity.refresh(&CallContext::root(), refresh(&tokens)).await.unwrap();
        home.wait(TimeDelta::days(30));
        let late = home.identity.refresh(&CallContext::root(), refresh(&tokens)).await;
        assert_eq!(late, Err(IdentityError::RefreshTokenInvalid));
    })
    .await;
}

#[tokio::test]
async fn a_session_that_is_used_ends_after_ninety_days() {
    in_each_home(async |home| {
        let (_, mut tokens) = home.move_in("ada@example.org").await;
        for _ in 0..4 {
            home.wait(TimeDelta::days(22));
            tokens = home.identity.refresh(&CallContext::root(), refresh(&tokens)).await.unwrap();
        }
        assert_eq!(tokens.session.expires_at - tokens.session.created_at, TimeDelta::days(90));
        home.wait(TimeDelta::days(2));
        let late = home.identity.refresh(&CallContext::root(), refresh(&tokens)).await;
        assert_eq!(late, Err(IdentityError::RefreshTokenInvalid));
    })
    .await;
}

#[tokio::test]
async fn a_refresh_moves_the_session_to_another_household() {
    in_each_home(async |home| {
        let (registered, tokens) = home.move_in("ada@example.org").await;
        let cx = home.cx(&tokens).await;
        let club = home.identity.create_space(&cx, NewSpace { name: "Club".into() }).await.unwrap();
        let moved = Refresh { space_id: Some(club.id), ..refresh(&tokens) };
        let tokens = home.identity.refresh(&CallContext::root(), moved).await.unwrap();
        assert_eq!(home.verify(&tokens).await.unwrap().space, Some(club.id.0));
        let tokens = home.identity.refresh(&CallContext::root(), refresh(&tokens)).await.unwrap();
        assert_eq!(tokens.session.space_id, Some(club.id), "and it stays there");
        assert_eq!(home.log_in("ada@example.org").await.session.space_id, Some(registered.space.id));
    })
    .await;
}

#[tokio::test]
async fn a_refresh_into_a_household_of_others_is_refused_and_uses_nothing_up() {
    in_each_home(async |home| {
        let (_, tokens) = home.move_in("ada@example.org").await;
        let theirs = home.register("bob@example.org").await.space.id;
        let asked = Refresh { space_id: Some(theirs), ..refresh(&tokens) };
        let refused = home.identity.refresh(&CallContext::root(), asked).await.unwrap_err().to_problem();
        assert_eq!(refused.errors[0].pointer, "/space_id");
        home.wait(TimeDelta::seconds(60));
        assert!(home.identity.refresh(&CallContext::root(), refresh(&tokens)).await.is_ok());
    })
    .await;
}

#[tokio::test]
async fn a_refresh_repeated_with_its_key_within_the_grace_gives_the_same_successor() {
    in_each_home(async |home| {
        let (_, tokens) = home.move_in("ada@example.org").await;
        let first = home.identity.refresh(&keyed("k-ref", "1"), refresh(&tokens)).await.unwrap();
        let again = home.identity.refresh(&keyed("k-ref", "1"), refresh(&tokens)).await.unwrap();
        assert_eq!(again.refresh_token, first.refresh_token);
    })
    .await;
}

#[tokio::test]
async fn regression_an_idempotency_key_does_not_lengthen_the_grace() {
    in_each_home(async |home| {
        let (_, tokens) = home.move_in("ada@example.org").await;
        home.identity.refresh(&keyed("k-ref", "1"), refresh(&tokens)).await.unwrap();
        home.wait(TimeDelta::seconds(300));
        let reused = home.identity.refresh(&keyed("k-ref", "1"), refresh(&tokens)).await;
        assert_eq!(reused, Err(IdentityError::RefreshTokenReused));
    })
    .await;
}

#[tokio::test]
async fn refreshes_and_removals_do_not_hold_each_other_up() {
    in_each_home(async |home| {
        let (ada, owner) = home.move_in("ada@example.org").await;
        let bob = home.register("bob@example.org").await;
        let cx = home.cx(&owner).await;
        for _ in 0..5 {
            let member =
                identity_api::NewMember { email: bob.user.email.clone(), role: kernel::Role::Viewer };
            home.identity.add_member(&cx, ada.space.id, member).await.unwrap();
            let theirs = Credentials { space_id: Some(ada.space.id), ..credentials("bob@example.org") };
            let theirs = home.identity.open_session(&CallContext::root(), theirs).await.unwrap();
            let root = CallContext::root();
            let (refreshed, removed) = tokio::join!(
                home.identity.refresh(&root, refresh(&theirs)),
                home.identity.remove_member(&cx, ada.space.id, bob.user.id),
            );
            removed.unwrap();
            // Whoever came first: nobody outside the household is left with a token for it.
            if let Ok(tokens) = refreshed {
                let left = home.identity.refresh(&CallContext::root(), refresh(&tokens)).await;
                let space = left.as_ref().ok().and_then(|tokens| tokens.session.space_id);
                assert_ne!(space, Some(ada.space.id));
            } else {
                assert_eq!(refreshed, Err(IdentityError::SessionRevoked));
            }
        }
    })
    .await;
}
