use crate::files::{long_ofx, ofx};
use crate::world::{Upload, in_each_world, owner, upload};

const KEY: &str = "0123456789abcdef";

#[test]
fn a_repeated_upload_with_the_same_key_makes_one_import() {
    in_each_world(async |world| {
        let who = owner().with_key(KEY);
        // Larger than one piece, so that the repeat writes something that has to go again.
        let file = long_ofx(6_000);
        let first = world.upload(&who, upload(file.clone())).await;
        let again = world.upload(&who, upload(file)).await;
        assert_eq!((first.status, again.status), (202, 202));
        assert_eq!(
            (first.header("idempotent-replayed"), again.header("idempotent-replayed")),
            (None, Some("true"))
        );
        assert_eq!(first.body, again.body);
        assert_eq!(world.count("SELECT count(*) AS n FROM imports").await, 1);
        let path = first.header("location").unwrap();
        world.until(&who, path, "previewed").await;
    });
}

#[test]
fn the_same_key_with_another_file_or_query_is_refused() {
    in_each_world(async |world| {
        let who = owner().with_key(KEY);
        let file = || upload(ofx(&[(3, "-4.50", "a", "Baker")]));
        assert_eq!(world.upload(&who, file()).await.status, 202);
        let other_file = world.upload(&who, upload(ofx(&[(3, "-4.51", "a", "Baker")]))).await;
        let other_query = world.upload(&who, Upload { query: "?currency=USD", ..file() }).await;
        for answer in [other_file, other_query] {
            assert_eq!((answer.status, answer.code()), (422, "idempotency_key_reused"));
        }
        assert_eq!(world.count("SELECT count(*) AS n FROM imports").await, 1);
    });
}
