use identity_api::{Identity, IdentityError, NewUser, Secret};
use kernel::{Code, Role, ToProblem};
use service_registry::CallContext;

use crate::home::{in_each_home, keyed, new_user};

#[tokio::test]
async fn a_new_user_owns_a_household() {
    in_each_home(async |home| {
        let user = NewUser { name: Some(" Ada ".into()), ..new_user(" Ada@Example.org") };
        let registered = home.identity.register(&CallContext::root(), user).await.unwrap();
        assert_eq!(registered.user.email, "ada@example.org");
        assert_eq!(registered.user.name.as_deref(), Some("Ada"));
        assert_eq!((registered.space.name.as_str(), registered.space.role), ("Household", Role::Owner));
    })
    .await;
}

#[tokio::test]
async fn one_address_is_one_user() {
    in_each_home(async |home| {
        home.register("ada@example.org").await;
        let again = home.identity.register(&CallContext::root(), new_user("ADA@example.org")).await;
        assert_eq!(again, Err(IdentityError::EmailTaken));
    })
    .await;
}

#[tokio::test]
async fn a_bad_registration_names_its_faults_and_leaves_nothing() {
    in_each_home(async |home| {
        let bad = NewUser { password: Secret::new("short"), ..new_user("nowhere") };
        let refused = home.identity.register(&keyed("k-bad", "1"), bad).await.unwrap_err().to_problem();
        assert_eq!((refused.status, refused.code.as_str()), (422, "validation_failed"));
        let pointers: Vec<_> = refused.errors.iter().map(|error| error.pointer.as_str()).collect();
        assert_eq!(pointers, ["/email", "/password"]);
        let good = home.identity.register(&keyed("k-bad", "1"), new_user("ada@example.org")).await;
        assert!(good.is_ok(), "the key was not used up: {good:?}");
    })
    .await;
}

#[tokio::test]
async fn a_repeated_registration_with_the_same_key_makes_one_user() {
    in_each_home(async |home| {
        let first = home.identity.register(&keyed("k-once", "1"), new_user("ada@example.org")).await.unwrap();
        let cx = keyed("k-once", "1");
        let again = home.identity.register(&cx, new_user("ada@example.org")).await.unwrap();
        assert_eq!(again, first);
        assert!(cx.was_replayed());
    })
    .await;
}

#[tokio::test]
async fn a_key_used_for_another_registration_is_refused() {
    in_each_home(async |home| {
        home.identity.register(&keyed("k-two", "1"), new_user("ada@example.org")).await.unwrap();
        let other =
            home.identity.register(&keyed("k-two", "2"), new_user("bob@example.org")).await.unwrap_err();
        assert_eq!(other.to_problem().code, Code::IdempotencyKeyReused.as_str());
    })
    .await;
}

#[tokio::test]
async fn two_registrations_at_once_make_one_user() {
    in_each_home(async |home| {
        let (left, right) = (CallContext::root(), CallContext::root());
        let (left, right) = tokio::join!(
            home.identity.register(&left, new_user("ada@example.org")),
            home.identity.register(&right, new_user("ada@example.org")),
        );
        let refused = [left, right].into_iter().filter_map(Result::err).collect::<Vec<_>>();
        assert_eq!(refused, [IdentityError::EmailTaken]);
    })
    .await;
}
