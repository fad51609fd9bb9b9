//! The command line: what it answers and with which exit code.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

fn tributary(data_dir: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tributary"));
    command.env("TRIBUTARY_DATA_DIR", data_dir).env_remove("RUST_LOG");
    for name in ["TRIBUTARY_EMAIL", "TRIBUTARY_PASSWORD", "TRIBUTARY_TOKEN", "TRIBUTARY_SERVER"] {
        command.env_remove(name);
    }
    command
}

fn run(args: &[&str]) -> Output {
    let data_dir = tempfile::tempdir().unwrap();
    tributary(data_dir.path()).args(args).output().unwrap()
}

fn code(output: &Output) -> Option<i32> {
    output.status.code()
}

#[test]
fn help_answers_for_every_command() {
    for command in [
        "serve",
        "demo",
        "import",
        "imports",
        "export",
        "migrate",
        "placement",
        "check",
        "openapi",
        "topology",
    ] {
        let output = run(&[command, "--help"]);
        assert_eq!(code(&output), Some(0), "{command}");
        assert!(String::from_utf8_lossy(&output.stdout).contains("Usage:"), "{command}");
    }
}

/// As `tributary openapi | head` does once it has seen enough.
#[test]
fn regression_a_reader_that_goes_away_is_no_panic() {
    let data_dir = tempfile::tempdir().unwrap();
    for command in ["openapi", "check"] {
        let mut child = tributary(data_dir.path())
            .arg(command)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!((code(&output), said.as_ref()), (Some(0), ""), "{command}");
    }
}

#[test]
fn what_tests_are_told_by_the_environment_is_no_setting() {
    let data_dir = tempfile::tempdir().unwrap();
    let names = ["CORPUS", "TEST_POSTGRES_URL", "REQUIRE_SERVERS", "REQUIRE_TOOLS", "ADVISORIES"];
    let told = names.map(|name| (format!("TRIBUTARY_{name}"), "1"));
    let output = tributary(data_dir.path()).args(["check"]).envs(told).output().unwrap();
    assert_eq!(code(&output), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn a_good_configuration_exits_with_0_and_a_wrong_one_with_2() {
    assert_eq!(code(&run(&["check"])), Some(0));
    let wrong = run(&["check", "--set", "edge.docs=maybe", "--set", "tpyo=1"]);
    assert_eq!(code(&wrong), Some(2));
    let said = String::from_utf8_lossy(&wrong.stderr);
    assert!(said.contains("2 faults") && said.contains("edge.docs") && said.contains("tpyo"), "{said}");
    assert_eq!(code(&run(&["serve", "--set", "tpyo=1"])), Some(2));
}

#[test]
fn wrong_usage_exits_with_2() {
    assert_eq!(code(&run(&["sreve"])), Some(2));
    assert_eq!(code(&run(&["import"])), Some(2));
    assert_eq!(code(&run(&["import", "a.ofx"])), Some(2), "nobody says who imports");
    assert_eq!(code(&run(&["export", "--out", "a.csv"])), Some(2), "nobody says who asks");
    assert_eq!(code(&run(&["export", "--out", "a.xyz"])), Some(2), "nobody says what to write");
}

#[test]
fn a_ledger_that_is_not_there_is_not_made_by_asking_for_it() {
    let parent = tempfile::tempdir().unwrap();
    let mistyped = parent.path().join("mony");
    let somebody = [("TRIBUTARY_EMAIL", "ada@example.org"), ("TRIBUTARY_PASSWORD", "correct horse battery")];
    let output = tributary(&mistyped).args(["imports", "list"]).envs(somebody).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(code(&output) == Some(1) && said.contains("there is no ledger in "), "{said}");
    assert!(!mistyped.exists());
}

#[test]
fn the_description_is_printed_as_openapi_3_1() {
    let output = run(&["openapi"]);
    assert_eq!(code(&output), Some(0));
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(document["openapi"], "3.1.0");
    assert!(document["paths"]["/api/v1/accounts"]["get"].is_object());
    assert_eq!(document["components"]["securitySchemes"]["bearer"]["scheme"], "bearer");
}

#[test]
fn schemas_go_up_and_back_down() {
    let data_dir = tempfile::tempdir().unwrap();
    let migrate = |args: &[&str]| {
        let output = tributary(data_dir.path()).arg("migrate").args(args).output().unwrap();
        assert_eq!(code(&output), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    assert!(!migrate(&["status"]).contains("applied"));
    assert!(migrate(&["up"]).contains("ledger: applied"));
    assert!(!migrate(&["status"]).contains("pending"));
    assert!(migrate(&["up"]).contains("ledger: up to date"));
    assert!(migrate(&["down", "--steps", "1"]).contains("ledger: took back 1"));
    assert!(migrate(&["status"]).contains("ledger: pending"));
}

#[test]
#[cfg(unix)]
fn a_server_says_where_it_listens_and_stops_in_order_on_sigterm() {
    let data_dir = tempfile::tempdir().unwrap();
    let announced = data_dir.path().join("announced.json");
    let announce = ["--announce", announced.to_str().unwrap()];
    let (mut server, line) = serve(data_dir.path(), &announce);
    let said: Value = serde_json::from_str(&line).unwrap();
    assert_eq!(said["event"], "listening");
    assert!(!said["private"].as_str().unwrap().ends_with(":0"));
    terminate(&server);
    assert_eq!(server.wait().unwrap().code(), Some(0));
    assert_eq!(std::fs::read_to_string(announced).unwrap(), line);
}

#[tokio::test]
#[cfg(unix)]
async fn while_draining_readiness_says_no_and_requests_are_still_answered() {
    let data_dir = tempfile::tempdir().unwrap();
    let (mut server, line) = serve(data_dir.path(), &["--set", "shutdown.drain_delay_ms=3000"]);
    let said: Value = serde_json::from_str(&line).unwrap();
    let get = async |path: &str| {
        let answer =
            reqwest::get(format!("http://{}{path}", said["public"].as_str().unwrap())).await.unwrap();
        let status = answer.status().as_u16();
        (status, answer.json::<Value>().await.unwrap())
    };
    while get("/health/ready").await.0 != 200 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    terminate(&server);
    while get("/health/ready").await.0 == 200 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(get("/health/ready").await, (503, json!({ "status": "unavailable" })));
    assert_eq!(get("/health/live").await, (200, json!({ "status": "ok" })));
    assert_eq!(get("/.well-known/jwks.json").await.0, 200);
    assert_eq!(server.wait().unwrap().code(), Some(0));
}

#[test]
#[cfg(unix)]
fn a_second_signal_ends_it_at_once() {
    let data_dir = tempfile::tempdir().unwrap();
    let (mut server, _) = serve(data_dir.path(), &["--set", "shutdown.drain_delay_ms=5000"]);
    terminate(&server);
    std::thread::sleep(Duration::from_millis(300));
    let second = Instant::now();
    terminate(&server);
    assert_eq!(server.wait().unwrap().code(), Some(1));
    assert!(second.elapsed() < Duration::from_secs(2), "{:?}", second.elapsed());
}

/// A monolith on free ports, and the line in which it says which.
#[cfg(unix)]
fn serve(data_dir: &Path, args: &[&str]) -> (Child, String) {
    let mut server = tributary(data_dir)
        .args(["serve", "--public", "127.0.0.1:0", "--private", "127.0.0.1:0"])
        .args(args)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(server.stdout.take().unwrap()).read_line(&mut line).unwrap();
    (server, line)
}

#[cfg(unix)]
fn terminate(server: &Child) {
    let told = Command::new("kill").args(["-TERM", &server.id().to_string()]).status().unwrap();
    assert!(told.success());
}
