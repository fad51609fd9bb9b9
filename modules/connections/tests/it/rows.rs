use serde_json::json;

use crate::files::ofx;
use crate::world::{in_each_world, owner, path_of, upload};

#[test]
fn each_row_of_a_file_is_told_with_its_line_and_its_outcome() {
    in_each_world(async |world| {
        let who = owner();
        let baker = (3, "-4.50", "a", "Baker");
        world.committed(&who, upload(ofx(&[baker]))).await;
        let import = world
            .previewed(&who, upload(ofx(&[baker, (4, "lots", "b", "Butcher"), (5, "-6.00", "c", "Brewer")])))
            .await;
        let path = path_of(&import);
        let told = async |query: &str| {
            let rows = world.get(&who, &format!("{path}/rows{query}")).await;
            assert_eq!(rows.status, 200, "{rows:?}");
            rows.body
        };
        let seen = |rows: &serde_json::Value| -> Vec<_> {
            let rows = rows["data"].as_array().unwrap().iter();
            rows.map(|row| (row["outcome"].as_str().unwrap().to_owned(), row["name"].clone())).collect()
        };
        for committed in [false, true] {
            if committed {
                world.commit(&who, &path).await;
            }
            let all = told("?with_total=true").await;
            let outcomes: Vec<_> = seen(&all).into_iter().map(|(outcome, _)| outcome).collect();
            assert_eq!(
                (outcomes.as_slice(), &all["total"]),
                (["duplicate", "rejected", "created"].map(String::from).as_slice(), &json!(3))
            );
            let rejected = told("?outcome=rejected").await;
            assert_eq!(rejected["data"][0]["code"], "malformed_amount");
            assert_eq!(rejected["data"].as_array().unwrap().len(), 1);
            let first = told("?limit=1").await;
            let next = told(&format!("?limit=2&cursor={}", first["next_cursor"].as_str().unwrap())).await;
            assert_eq!((seen(&next).len(), &next["next_cursor"]), (2, &json!(null)));
        }
        let odd = world.get(&who, &format!("{path}/rows?outcome=lost")).await;
        assert_eq!((odd.status, odd.code()), (422, "validation_failed"));
        assert_eq!(world.get(&owner(), &format!("{path}/rows")).await.code(), "not_found");
    });
}

#[test]
fn an_import_that_failed_has_no_rows_to_tell() {
    in_each_world(async |world| {
        let who = owner();
        let import = world.failed(&who, upload("Date,Amount\n2026-01-03,1.00\n")).await;
        let rows = world.get(&who, &format!("/api/v1/imports/{}/rows", import["id"].as_str().unwrap())).await;
        assert_eq!((rows.status, rows.code()), (409, "import_state"));
    });
}
