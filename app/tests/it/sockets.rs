//! The private listener on a Unix socket: who may connect, what becomes of the file, and what is refused.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::path::Path;

use reqwest::Client;
use serde_json::{Value, json};
use tempfile::TempDir;
use tributary::compose::Process;
use tributary::config::{Overrides, Settings};

use crate::server::{is, problem, server};

fn over(socket: &Path) -> Client {
    Client::builder().no_proxy().unix_socket(socket).build().unwrap()
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_comes_by_the_socket_meets_the_same_door() {
    let dir = TempDir::new().unwrap();
    let socket = dir.path().join("private.sock");
    let server = server(&[("private.socket", socket.to_str().unwrap())]).await;
    let http = over(&socket);
    let ready = http.get("http://localhost/health/ready").send().await.unwrap();
    assert_eq!(ready.status(), 200);
    let call = || http.post("http://localhost/rpc/identity/v1/jwks").body("[]");
    assert_eq!(call().send().await.unwrap().status(), 403);
    let called = call().bearer_auth(server.service_token("gateway", "identity")).send().await.unwrap();
    assert_eq!(called.status(), 200);
    let user = server.log_in().await;
    let pretending = http.get("http://localhost/api/v1/accounts").bearer_auth(user).send().await.unwrap();
    assert_eq!(problem(pretending).await, is(403, "forbidden"));
    assert_eq!(server.get_private("/health/ready").send().await.unwrap().status(), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_socket_is_for_its_user_alone_or_for_the_group_too() {
    let dir = TempDir::new().unwrap();
    for (word, bits) in [(None, 0o600), (Some("0600"), 0o600), (Some("0660"), 0o660)] {
        let socket = dir.path().join(format!("{bits:o}-{}.sock", word.is_some()));
        let mut settings = vec![("private.socket", socket.to_str().unwrap())];
        settings.extend(word.map(|word| ("private.socket_mode", word)));
        let _server = server(&settings).await;
        assert_eq!(mode(&socket), bits);
    }
}

/// Starts a process with this socket.
async fn start(socket: &Path) -> anyhow::Result<Process> {
    let data_dir = TempDir::new()?;
    let mut overrides = Overrides::default();
    for (key, value) in [("public.listen", "127.0.0.1:0"), ("private.listen", "127.0.0.1:0")] {
        overrides.set(key, Some(value));
    }
    overrides.set("data_dir", Some(data_dir.path().display()));
    overrides.set("private.socket", Some(socket.display()));
    Process::start(Settings::load_with_env(&overrides, []).unwrap()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_dead_process_left_behind_is_replaced() {
    let dir = TempDir::new().unwrap();
    let socket = dir.path().join("private.sock");
    drop(UnixListener::bind(&socket).unwrap());
    let _process = start(&socket).await.unwrap();
    let live = over(&socket).get("http://localhost/health/live").send().await.unwrap();
    assert_eq!((live.status().as_u16(), mode(&socket)), (200, 0o600));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_takes_its_own_socket_away_and_no_others() {
    let dir = TempDir::new().unwrap();
    let socket = dir.path().join("private.sock");
    drop(start(&socket).await.unwrap());
    assert!(!socket.exists());
    let process = start(&socket).await.unwrap();
    // What a successor does while we are still busy with the last requests.
    fs::rename(&socket, dir.path().join("ours")).unwrap();
    let successor = UnixListener::bind(&socket).unwrap();
    drop(process);
    assert!(socket.exists());
    drop(successor);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_in_use_or_no_socket_is_left_alone() {
    let dir = TempDir::new().unwrap();
    let (used, file, missing) =
        ["used.sock", "notes.txt", "no/such/dir.sock"].map(|name| dir.path().join(name)).into();
    let listener = UnixListener::bind(&used).unwrap();
    fs::write(&file, "mine").unwrap();
    for (path, why) in [
        (&used, "another process answers there"),
        (&file, "something other than a socket is there"),
        (&missing, "No such file or directory"),
    ] {
        let refused = format!("{:#}", start(path).await.err().unwrap());
        assert!(refused.contains(&format!("cannot listen on {}", path.display())), "{refused}");
        assert!(refused.contains(why), "{refused}");
    }
    assert_eq!(fs::read_to_string(&file).unwrap(), "mine");
    // Whoever listens there has heard of one who asked, and goes on.
    listener.accept().unwrap();
    std::os::unix::net::UnixStream::connect(&used).unwrap();
}

fn faults(words: &[(&str, &str)]) -> String {
    let mut overrides = Overrides::default();
    words.iter().for_each(|(key, value)| overrides.set(key, Some(value)));
    Settings::load_with_env(&overrides, []).unwrap_err().to_string()
}

#[test]
fn sockets_that_could_never_work_are_faults() {
    let long = format!("/{}", "x".repeat(200));
    for (key, value, why) in [
        ("private.socket", "private.sock", "must name a socket by its absolute path"),
        ("private.socket", long.as_str(), "has a path that is too long for a socket"),
        ("private.socket_mode", "0644", "expected `0600` or `0660`"),
        ("services.connections.url", "unix:/run/x.sock", "must start with http://, https:// or unix://"),
        ("services.connections.url", "unix://x.sock", "must name a socket by its absolute path"),
    ] {
        let faults = faults(&[("mode", "hybrid"), (key, value)]);
        let told = format!("\n  {key}");
        assert!(faults.contains(&told) && faults.contains(why), "{faults}");
    }
    let itself = faults(&[
        ("private.socket", "/run/x.sock"),
        ("database.url", "postgres://localhost/money"),
        ("services.ledger.url", "unix:///run/x.sock"),
        ("services.ledger.placement", "remote"),
    ]);
    assert!(itself.contains("services.ledger.url: is the private listener of this very process"), "{itself}");
}

#[test]
fn a_socket_and_certificates_exclude_each_other() {
    let faults = faults(&[
        ("mode", "hybrid"),
        ("private.tls.cert_file", "/nowhere/cert.pem"),
        ("private.tls.key_file", "/nowhere/key.pem"),
        ("private.tls.ca_file", "/nowhere/ca.pem"),
        ("private.socket", "/run/x.sock"),
        ("services.connections.url", "unix:///run/y.sock"),
    ]);
    let own = "\n  private.socket: cannot be had together with private.tls";
    assert!(faults.contains(own), "{faults}");
    assert!(faults.contains("\n  services.connections.url: must be https://"), "{faults}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_moves_a_service_to_a_socket() {
    let server = server(&[]).await;
    let url = server.private_url("/placement/connections");
    let put = async |socket: &str| {
        let wanted = json!({ "side": "remote", "urls": [socket] });
        let token = server.service_token("operator", "placement");
        Client::new().put(&url).bearer_auth(token).json(&wanted).send().await.unwrap()
    };
    let moved: Value = put("unix:///run/tributary/connections.sock").await.json().await.unwrap();
    assert_eq!(moved["after"]["urls"], json!(["unix:///run/tributary/connections.sock"]), "{moved}");
    let token = server.service_token("operator", "placement");
    let shown: Value = Client::new().get(&url).bearer_auth(token).send().await.unwrap().json().await.unwrap();
    assert_eq!(shown["endpoints"][0]["url"], "unix:///run/tributary/connections.sock");
    assert_eq!(problem(put("unix://connections.sock").await).await, is(422, "validation_failed"));
}
