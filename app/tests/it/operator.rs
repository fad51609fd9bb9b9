//! The operator's commands where the private listener speaks TLS, and what they say where they do not get through.

use std::fs;
use std::process::{Command, Output};

use reqwest::{Client, Identity};
use serde_json::Value;
use tempfile::TempDir;

use crate::authority::Authority;
use crate::server::{Server, is, problem, server};

const TOGETHER: [&str; 3] = ["gateway", "identity", "ledger"];

/// The certificates of a process and of whoever operates it.
struct Certificates {
    directory: TempDir,
    authority: Authority,
}

impl Certificates {
    fn new(authority: &str) -> Self {
        let certificates =
            Self { directory: tempfile::tempdir().unwrap(), authority: Authority::new(authority) };
        certificates.believe(&[&certificates.authority]);
        certificates.issue(&certificates.authority, "tributary", &TOGETHER);
        certificates.issue(&certificates.authority, "operator", &["operator"]);
        certificates
    }

    fn believe(&self, authorities: &[&Authority]) {
        let pem: String = authorities.iter().map(|authority| authority.pem()).collect();
        fs::write(self.directory.path().join("ca.pem"), pem).unwrap();
    }

    fn issue(&self, authority: &Authority, name: &str, named: &[&str]) {
        authority.issue(self.directory.path(), name, named);
    }

    /// The settings of the process.
    fn settings(&self) -> [(&'static str, String); 3] {
        let files = [
            ("private.tls.cert_file", "tributary.pem"),
            ("private.tls.key_file", "tributary-key.pem"),
            ("private.tls.ca_file", "ca.pem"),
        ];
        files.map(|(key, file)| (key, self.directory.path().join(file).display().to_string()))
    }

    /// Somebody who shows this certificate to the process, whoever answers.
    fn client(&self, name: &str) -> Client {
        let read = |file: String| fs::read(self.directory.path().join(file)).unwrap();
        let shown = [read(format!("{name}.pem")), read(format!("{name}-key.pem"))].concat();
        let client = Client::builder().no_proxy().identity(Identity::from_pem(&shown).unwrap());
        client.tls_danger_accept_invalid_certs(true).build().unwrap()
    }
}

async fn over_tls(certificates: &Certificates) -> Server {
    let own = certificates.settings();
    let mut settings: Vec<_> = own.iter().map(|(key, value)| (*key, value.as_str())).collect();
    settings.push(("services.connections.url", "https://127.0.0.1:1"));
    server(&settings).await
}

fn url(server: &Server) -> String {
    server.private_url("").replace("http://", "https://")
}

/// Runs a command with the keys of `server`, and with what the process is told of certificates, if there are any.
fn operate(server: &Server, certificates: Option<&Certificates>, words: &[&str]) -> Output {
    let own = certificates.map(Certificates::settings);
    let own = own.iter().flatten().map(|(key, value)| format!("--set={key}={value}"));
    Command::new(env!("CARGO_BIN_EXE_tributary"))
        .env_clear()
        .args(words)
        .arg("--data-dir")
        .arg(server.data_file(""))
        .args(own)
        .output()
        .unwrap()
}

fn told(output: &Output) -> Value {
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_looks_at_a_process_and_moves_its_services_over_tls() {
    let certificates = Certificates::new("services");
    let server = over_tls(&certificates).await;
    let at = url(&server);
    let ask = |words: &[&str]| told(&operate(&server, Some(&certificates), &[words, &["--json"]].concat()));

    let set = ["placement", "set", "connections", "remote", "--url", "https://127.0.0.1:9", "--at", &at];
    assert_eq!(ask(&set)["who"], "operator");
    let clear = ["placement", "set", "connections", "remote", "--url", "http://127.0.0.1:9", "--at", &at];
    let refused = operate(&server, Some(&certificates), &clear);
    let said = String::from_utf8_lossy(&refused.stderr);
    assert!(refused.status.code() == Some(1) && said.contains("/urls must be https://"), "{said}");
    // By default, the listener that the settings make.
    let listen = format!("--set=private.listen={}", at.trim_start_matches("https://"));
    let shown = ask(&["placement", "show", "connections", &listen]);
    assert_eq!(shown[0]["placement"]["urls"][0], "https://127.0.0.1:9");
    let seen = ask(&["topology", "--at", &at]);
    assert_eq!(seen["processes"][0]["at"], at);

    server.log_in().await;
    assert_eq!(ask(&["placement", "advise", "--at", &at])["services"][1]["service"], "ledger");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operators_token_is_no_good_with_a_certificate_of_another_or_none() {
    let certificates = Certificates::new("services");
    let server = over_tls(&certificates).await;
    certificates.issue(&certificates.authority, "ledger", &["ledger"]);
    let url = format!("{}/placement", url(&server));
    let ask = async |client: Client, who: &str| {
        let token = server.service_token(who, "placement");
        client.get(&url).bearer_auth(token).send().await.unwrap()
    };
    assert_eq!(ask(certificates.client("operator"), "operator").await.status(), 200);
    // Whoever caught it elsewhere cannot use it here.
    let caught = ask(certificates.client("ledger"), "operator").await;
    assert_eq!(problem(caught).await, is(403, "forbidden"));
    let pretending = ask(certificates.client("operator"), "ledger").await;
    assert_eq!(problem(pretending).await, is(403, "forbidden"));
    let nobody = Client::builder().no_proxy().tls_danger_accept_invalid_certs(true).build().unwrap();
    assert_eq!(ask(nobody, "operator").await.status(), 403);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_stands_between_an_operator_and_a_process_is_said() {
    let certificates = Certificates::new("services");
    let (secure, plain) = (over_tls(&certificates).await, server(&[]).await);
    let (theirs, stranger) = (Certificates::new("others"), Authority::new("another"));
    let fails = |server: &Server, certificates: Option<&Certificates>, at: &str, words: &[&str]| {
        let output = operate(server, certificates, &["placement", "show", "--at", at]);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{said}");
        words.iter().for_each(|words| assert!(said.contains(words), "no {words:?} in {said}"));
    };
    let (https, http) = (url, |server: &Server| server.private_url(""));

    // Neither side has what the other wants.
    fails(&secure, None, &http(&secure), &["does it want TLS? private.tls is not set here"]);
    fails(&secure, None, &https(&secure), &["no answer from https", "private.tls is not set here"]);
    fails(&plain, Some(&certificates), &https(&plain), &["it does not speak TLS"]);
    fails(&plain, Some(&certificates), &http(&plain), &["should be https://: private.tls is set"]);

    // Two CAs that do not know each other, and one that only we know.
    fails(&secure, Some(&theirs), &https(&secure), &["its certificate is no good to us", "UnknownIssuer"]);
    theirs.believe(&[&theirs.authority, &certificates.authority]);
    fails(&secure, Some(&theirs), &https(&secure), &["take our certificate"]);

    // What a process has is not what an operator needs.
    certificates.issue(&stranger, "operator", &["operator"]);
    fails(&secure, Some(&certificates), &https(&secure), &["operator.pem: invalid peer certificate"]);
    certificates.issue(&certificates.authority, "operator", &["ledger"]);
    fails(&secure, Some(&certificates), &https(&secure), &["operator.pem does not name operator"]);
    fs::remove_file(certificates.directory.path().join("operator.pem")).unwrap();
    let words = ["an operator needs a certificate too", "cannot read", "operator.pem"];
    fails(&secure, Some(&certificates), &https(&secure), &words);
}
