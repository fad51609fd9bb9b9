//! A watched folder.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use serde_json::{Value, json};

use crate::import::sample;
use crate::server::{Server, monolith, server};

struct Watcher {
    child: Child,
    out: BufReader<ChildStdout>,
}

impl Watcher {
    fn start(server: &Server, token: &str, folder: &Path, data_dir: &Path) -> Self {
        Self::start_with(server, token, folder, data_dir, &[])
    }

    fn start_with(server: &Server, token: &str, folder: &Path, data_dir: &Path, args: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_tributary"))
            .args(["import", "--json", "--watch"])
            .arg(folder)
            .args(args)
            .env("TRIBUTARY_SERVER", server.url(""))
            .env("TRIBUTARY_TOKEN", token)
            .env("TRIBUTARY_DATA_DIR", data_dir)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        Self { child, out }
    }

    /// The next file that it tells of; none at its end.
    fn next(&mut self) -> Option<Value> {
        let mut line = String::new();
        self.out.read_line(&mut line).unwrap();
        (!line.is_empty()).then(|| serde_json::from_str(&line).unwrap())
    }

    /// Ctrl-C, and everything that it said before it ended.
    fn stop(mut self) -> (Vec<Value>, Option<i32>) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-INT", &id]).status().unwrap().success());
        let mut rest = Vec::new();
        while let Some(told) = self.next() {
            rest.push(told);
        }
        (rest, self.child.wait().unwrap().code())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_file_of_a_folder_is_imported_once_when_it_is_whole() {
    let server = monolith().await;
    let token = server.log_in().await;
    let (folder, data_dir) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (card, savings) = (sample("credit-card-2026.ofx"), sample("savings-2026.csv"));
    let put = |from: &str, name: &str| std::fs::copy(from, folder.path().join(name)).unwrap();
    put(&card, "card.ofx");
    std::fs::write(folder.path().join("half.ofx.part"), "OFXHEADER:100").unwrap();

    let watcher = tokio::task::block_in_place(|| {
        let mut watcher = Watcher::start(&server, &token, folder.path(), data_dir.path());
        let first = watcher.next().unwrap();
        assert_eq!(first["import"]["report"]["outcomes"]["created"], 43, "{first}");
        // The same content under another name is the same file; what is no bank file is told once.
        put(&card, "card (1).ofx");
        std::fs::write(folder.path().join("letter.txt"), "Dear customer").unwrap();
        let second = watcher.next().unwrap();
        assert_eq!(second["problem"]["code"], "unknown_format");
        put(&savings, "savings.csv");
        let third = watcher.next().unwrap();
        assert_eq!(third["import"]["report"]["outcomes"]["created"], 26, "{third}");
        watcher
    });
    let (rest, code) = tokio::task::block_in_place(|| watcher.stop());
    assert_eq!((rest, code), (Vec::new(), Some(0)));
    assert!(folder.path().join("card.ofx").exists(), "files stay where they are");

    // Started again, it knows what it has taken.
    std::fs::write(folder.path().join("last.txt"), "Dear customer, once more").unwrap();
    tokio::task::block_in_place(|| {
        let mut watcher = Watcher::start(&server, &token, folder.path(), data_dir.path());
        let only = watcher.next().unwrap();
        assert!(only["file"].as_str().unwrap().ends_with("last.txt"), "{only}");
        assert_eq!(watcher.stop(), (Vec::new(), Some(0)));
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_nobody_looked_at_is_not_taken_for_imported() {
    let (folder, data_dir) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    std::fs::copy(sample("credit-card-2026.ofx"), folder.path().join("card.ofx")).unwrap();
    // Connections are nowhere: asked again, they may be there.
    let away = server(&[]).await;
    let token = away.log_in().await;
    let (first, code) = tokio::task::block_in_place(|| {
        let mut watcher = Watcher::start(&away, &token, folder.path(), data_dir.path());
        (watcher.next().unwrap(), watcher.stop().1)
    });
    assert_eq!((&first["problem"]["status"], code), (&503.into(), Some(0)));
    assert_eq!(std::fs::read_dir(data_dir.path()).unwrap().count(), 0, "nothing was taken");

    // Whoever may not import anything had better hear of it than have every file tried and passed over.
    let there = monolith().await;
    let revoked = there.log_in().await;
    there.request("DELETE", "/api/v1/sessions/current").bearer_auth(&revoked).send().await.unwrap();
    let code = tokio::task::block_in_place(|| {
        let mut watcher = Watcher::start(&there, &revoked, folder.path(), data_dir.path());
        assert_eq!(watcher.next().unwrap()["problem"]["code"], "session_revoked");
        watcher.child.wait().unwrap().code()
    });
    assert_eq!(code, Some(1));
    let token = there.log_in_again().await;
    tokio::task::block_in_place(|| {
        let mut watcher = Watcher::start(&there, &token, folder.path(), data_dir.path());
        assert_eq!(watcher.next().unwrap()["import"]["report"]["outcomes"]["created"], 43);
        watcher.stop();
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_was_refused_for_want_of_something_is_tried_again_once_that_is_said() {
    let server = monolith().await;
    let token = server.log_in().await;
    let card = json!({ "name": "Card", "kind": "credit_card", "currency": "USD" });
    let opened = server.post("/api/v1/accounts").bearer_auth(&token).json(&card).send().await.unwrap();
    assert_eq!(opened.status(), 201);
    let (folder, data_dir) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    std::fs::copy(sample("banks/amex-us.csv"), folder.path().join("card.csv")).unwrap();
    // The letter, new each time, comes last by its name: whatever else is told was tried again.
    let mut letters = 0;
    let mut watch = |args: &[&str], expected: usize| {
        tokio::task::block_in_place(|| {
            letters += 1;
            let letter = format!("z{letters}.txt");
            std::fs::write(folder.path().join(&letter), format!("Dear customer {letters}")).unwrap();
            let mut watcher = Watcher::start_with(&server, &token, folder.path(), data_dir.path(), args);
            let told: Vec<_> = (0..=expected).map(|_| watcher.next().unwrap()).collect();
            assert_eq!(watcher.stop(), (Vec::new(), Some(0)));
            assert!(told[expected]["file"].as_str().unwrap().ends_with(&letter), "{told:?}");
            told
        })
    };
    assert_eq!(watch(&[], 1)[0]["problem"]["code"], "needs_account");
    watch(&["--dates", "day-first"], 0);
    let told = watch(&["--account", "Card"], 1);
    assert_eq!(told[0]["import"]["state"], "committed", "{told:?}");
    watch(&["--account", "Card"], 0);
}
