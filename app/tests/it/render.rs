//! Deployment files: those in the repository are what the settings make, and their processes would start.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;
use tributary::config::{Overrides, Settings};
use tributary::keys::Keys;

const MODES: [&str; 3] = ["monolith", "hybrid", "microservices"];

pub fn render(kind: &str, mode: &str, out: &Path, more: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_tributary"))
        .env_clear()
        .args(["topology", "render", &format!("--{kind}"), "--mode", mode, "--out"])
        .arg(out)
        .args(more)
        .output()
        .unwrap()
}

pub fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

pub fn documents(path: &Path) -> Vec<Value> {
    serde_saphyr::from_multiple(&fs::read_to_string(path).unwrap()).unwrap()
}

#[test]
fn deployment_files_in_the_repository_are_current() {
    for kind in ["compose", "kubernetes"] {
        let deploy = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../deploy").join(kind);
        for mode in MODES {
            let checked = render(kind, mode, &deploy, &["--check"]);
            assert_eq!(checked.status.code(), Some(0), "{kind} {mode}: {}", said(&checked));
        }
    }
}

#[test]
fn drift_is_named_by_file_and_line_and_exits_with_1() {
    let out = tempfile::tempdir().unwrap();
    let files = out.path().join("microservices");
    assert_eq!(render("kubernetes", "microservices", out.path(), &[]).status.code(), Some(0));
    assert_eq!(render("kubernetes", "microservices", out.path(), &["--check"]).status.code(), Some(0));
    let ledger = fs::read_to_string(files.join("ledger.yaml")).unwrap();
    fs::write(files.join("ledger.yaml"), ledger.replacen("replicas: 2", "replicas: 3", 1)).unwrap();
    fs::rename(files.join("identity.yaml"), files.join("planning.yaml")).unwrap();
    fs::write(files.join("ours.yaml"), "kind: ConfigMap\n").unwrap();
    let checked = render("kubernetes", "microservices", out.path(), &["--check"]);
    let said = said(&checked);
    assert_eq!(checked.status.code(), Some(1));
    let line = 1 + ledger.lines().position(|line| line.contains("replicas: 2")).unwrap();
    for words in [
        format!("ledger.yaml:{line} differs\n  on disk:    replicas: 3\n  settings:   replicas: 2"),
        "identity.yaml is missing".to_owned(),
        "planning.yaml is of no process".to_owned(),
    ] {
        assert!(said.contains(&words), "no {words:?} in {said}");
    }
    assert!(!said.contains("ours.yaml"), "{said}");
    // Written again, only what somebody else put there is left of it.
    assert_eq!(render("kubernetes", "microservices", out.path(), &[]).status.code(), Some(0));
    assert_eq!(render("kubernetes", "microservices", out.path(), &["--check"]).status.code(), Some(0));
    assert!(files.join("ours.yaml").exists() && !files.join("planning.yaml").exists());
}

#[test]
fn processes_follow_the_addresses_in_the_settings() {
    let out = tempfile::tempdir().unwrap();
    // Both at one address are one process.
    let together = ["ledger", "connections"].map(|name| format!("services.{name}.url=http://books:7130"));
    let set = ["--module", "gateway,identity", "--set", &together[0], "--set", &together[1]];
    assert_eq!(render("compose", "hybrid", out.path(), &set).status.code(), Some(0));
    let services = documents(&out.path().join("hybrid.yaml"))[0]["services"].clone();
    let names: Vec<_> = services.as_object().unwrap().keys().cloned().collect();
    assert_eq!(names, ["ledger-connections", "tributary"]);
    let told = &services["tributary"]["environment"];
    assert_eq!(told["TRIBUTARY_SERVICES__CONNECTIONS__URL"], "http://ledger-connections:7130");
    assert_eq!(told["TRIBUTARY_SERVICES__LEDGER__URL"], "http://ledger-connections:7130");
}

#[test]
fn a_socket_of_this_machine_is_no_address_between_containers() {
    let out = tempfile::tempdir().unwrap();
    let set = ["private.socket=/run/tributary.sock", "services.connections.url=unix:///run/connections.sock"];
    let set = set.map(|word| format!("--set={word}"));
    assert_eq!(
        render("compose", "hybrid", out.path(), &set.each_ref().map(String::as_str)).status.code(),
        Some(0)
    );
    let rendered = fs::read_to_string(out.path().join("hybrid.yaml")).unwrap();
    let deployed = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../deploy/compose/hybrid.yaml");
    assert_eq!(rendered, fs::read_to_string(deployed).unwrap());
}

#[test]
fn a_module_whose_calls_go_elsewhere_too_is_a_process_of_its_own_beside_the_monolith() {
    let out = tempfile::tempdir().unwrap();
    let words = ["placement=split", "share=12.5", "fallback=local", "url=http://books:1", "guard_p99_ms=250"];
    let words = words.map(|word| format!("--set=services.ledger.{word}"));
    let mut set = vec!["--database-url", "postgres://books/money"];
    set.extend(words.iter().map(String::as_str));
    assert_eq!(render("compose", "monolith", out.path(), &set).status.code(), Some(0));
    let services = documents(&out.path().join("monolith.yaml"))[0]["services"].clone();
    let (whole, apart) = (&services["tributary"]["environment"], &services["ledger"]["environment"]);
    assert_eq!(whole["TRIBUTARY_SERVICES__LEDGER__URL"], "http://ledger:7130");
    assert_eq!(whole["TRIBUTARY_SERVICES__LEDGER__SHARE"], "12.5");
    assert_eq!(whole["TRIBUTARY_SERVICES__LEDGER__GUARD_P99_MS"], "250");
    assert_eq!(apart["TRIBUTARY_SERVICES__LEDGER__PLACEMENT"], Value::Null);
    assert_eq!(apart["TRIBUTARY_SERVICES__IDENTITY__URL"], "http://tributary:7100");
    let keys = keys();
    for (name, service) in services.as_object().unwrap() {
        let (told, files) = of_service(service);
        starts(name, told, files, keys.path());
    }
}

#[test]
fn every_process_accepts_what_it_is_told_with_no_other_keys_than_it_is_given() {
    let out = tempfile::tempdir().unwrap();
    let keys = keys();
    for mode in MODES {
        assert_eq!(render("compose", mode, out.path(), &[]).status.code(), Some(0));
        assert_eq!(render("kubernetes", mode, out.path(), &[]).status.code(), Some(0));
        let whole = documents(&out.path().join(format!("{mode}.yaml"))).remove(0);
        for (name, service) in whole["services"].as_object().unwrap() {
            let (told, files) = of_service(service);
            starts(&format!("{mode} {name}"), told, files, keys.path());
            let objects = documents(&out.path().join(mode).join(format!("{name}.yaml")));
            let (told, files) = of_deployment(&objects[0]);
            starts(&format!("{mode} {name} in kubernetes"), told, files, keys.path());
        }
    }
}

#[test]
fn a_private_port_is_open_to_the_processes_that_call_it_and_nobody_else() {
    let out = tempfile::tempdir().unwrap();
    assert_eq!(render("kubernetes", "microservices", out.path(), &[]).status.code(), Some(0));
    let callers = |process: &str| {
        let objects = documents(&out.path().join(format!("microservices/{process}.yaml")));
        let policy = objects.into_iter().find(|object| object["kind"] == "NetworkPolicy").unwrap();
        let private = &policy["spec"]["ingress"][0];
        assert_eq!(private["ports"][0]["port"], "private");
        let from = private["from"].as_array().unwrap().iter();
        let component = |from: &Value| {
            from["podSelector"]["matchLabels"]["app.kubernetes.io/component"].as_str().map(str::to_owned)
        };
        from.filter_map(component).collect::<Vec<_>>()
    };
    assert_eq!(callers("ledger"), ["gateway", "connections"]);
    assert_eq!(callers("identity"), ["gateway", "ledger", "connections"]);
    assert_eq!(callers("gateway"), Vec::<String>::new());
}

/// A directory with every key there is.
pub fn keys() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let mut overrides = Overrides::default();
    overrides.set("data_dir", Some(dir.path().display()));
    Keys::load(&Settings::load_with_env(&overrides, []).unwrap()).unwrap();
    dir
}

pub fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

/// What the process of a Deployment is told, and the files that it is given.
pub fn of_deployment(object: &Value) -> (BTreeMap<String, String>, Vec<String>) {
    let pod = &object["spec"]["template"]["spec"];
    let told = pod["containers"][0]["env"].as_array().unwrap().iter();
    let told = told.map(|pair| (text(&pair["name"]), text(&pair["value"]))).collect();
    let volumes = pod["volumes"].as_array().unwrap().iter();
    let sources = volumes.filter_map(|volume| volume["projected"]["sources"].as_array()).flatten();
    let kinds = ["secret", "configMap"];
    let items =
        sources.flat_map(|source| kinds.map(|kind| source[kind]["items"].as_array())).flatten().flatten();
    (told, items.map(|item| text(&item["path"])).collect())
}

/// What a service of a Compose file is told, and the files that it is given.
pub fn of_service(service: &Value) -> (BTreeMap<String, String>, Vec<String>) {
    let told = service["environment"].as_object().unwrap().iter();
    let told = told.map(|(name, value)| (name.clone(), text(value))).collect();
    (told, service["secrets"].as_array().unwrap().iter().map(text).collect())
}

/// The process's settings have no fault, with an issuer and the files that it is given.
pub fn starts(what: &str, mut told: BTreeMap<String, String>, files: Vec<String>, keys: &Path) {
    let given = give(&files, &keys.join("keys"));
    let (secrets, place) = (told["TRIBUTARY_KEYS__DIR"].clone(), given.path().display().to_string());
    told.values_mut().for_each(|value| *value = value.replace(&secrets, &place));
    told.insert("TRIBUTARY_IDENTITY__ISSUER".to_owned(), "https://money.example".to_owned());
    let settings = Settings::load_with_env(&Overrides::default(), told);
    assert!(settings.as_ref().is_ok_and(Settings::is_production), "{what}: {:?}", settings.err());
}

/// A directory with these files, each as it is in `all`, and the URL of a database that nobody has.
pub fn give(files: &[String], all: &Path) -> tempfile::TempDir {
    let given = tempfile::tempdir().unwrap();
    for file in files {
        let to = given.path().join(file);
        match file.as_str() {
            "database-url" => fs::write(to, "postgres://db/x?sslmode=verify-full").unwrap(),
            _ => drop(fs::copy(all.join(file), to).unwrap()),
        }
    }
    given
}
