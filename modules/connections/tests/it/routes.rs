use actix_web::App;
use serde_json::{Value, json};
use utoipa_actix_web::AppExt;

fn description() -> Value {
    let routes = connections::described();
    let (_, description) = App::new().into_utoipa_app().configure(|config| routes(config)).split_for_parts();
    serde_json::to_value(description).unwrap()
}

#[test]
fn the_public_routes_are_these() {
    let paths = description()["paths"].clone();
    let mut routes: Vec<String> = Vec::new();
    for (path, operations) in paths.as_object().unwrap() {
        routes.extend(operations.as_object().unwrap().keys().map(|method| format!("{method} {path}")));
    }
    routes.sort();
    let expected = [
        "delete /api/v1/imports/{id}",
        "delete /api/v1/imports/{id}/file",
        "delete /api/v1/mapping-profiles/{id}",
        "get /api/v1/imports",
        "get /api/v1/imports/formats",
        "get /api/v1/imports/{id}",
        "get /api/v1/imports/{id}/rows",
        "get /api/v1/mapping-profiles",
        "post /api/v1/imports",
        "post /api/v1/imports/{id}/commit",
        "post /api/v1/imports/{id}/preview",
        "post /api/v1/imports/{id}/reparse",
        "post /api/v1/imports/{id}/undo",
        "put /api/v1/mapping-profiles/{id}",
    ];
    assert_eq!(routes, expected);
    let owned = |route: &String| {
        let path = route.split_once(' ').unwrap().1;
        connections_api::SERVICE.routes.iter().any(|prefix| path.starts_with(prefix))
    };
    assert!(routes.iter().all(owned));
}

#[test]
fn an_upload_is_described_as_bytes() {
    let upload = &description()["paths"]["/api/v1/imports"]["post"];
    let content = &upload["requestBody"]["content"];
    for content_type in ["application/octet-stream", "text/csv", "application/x-ofx", "application/xml"] {
        let schema = &content[content_type]["schema"];
        assert_eq!(
            (&schema["type"], &schema["format"]),
            (&json!("string"), &json!("binary")),
            "{content_type}"
        );
    }
    let parameters: Vec<_> = upload["parameters"].as_array().unwrap().iter().map(|p| &p["name"]).collect();
    assert_eq!(parameters, ["file_name", "account_id", "currency", "profile_id"]);
}
