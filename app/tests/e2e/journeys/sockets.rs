//! Processes of one machine that call each other over Unix sockets.

use std::os::unix::fs::{FileTypeExt, PermissionsExt};

use crate::harness::{Bank, Client, Household, Installation};

pub async fn sockets_are_there_while_their_processes_live_and_replaced_after_a_kill(at: &mut Installation) {
    let ada = Household::new(at, "ada").await;
    let mut imported = 0;
    let mut works = async || {
        imported += 1;
        let file = Bank::account(&format!("100{imported}")).cents(3).write();
        assert_eq!(ada.import(file, "").await["report"]["outcomes"]["created"], 3);
    };
    works().await;
    for process in at.processes() {
        let socket = process.socket().metadata().unwrap();
        assert!(socket.file_type().is_socket());
        assert_eq!(socket.permissions().mode() & 0o777, 0o600, "{}", process.socket().display());
    }
    // No call went by an address.
    let ledger = at.process("ledger").socket().to_owned();
    let url = format!("unix://{}", ledger.display());
    let metrics = Client::new(at.process("gateway").private()).get("/metrics").await.text;
    assert!(metrics.contains(&format!("endpoint=\"{url}\"")), "{metrics}");
    assert!(!metrics.contains("endpoint=\"127.0.0.1"), "{metrics}");
    assert!(at.topology(&[]).contains(&format!("{url}: closed")), "{}", at.topology(&[]));

    at.process("ledger").kill();
    assert!(ledger.exists(), "nobody was there to take it away");
    at.process("ledger").restart().await;
    assert!(at.process("ledger").has_logged("Replacing the socket that a process left behind"));
    for process in at.processes() {
        process.until_ready().await;
    }
    works().await;

    at.process("connections").terminate();
    at.process("connections").until_stopped().await;
    assert!(!at.process("connections").socket().exists());
    at.process("connections").restart().await;
    works().await;
}
