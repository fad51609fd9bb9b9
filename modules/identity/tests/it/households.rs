use std::time::Duration;

use identity_api::{
    Credentials, Identity, IdentityError, MemberChange, NewMember, NewSpace, Registered, TokenFault, Tokens,
};
use kernel::{PageRequest, Role, SpaceId, ToProblem, UserId};
use service_registry::CallContext;

use crate::home::{Home, credentials, in_each_home, refresh, within_a_second};

/// Ada with her household, Bob in it as `role`, and Bob's tokens for it.
async fn ada_and_bob(home: &Home, role: Role) -> (Registered, CallContext, UserId, Tokens) {
    let (ada, tokens) = home.move_in("ada@example.org").await;
    let bob = home.register("bob@example.org").await.user;
    let cx = home.cx(&tokens).await;
    let member = NewMember { email: bob.email.to_uppercase(), role };
    home.identity.add_member(&cx, ada.space.id, member).await.unwrap();
    let theirs = Credentials { space_id: Some(ada.space.id), ..credentials("bob@example.org") };
    let theirs = home.identity.open_session(&CallContext::root(), theirs).await.unwrap();
    (ada, cx, bob.id, theirs)
}

#[tokio::test]
async fn a_member_works_in_the_household_with_their_role() {
    in_each_home(async |home| {
        let (ada, cx, bob, tokens) = ada_and_bob(home, Role::Viewer).await;
        let caller = home.verify(&tokens).await.unwrap();
        assert_eq!((caller.space, caller.role.as_str()), (Some(ada.space.id.0), "viewer"));
        assert_eq!(*caller.scopes, ["ledger:read"]);
        let page = PageRequest { with_total: true, ..PageRequest::default() };
        let members = home.identity.list_members(&cx, ada.space.id, page).await.unwrap();
        let seen: Vec<_> = members.data.iter().map(|member| (member.user_id, member.role)).collect();
        assert_eq!(seen, [(ada.user.id, Role::Owner), (bob, Role::Viewer)]);
        assert_eq!(members.total, Some(2));
        let spaces =
            home.identity.list_spaces(&home.cx(&tokens).await, PageRequest::default()).await.unwrap();
        assert_eq!(spaces.data.len(), 2);
        assert_eq!(spaces.data[1].role, Role::Viewer);
    })
    .await;
}

#[tokio::test]
async fn a_household_of_others_is_not_found() {
    in_each_home(async |home| {
        let (ada, _) = home.move_in("ada@example.org").await;
        let (bob, tokens) = home.move_in("bob@example.org").await;
        let cx = home.cx(&tokens).await;
        let member = NewMember { email: "bob@example.org".into(), role: Role::Owner };
        for space in [ada.space.id, SpaceId::new()] {
            let missing = IdentityError::SpaceNotFound(space);
            let members = home.identity.list_members(&cx, space, PageRequest::default()).await;
            assert_eq!(members, Err(missing.clone()));
            assert_eq!(home.identity.add_member(&cx, space, member.clone()).await, Err(missing.clone()));
            assert_eq!(home.identity.remove_member(&cx, space, bob.user.id).await, Err(missing));
        }
    })
    .await;
}

#[tokio::test]
async fn only_owners_manage_members() {
    in_each_home(async |home| {
        let (ada, _, bob, tokens) = ada_and_bob(home, Role::Editor).await;
        let (cx, space) = (home.cx(&tokens).await, ada.space.id);
        home.register("eve@example.org").await;
        let eve = NewMember { email: "eve@example.org".into(), role: Role::Viewer };
        assert_eq!(home.identity.add_member(&cx, space, eve).await, Err(IdentityError::NotAnOwner));
        let owner = MemberChange { role: Role::Owner };
        assert_eq!(home.identity.change_role(&cx, space, bob, owner).await, Err(IdentityError::NotAnOwner));
        let put_out = home.identity.remove_member(&cx, space, ada.user.id).await;
        assert_eq!(put_out, Err(IdentityError::NotAnOwner));
    })
    .await;
}

#[tokio::test]
async fn a_member_may_leave() {
    in_each_home(async |home| {
        let (ada, cx, bob, tokens) = ada_and_bob(home, Role::Viewer).await;
        home.identity.remove_member(&home.cx(&tokens).await, ada.space.id, bob).await.unwrap();
        let members = home.identity.list_members(&cx, ada.space.id, PageRequest::default()).await.unwrap();
        assert_eq!(members.data.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn the_last_owner_cannot_leave() {
    in_each_home(async |home| {
        let (ada, cx, bob, _) = ada_and_bob(home, Role::Editor).await;
        let (space, last) = (ada.space.id, Err(IdentityError::LastOwner(ada.user.id)));
        assert_eq!(home.identity.remove_member(&cx, space, ada.user.id).await, last);
        let viewer = MemberChange { role: Role::Viewer };
        let demoted = home.identity.change_role(&cx, space, ada.user.id, viewer).await;
        assert_eq!(demoted, Err(IdentityError::LastOwner(ada.user.id)));
        home.identity.change_role(&cx, space, bob, MemberChange { role: Role::Owner }).await.unwrap();
        assert_eq!(home.identity.remove_member(&cx, space, ada.user.id).await, Ok(()));
    })
    .await;
}

#[tokio::test]
async fn two_owners_who_leave_at_once_do_not_both_go() {
    in_each_home(async |home| {
        let (ada, cx, bob, tokens) = ada_and_bob(home, Role::Owner).await;
        let (space, theirs) = (ada.space.id, home.cx(&tokens).await);
        let (left, right) = tokio::join!(
            home.identity.remove_member(&cx, space, ada.user.id),
            home.identity.remove_member(&theirs, space, bob),
        );
        assert_eq!(u8::from(left.is_ok()) + u8::from(right.is_ok()), 1, "{left:?} {right:?}");
    })
    .await;
}

#[tokio::test]
async fn removal_ends_the_sessions_that_ever_worked_in_the_household() {
    in_each_home(async |home| {
        let (ada, cx, bob, tokens) = ada_and_bob(home, Role::Editor).await;
        let elsewhere = home.log_in("bob@example.org").await;
        assert_ne!(elsewhere.session.space_id, Some(ada.space.id));
        // This one works in Bob's own household by now, but its first access token is still good.
        let back = identity_api::Refresh { space_id: elsewhere.session.space_id, ..refresh(&tokens) };
        home.identity.refresh(&CallContext::root(), back).await.unwrap();
        home.identity.remove_member(&cx, ada.space.id, bob).await.unwrap();
        within_a_second("the access token is refused", async || {
            home.verify(&tokens).await == Err(TokenFault::Revoked)
        })
        .await;
        assert!(home.verify(&elsewhere).await.is_ok());
    })
    .await;
}

#[tokio::test]
async fn log_ins_and_removals_do_not_hold_each_other_up() {
    in_each_home(async |home| {
        let (ada, tokens) = home.move_in("ada@example.org").await;
        let bob = home.register("bob@example.org").await.user;
        let (cx, space) = (home.cx(&tokens).await, ada.space.id);
        let theirs = Credentials { space_id: Some(space), ..credentials("bob@example.org") };
        for _ in 0..8 {
            let member = NewMember { email: bob.email.clone(), role: Role::Viewer };
            home.identity.add_member(&cx, space, member).await.unwrap();
            let log_ins = (0..4).map(|_| {
                let (identity, theirs) = (home.identity.clone(), theirs.clone());
                tokio::spawn(async move { identity.open_session(&CallContext::root(), theirs).await })
            });
            let log_ins: Vec<_> = log_ins.collect();
            tokio::time::sleep(Duration::from_millis(5)).await;
            home.identity.remove_member(&cx, space, bob.id).await.unwrap();
            for log_in in log_ins {
                // In time and over again, or too late: never a session in the household that goes on.
                match log_in.await.unwrap() {
                    Ok(tokens) => {
                        let refreshed = home.identity.refresh(&CallContext::root(), refresh(&tokens)).await;
                        assert_eq!(refreshed, Err(IdentityError::SessionRevoked));
                    }
                    Err(IdentityError::Invalid(faults)) => assert_eq!(faults[0].pointer, "/space_id"),
                    Err(other) => assert_eq!(other, IdentityError::SessionRevoked),
                }
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_new_role_ends_the_sessions_that_have_the_old_one() {
    in_each_home(async |home| {
        let (ada, cx, bob, tokens) = ada_and_bob(home, Role::Editor).await;
        let same = MemberChange { role: Role::Editor };
        home.identity.change_role(&cx, ada.space.id, bob, same).await.unwrap();
        let tokens = home.identity.refresh(&CallContext::root(), refresh(&tokens)).await.unwrap();
        let viewer = MemberChange { role: Role::Viewer };
        let member = home.identity.change_role(&cx, ada.space.id, bob, viewer).await.unwrap();
        assert_eq!(member.role, Role::Viewer);
        let refreshed = home.identity.refresh(&CallContext::root(), refresh(&tokens)).await;
        assert_eq!(refreshed, Err(IdentityError::SessionRevoked));
    })
    .await;
}

#[tokio::test]
async fn only_who_has_registered_can_be_added_and_only_once() {
    in_each_home(async |home| {
        let (ada, cx, bob, _) = ada_and_bob(home, Role::Viewer).await;
        let add = async |email: &str| {
            let member = NewMember { email: email.into(), role: Role::Viewer };
            home.identity.add_member(&cx, ada.space.id, member).await
        };
        let unknown = add("eve@example.org").await.unwrap_err().to_problem();
        assert_eq!((unknown.status, unknown.errors[0].code.as_str()), (422, "not_registered"));
        assert_eq!(add("bob@example.org").await, Err(IdentityError::AlreadyMember(bob)));
    })
    .await;
}

#[tokio::test]
async fn a_household_needs_a_name() {
    in_each_home(async |home| {
        let (_, tokens) = home.move_in("ada@example.org").await;
        let refused =
            home.identity.create_space(&home.cx(&tokens).await, NewSpace { name: "  ".into() }).await;
        assert_eq!(refused.unwrap_err().to_problem().errors[0].pointer, "/name");
    })
    .await;
}
