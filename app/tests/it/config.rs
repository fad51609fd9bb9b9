//! How settings are put together and what is refused.

use std::path::Path;

use service_registry_http::KeyPair;
use tributary::config::{Mode, Overrides, Settings};

fn load(flags: &[(&str, &str)], env: &[(&str, &str)]) -> Result<Settings, String> {
    let mut overrides = Overrides::default();
    flags.iter().for_each(|(key, value)| overrides.set(key, Some(value)));
    with(overrides, env)
}

fn with(overrides: Overrides, env: &[(&str, &str)]) -> Result<Settings, String> {
    let env = env.iter().map(|(name, value)| (name.to_string(), value.to_string()));
    Settings::load_with_env(&overrides, env).map_err(|faults| faults.to_string())
}

fn file(text: &str) -> (tempfile::NamedTempFile, Overrides) {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), text).unwrap();
    let overrides = Overrides { file: Some(file.path().to_owned()), ..Overrides::default() };
    (file, overrides)
}

#[test]
fn without_a_word_it_is_a_monolith_on_localhost() {
    let settings = load(&[], &[]).unwrap();
    assert_eq!(settings.mode, Mode::Monolith);
    assert_eq!(settings.modules, ["gateway", "identity", "ledger", "connections"]);
    assert!(settings.public.listen.ip().is_loopback());
}

#[test]
fn all_faults_are_named_at_once() {
    let faults = load(
        &[
            ("edge.deadline_ms", "soon"),
            ("mode", "galaxy"),
            ("no.such.key", "1"),
            ("edge.rate.login.quota", "0"),
        ],
        &[("TRIBUTARY_PUBLIC__LISTEN", "nowhere"), ("TRIBUTARY_TYPO", "x")],
    )
    .unwrap_err();
    for part in ["edge.deadline_ms", "mode", "no", "edge.rate.login", "public.listen (environment)", "typo"] {
        assert!(faults.contains(&format!("\n  {part}")), "{part} is not named in: {faults}");
    }
}

#[test]
fn regression_what_may_stand_there_is_quoted_once() {
    let mut overrides = Overrides::default();
    overrides.set("environment", Some("prod"));
    let faults = Settings::load_with_env(&overrides, []).unwrap_err().to_string();
    assert!(faults.contains("`development`") && !faults.contains("``"), "{faults}");
}

#[test]
fn flags_beat_the_environment_which_beats_the_file_which_beats_the_mode() {
    let deadline = |flag: bool, env: bool| {
        let (_file, mut overrides) = file("[edge]\ndeadline_ms = 1000\n[shutdown]\ndrain_delay_ms = 7\n");
        overrides.set("mode", Some("microservices"));
        overrides.set("modules", Some("ledger"));
        overrides.set("edge.deadline_ms", flag.then_some("3000"));
        let env: &[_] = if env { &[("TRIBUTARY_EDGE__DEADLINE_MS", "2000")] } else { &[] };
        let settings = with(overrides, env).unwrap();
        assert_eq!(settings.shutdown.drain_delay_ms, 7);
        settings.edge.deadline_ms
    };
    assert_eq!((deadline(true, true), deadline(false, true), deadline(false, false)), (3000, 2000, 1000));
}

#[test]
fn a_file_with_a_typo_or_no_toml_is_refused() {
    let (_kept, overrides) = file("[edge]\ndeadline_seconds = 5\n");
    assert!(with(overrides, &[]).unwrap_err().contains("edge.deadline_seconds: there is no such setting"));
    let (_kept, overrides) = file("edge = {");
    assert!(with(overrides, &[]).is_err());
    let overrides = Overrides { file: Some("/no/such/file.toml".into()), ..Overrides::default() };
    assert!(with(overrides, &[]).unwrap_err().contains("/no/such/file.toml"));
}

#[test]
fn words_of_the_environment_are_read_as_what_they_are_for() {
    let env = [
        ("TRIBUTARY_EDGE__CORS_ORIGINS", "https://a.example, https://b.example"),
        ("TRIBUTARY_DATA_DIR", "2026"),
    ];
    let settings = load(&[], &env).unwrap();
    assert_eq!(settings.edge.cors_origins, ["https://a.example", "https://b.example"]);
    assert_eq!(settings.data_dir, Path::new("2026"));
}

#[test]
fn a_monolith_runs_everything_and_a_microservice_must_be_named() {
    assert!(load(&[("modules", "gateway,ledger")], &[]).unwrap_err().contains("\"identity\" is missing"));
    assert!(load(&[("mode", "microservices")], &[]).unwrap_err().contains("--module"));
    let ledger = load(&[("mode", "microservices"), ("modules", "ledger")], &[]).unwrap();
    assert_eq!(ledger.private_address().unwrap().port(), 7130);
    assert!(
        load(&[("mode", "microservices"), ("modules", "ledger,ledgre")], &[]).unwrap_err().contains("ledgre")
    );
}

#[test]
fn the_two_halves_of_a_hybrid_find_each_other_on_one_machine() {
    let main = load(&[("mode", "hybrid")], &[]).unwrap();
    let apart = load(&[("mode", "hybrid"), ("modules", "connections")], &[]).unwrap();
    let main_url = format!("http://{}", main.private_address().unwrap());
    assert_eq!(apart.service_urls("ledger"), [main_url.as_str()]);
    assert_eq!(apart.service_urls("identity"), [main_url.as_str()]);
    assert_eq!(apart.private_address().unwrap().port(), 7120);
    assert_eq!(main.neighbours().map(|module| module.name).collect::<Vec<_>>(), ["connections"]);
}

#[test]
fn who_imports_is_no_setting() {
    let env = ["EMAIL", "PASSWORD", "TOKEN", "SERVER"].map(|name| format!("TRIBUTARY_{name}"));
    let env: Vec<_> = env.iter().map(|name| (name.as_str(), "x")).collect();
    load(&[], &env).unwrap();
}

#[test]
fn any_origin_is_refused_everywhere() {
    assert!(load(&[("edge.cors_origins", "*")], &[]).unwrap_err().contains("edge.cors_origins"));
}

#[test]
fn a_password_is_not_seen_in_debug_output() {
    let url = "postgres://tributary:hunter2@127.0.0.1/money";
    let settings = load(&[], &[("TRIBUTARY_DATABASE__URL", url)]).unwrap();
    assert!(!format!("{settings:?}").contains("hunter2"));
    assert_eq!(settings.database_url().unwrap().expose(), Some(url));
}

#[test]
fn a_database_url_may_come_from_a_file() {
    let secret = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(secret.path(), "postgres://127.0.0.1/money\n").unwrap();
    let path = secret.path().display().to_string();
    let settings = load(&[], &[("TRIBUTARY_DATABASE__URL_FILE", &path)]).unwrap();
    assert_eq!(settings.database_url().unwrap().expose(), Some("postgres://127.0.0.1/money"));
    let missing = load(&[], &[("TRIBUTARY_DATABASE__URL_FILE", "/no/such/file")]).unwrap_err();
    assert!(missing.contains("database.url_file"));
}

#[test]
fn certificates_come_as_three_good_files_or_not_at_all() {
    let one = load(&[("private.tls.cert_file", "cert.pem")], &[]).unwrap_err();
    assert!(one.contains("\n  private.tls: needs cert_file, key_file and ca_file, or none of them"), "{one}");
    let three = [
        ("private.tls.cert_file", "/nowhere/cert.pem"),
        ("private.tls.key_file", "/nowhere/key.pem"),
        ("private.tls.ca_file", "/nowhere/ca.pem"),
        ("mode", "hybrid"),
        ("services.connections.url", "http://connections:7120"),
    ];
    let faults = load(&three, &[]).unwrap_err();
    for part in ["private.tls: cannot read /nowhere/cert.pem", "services.connections.url: must be https://"] {
        assert!(faults.contains(&format!("\n  {part}")), "{part} is not named in: {faults}");
    }
}

#[test]
fn production_refuses_what_is_only_good_for_a_desk() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path().display().to_string();
    let faults = load(
        &[
            ("environment", "production"),
            ("data_dir", &dir),
            ("database.url", "postgres://db.example/money"),
            ("edge.cors_origins", "http://money.example"),
        ],
        &[],
    )
    .unwrap_err();
    for part in [
        "identity.issuer",
        "edge.docs",
        "edge.cors_origins",
        "database.url",
        "keys.identity_signing_file",
        "keys.refresh_file",
        "keys.account_index_file",
        "keys.sealing_file",
        "keys.dir",
    ] {
        assert!(faults.contains(&format!("\n  {part}:")), "{part} is not refused in: {faults}");
    }
}

/// A data directory with the keys that development made.
fn with_keys() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let development = load(&[("data_dir", &dir.path().display().to_string())], &[]).unwrap();
    tributary::keys::Keys::load(&development).unwrap();
    dir
}

fn load_production(dir: &Path) -> Result<Settings, String> {
    let dir = dir.display().to_string();
    let good = [
        ("environment", "production"),
        ("data_dir", &dir),
        ("identity.issuer", "https://money.example"),
        ("edge.docs", "false"),
    ];
    load(&good, &[])
}

#[test]
fn production_with_everything_in_place_is_accepted() {
    load_production(with_keys().path()).unwrap();
}

#[test]
fn regression_a_listener_needs_a_connection_for_each_worker() {
    for listener in ["public", "private"] {
        let (workers, connections) = (format!("{listener}.workers"), format!("{listener}.max_connections"));
        let faults = load(&[(workers.as_str(), "4"), (connections.as_str(), "3")], &[]).unwrap_err();
        assert!(faults.contains(&format!("\n  {connections}: must not be below workers")), "{faults}");
        load(&[(workers.as_str(), "4"), (connections.as_str(), "4")], &[]).unwrap();
    }
}

#[test]
fn regression_production_refuses_one_pair_of_keys_for_several_services() {
    let dir = with_keys();
    let key = |name: &str| dir.path().join("keys").join(name);
    std::fs::copy(key("ledger.pub"), key("gateway.pub")).unwrap();
    // A process of its own has one private key only, so the public ones have to tell.
    let faults = load_production_module(dir.path(), "identity").unwrap_err();
    assert!(faults.contains("keys.dir: ") && faults.contains("the same key as that of"), "{faults}");
}

#[test]
fn regression_production_refuses_a_private_key_that_is_not_the_known_one() {
    let dir = with_keys();
    let key = |name: &str| dir.path().join("keys").join(name);
    std::fs::write(key("identity.key"), KeyPair::generate().unwrap().private_pem()).unwrap();
    let faults = load_production_module(dir.path(), "identity").unwrap_err();
    assert!(faults.contains("keys.dir: ") && faults.contains("identity.pub does not belong to"), "{faults}");
    load_production_module(dir.path(), "ledger").unwrap();
}

fn load_production_module(dir: &Path, module: &str) -> Result<Settings, String> {
    let dir = dir.display().to_string();
    load(
        &[
            ("environment", "production"),
            ("mode", "microservices"),
            ("modules", module),
            ("data_dir", &dir),
            ("identity.issuer", "https://money.example"),
            ("edge.docs", "false"),
            ("services.identity.url", "https://identity.example"),
            ("services.ledger.url", "https://ledger.example"),
            ("services.connections.url", "https://connections.example"),
        ],
        &[],
    )
}

#[test]
fn production_refuses_short_known_and_shared_keys() {
    let dir = with_keys();
    let key = |name: &str| dir.path().join("keys").join(name);
    std::fs::write(key("refresh.key"), "00".repeat(31)).unwrap();
    std::fs::write(key("sealing.key"), "00".repeat(32)).unwrap();
    std::fs::copy(key("ledger.key"), key("gateway.key")).unwrap();
    let faults = load_production(dir.path()).unwrap_err();
    assert!(faults.contains("keys.refresh_file: ") && faults.contains("64 hexadecimal digits"), "{faults}");
    assert!(faults.contains("keys.sealing_file: ") && faults.contains("known default"), "{faults}");
    assert!(faults.contains("each role needs its own"), "{faults}");
}

#[test]
fn several_urls_are_several_endpoints_and_win_over_one() {
    let settings = load(
        &[
            ("mode", "hybrid"),
            ("services.connections.url", "http://one:7120"),
            ("services.connections.urls", "http://two:7120,http://three:7120"),
        ],
        &[],
    );
    let urls = settings.unwrap().service_urls("connections");
    assert_eq!(urls, ["http://two:7120", "http://three:7120"]);
    let faults = load(&[("services.ledger.urls", "http://two:7120,three")], &[]).unwrap_err();
    assert!(faults.contains("services.ledger.url: must start with http://"), "{faults}");
}

#[test]
fn one_service_may_be_called_by_rules_of_its_own() {
    let settings = load(
        &[
            ("mode", "hybrid"),
            ("calls.concurrent", "32"),
            ("services.connections.breaker_open_ms", "250"),
            ("services.connections.hedge_after_ms", "80"),
            ("services.ledger.concurrent", "8"),
        ],
        &[],
    )
    .unwrap();
    let (ledger, connections) = (settings.policy("ledger"), settings.policy("connections"));
    assert_eq!((ledger.bulkhead.concurrent, connections.bulkhead.concurrent), (8, 32));
    assert_eq!((ledger.breaker.open.as_millis(), connections.breaker.open.as_millis()), (1000, 250));
    assert_eq!(
        (ledger.hedge_after, connections.hedge_after.map(|after| after.as_millis())),
        (None, Some(80))
    );
}

#[test]
fn the_defaults_are_those_of_the_registry() {
    assert_eq!(load(&[], &[]).unwrap().policy("ledger"), service_registry::policy::Policy::default());
}

#[test]
fn a_rule_that_could_never_apply_is_a_fault() {
    for key in ["retry_percent", "hedge_after_ms", "breaker_failures_in_a_row", "breaker_open_ms"] {
        let key = format!("services.ledger.{key}");
        let faults = load(&[(key.as_str(), "5")], &[]).unwrap_err();
        assert!(faults.contains(&format!("{key}: ledger runs in this process")), "{faults}");
        // With a url it may be elsewhere for another process with the same file.
        load(&[(key.as_str(), "5"), ("services.ledger.url", "http://ledger:7130")], &[]).unwrap();
    }
    load(&[("services.ledger.concurrent", "5")], &[]).unwrap();
}

#[test]
fn rules_for_calls_that_make_no_sense_are_named() {
    let broken = [
        ("calls.concurrent", "0"),
        ("calls.retry_percent", "101"),
        ("calls.retry_floor_per_s", "10001"),
        ("calls.breaker.failures_in_a_row", "0"),
        ("calls.breaker.failing_percent", "0"),
        ("calls.breaker.least_calls", "0"),
        ("calls.breaker.window_ms", "1"),
        ("calls.breaker.open_most_ms", "999"),
    ];
    let faults = load(&broken, &[]).unwrap_err();
    for (key, _) in broken {
        assert!(faults.contains(&format!("\n  {key}: must ")), "{key} is not refused in: {faults}");
    }
}
