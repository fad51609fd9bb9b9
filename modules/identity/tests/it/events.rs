use identity_api::{Identity, MemberChange, NewMember, events};
use kernel::Role;
use platform::outbox;

use crate::home::in_each_home;

#[tokio::test]
async fn every_change_is_told_once_and_in_order() {
    in_each_home(async |home| {
        let (ada, tokens) = home.move_in("ada@example.org").await;
        let bob = home.register("bob@example.org").await.user;
        let (cx, space) = (home.cx(&tokens).await, ada.space.id);
        let member = NewMember { email: bob.email.clone(), role: Role::Viewer };
        home.identity.add_member(&cx, space, member).await.unwrap();
        home.identity.change_role(&cx, space, bob.id, MemberChange { role: Role::Editor }).await.unwrap();
        home.identity.remove_member(&cx, space, bob.id).await.unwrap();
        home.identity.revoke_current(&cx).await.unwrap();
        home.identity.revoke_current(&cx).await.unwrap();
        outbox::stamp(&home.store).await.unwrap();
        let told = outbox::feed(&home.store, space, 0, 100).await.unwrap();
        let kinds: Vec<_> = told.iter().map(|event| event.kind.as_str()).collect();
        assert_eq!(
            kinds,
            [
                events::SPACE_CREATED,
                events::USER_REGISTERED,
                events::SESSION_CREATED,
                events::MEMBER_ADDED,
                events::MEMBER_ROLE_CHANGED,
                events::MEMBER_REMOVED,
                events::SESSION_REVOKED,
            ]
        );
        assert!(told.iter().all(|event| !event.data.contains("example.org")), "events hold no names");
    })
    .await;
}
