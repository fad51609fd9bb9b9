//! SIGHUP and the command line of an operator, on a real process.
#![cfg(unix)]

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

/// A hybrid without its other half; killed when dropped.
struct Running {
    process: Child,
    private: String,
    directory: TempDir,
}

fn tributary() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tributary"));
    command.env_clear();
    command
}

impl Running {
    fn start(config: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("tributary.toml"), config).unwrap();
        let log = std::fs::File::create(directory.path().join("log")).unwrap();
        let mut process = tributary()
            .args(["serve", "--mode", "hybrid", "--public", "127.0.0.1:0", "--private", "127.0.0.1:0"])
            .arg("--config")
            .arg(directory.path().join("tributary.toml"))
            .arg("--data-dir")
            .arg(directory.path())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let told: Value = serde_json::from_str(&line).unwrap();
        let private = format!("http://{}", told["private"].as_str().unwrap());
        Self { process, private, directory }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Writes another configuration, tells the process, and waits until it has said `word`.
    fn reload(&self, config: &str, word: &str) -> String {
        std::fs::write(self.file("tributary.toml"), config).unwrap();
        let told = Command::new("kill").args(["-HUP", &self.process.id().to_string()]).status().unwrap();
        assert!(told.success());
        let begun = Instant::now();
        loop {
            let log = std::fs::read_to_string(self.file("log")).unwrap();
            if log.contains(word) {
                return log;
            }
            assert!(begun.elapsed() < Duration::from_secs(20), "{word} is not in {log}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn placement(&self, words: &str) -> Output {
        let words = words.split(' ');
        tributary()
            .arg("placement")
            .args(words)
            .args(["--at", &self.private, "--data-dir"])
            .arg(self.directory.path())
            .output()
            .unwrap()
    }

    fn urls_of_connections(&self) -> Value {
        let shown: Value = serde_json::from_slice(&self.placement("show connections --json").stdout).unwrap();
        shown[0]["placement"]["urls"].clone()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

fn config(url: &str, more: &str) -> String {
    format!("[services.connections]\nurl = \"{url}\"\n{more}")
}

#[test]
fn a_hangup_applies_placements_and_names_what_waits_for_a_restart() {
    let running = Running::start(&config("http://127.0.0.1:1", ""));
    let log = running.reload(&config("http://127.0.0.1:2", "[edge]\ndeadline_ms = 9000\n"), "Reloaded");
    assert_eq!(running.urls_of_connections(), serde_json::json!(["http://127.0.0.1:2"]));
    assert!(
        log.contains("audit") && log.contains("SIGHUP placed connections: remote at http://127.0.0.1:1 → "),
        "{log}"
    );
    assert!(log.contains("in force after a restart: edge.deadline_ms"), "{log}");
}

#[test]
fn a_configuration_with_faults_is_refused_as_a_whole() {
    let running = Running::start(&config("http://127.0.0.1:1", ""));
    let faulty = config("http://127.0.0.1:2", "shadow = true\n[edge]\ndeadline_ms = 0\n");
    let log = running.reload(&faulty, "edge.deadline_ms");
    assert!(log.contains("Refused the new configuration: services.connections.shadow"), "{log}");
    assert_eq!(running.urls_of_connections(), serde_json::json!(["http://127.0.0.1:1"]));
}

#[test]
fn what_an_operator_moved_stays_where_the_configuration_of_it_does_not_change() {
    let running = Running::start(&config("http://127.0.0.1:1", ""));
    let moved = running.placement("set connections remote --url http://127.0.0.1:3");
    let said = String::from_utf8_lossy(&moved.stdout);
    assert_eq!(
        (moved.status.code(), said.trim()),
        (Some(0), "connections: remote at http://127.0.0.1:1 → remote at http://127.0.0.1:3")
    );
    running.reload(&config("http://127.0.0.1:1", "[edge]\ndeadline_ms = 9000\n"), "Reloaded");
    assert_eq!(running.urls_of_connections(), serde_json::json!(["http://127.0.0.1:3"]));
}

#[test]
fn the_command_line_says_what_is_and_what_is_wrong() {
    let running = Running::start("");
    let code_and_words = |words: &str| {
        let output = running.placement(words);
        let said = [output.stdout, output.stderr].concat();
        (output.status.code(), String::from_utf8(said).unwrap())
    };
    let (code, shown) = code_and_words("show");
    assert!(
        code == Some(0) && ["identity", "ledger", "connections"].iter().all(|it| shown.contains(it)),
        "{shown}"
    );
    for (words, code, part) in [
        ("show ledgre", 1, "not_found"),
        ("set ledger split --share 5 --url http://127.0.0.1:9", 1, "PostgreSQL"),
        ("set ledger split --share 250", 1, "--share"),
        ("set ledger split", 2, "--share"),
        ("set ledger nowhere", 2, "nowhere"),
    ] {
        let (exit, said) = code_and_words(words);
        assert_eq!(exit, Some(code), "{words}: {said}");
        assert!(said.contains(part), "{words}: {said}");
    }
    let stranger = tempfile::tempdir().unwrap();
    let output = tributary()
        .args(["placement", "show", "--at", &running.private, "--data-dir"])
        .arg(stranger.path())
        .output();
    let output = output.unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("operator.key"), "says which key is missing");
    assert!(!stranger.path().join("keys").exists(), "a key that nobody knows helps nobody");
}
