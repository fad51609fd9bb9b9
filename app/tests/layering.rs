//! Who imports whom, read from `cargo metadata`: a new line between our own crates is refused until this table,
//! and the decision behind it, says otherwise.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::Value;

/// A crate of ours and all of ours that it may stand on, tests included.
const ALLOWED: &[(&str, &[&str])] = &[
    ("kernel", &[]),
    ("service-registry-macros", &[]),
    ("service-registry", &["service-registry-macros"]),
    ("service-registry-http", &["service-registry"]),
    ("platform", &["kernel", "service-registry"]),
    ("identity-api", &["kernel", "service-registry"]),
    ("ledger-api", &["kernel", "service-registry"]),
    ("connections-api", &["kernel", "service-registry"]),
    ("connections-formats", &["kernel"]),
    ("identity", &["kernel", "service-registry", "platform", "identity-api"]),
    ("ledger", &["kernel", "service-registry", "platform", "ledger-api"]),
    (
        "connections",
        &["kernel", "service-registry", "platform", "connections-api", "connections-formats", "ledger-api"],
    ),
    ("migrations", &[]),
    (
        "tributary",
        &[
            "kernel",
            "service-registry",
            "service-registry-http",
            "platform",
            "identity-api",
            "identity",
            "ledger-api",
            "ledger",
            "connections-api",
            "connections",
            "migrations",
        ],
    ),
];

/// What only tests and benchmarks may stand on besides.
const ALLOWED_IN_TESTS: &[(&str, &[&str])] = &[
    ("service-registry-macros", &["service-registry"]),
    ("service-registry", &["service-registry-http"]),
    ("identity", &["migrations"]),
    ("ledger", &["migrations"]),
    ("connections", &["migrations", "ledger", "identity-api"]),
];

fn table(rows: &[(&str, &[&str])]) -> BTreeMap<String, BTreeSet<String>> {
    let owned = |names: &[&str]| names.iter().map(ToString::to_string).collect();
    rows.iter().map(|(name, may)| (name.to_string(), owned(may))).collect()
}

/// Each of our crates and those of ours it names: what it is built from, and what only its tests are.
fn graph() -> BTreeMap<String, (BTreeSet<String>, BTreeSet<String>)> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs, since it runs this test");
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo metadata is JSON");
    let packages = metadata["packages"].as_array().expect("metadata lists packages");
    let name = |package: &Value| package["name"].as_str().expect("a package has a name").to_owned();
    let ours: BTreeSet<String> = packages.iter().map(name).collect();
    packages
        .iter()
        .map(|package| {
            let named = package["dependencies"].as_array().expect("a package lists what it needs").iter();
            // A crate that names itself asks its own tests for one of its features.
            let named = named.filter(|other| ours.contains(&name(other)) && name(other) != name(package));
            let (tests, built): (Vec<_>, Vec<_>) = named.partition(|dependency| dependency["kind"] == "dev");
            let names = |list: Vec<&Value>| list.into_iter().map(name).collect();
            (name(package), (names(built), names(tests)))
        })
        .collect()
}

#[test]
fn our_crates_import_only_what_the_design_allows() {
    let (allowed, in_tests) = (table(ALLOWED), table(ALLOWED_IN_TESTS));
    let mut refused = Vec::new();
    for (name, (built, tests)) in graph() {
        let Some(may) = allowed.get(&name) else {
            refused.push(format!("{name} is not in the table"));
            continue;
        };
        refused.extend(built.difference(may).map(|new| format!("{name} -> {new}")));
        let may_test = in_tests.get(&name).into_iter().flatten().chain(may).cloned().collect();
        refused.extend(tests.difference(&may_test).map(|new| format!("{name} -> {new} (in tests)")));
    }
    assert!(refused.is_empty(), "new lines between our crates: {refused:#?}");
}

#[test]
fn the_table_has_no_crate_that_is_gone() {
    let graph = graph();
    let gone: Vec<_> =
        ALLOWED.iter().map(|(name, _)| *name).filter(|name| !graph.contains_key(*name)).collect();
    assert!(gone.is_empty(), "not in the workspace: {gone:?}");
}

#[test]
fn nothing_imports_the_top_floor() {
    for (name, (built, tests)) in graph() {
        assert!(!built.contains("tributary") && !tests.contains("tributary"), "{name} stands on app");
    }
}
