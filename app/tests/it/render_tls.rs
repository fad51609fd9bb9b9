//! Deployment files of processes that know each other by certificates, and such processes started from them.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Child, Command};
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::authority::Authority;
use crate::render::{documents, give, keys, of_deployment, of_service, render, said, starts};

/// Paths are where the one has its files who writes down what others are to have: nothing is read there.
const TLS: [&str; 3] = [
    "--set=private.tls.cert_file=/nowhere/own.pem",
    "--set=private.tls.key_file=/nowhere/own-key.pem",
    "--set=private.tls.ca_file=/nowhere/ca.pem",
];

/// The services of a Compose file, and the directory with the other files.
fn written(mode: &str) -> (TempDir, BTreeMap<String, Value>) {
    let out = tempfile::tempdir().unwrap();
    for kind in ["compose", "kubernetes"] {
        let rendered = render(kind, mode, out.path(), &TLS);
        assert_eq!(rendered.status.code(), Some(0), "{}", said(&rendered));
        let checked = render(kind, mode, out.path(), &[&TLS[..], &["--check"]].concat());
        assert_eq!(checked.status.code(), Some(0), "{}", said(&checked));
    }
    let whole = documents(&out.path().join(format!("{mode}.yaml"))).remove(0);
    let services = serde_json::from_value(whole["services"].clone()).unwrap();
    (out, services)
}

fn pod(out: &Path, mode: &str, process: &str) -> Value {
    let objects = documents(&out.join(mode).join(format!("{process}.yaml")));
    objects[0]["spec"]["template"]["spec"].clone()
}

/// Every key there is, and a certificate for each process and the operator.
fn secrets<'a>(processes: impl IntoIterator<Item = (&'a String, &'a Value)>) -> TempDir {
    let (directory, authority) = (keys(), Authority::new("services"));
    let keys = directory.path().join("keys");
    fs::write(keys.join("ca.pem"), authority.pem()).unwrap();
    authority.issue(&keys, "operator", &["operator"]);
    for (name, service) in processes {
        let modules = service["environment"]["TRIBUTARY_MODULES"].as_str().unwrap();
        authority.issue(&keys, name, &modules.split(',').collect::<Vec<_>>());
    }
    directory
}

#[test]
fn each_process_is_given_its_own_certificate_and_is_called_over_tls() {
    let (out, services) = written("microservices");
    let (told, files) = of_service(&services["ledger"]);
    for (word, file) in [("CERT", "ledger.pem"), ("KEY", "ledger-key.pem"), ("CA", "ca.pem")] {
        assert_eq!(told[&format!("TRIBUTARY_PRIVATE__TLS__{word}_FILE")], format!("/run/secrets/{file}"));
        assert!(files.iter().any(|given| given == file), "{file} in {files:?}");
    }
    assert_eq!(files.iter().filter(|file| file.ends_with(".pem")).count(), 3, "{files:?}");
    for (name, service) in &services {
        let (told, _) = of_service(service);
        let urls = told.iter().filter(|(key, _)| key.ends_with("__URL"));
        urls.for_each(|(key, url)| assert!(url.starts_with("https://"), "{name}: {key} is {url}"));
    }
    let whole = documents(&out.path().join("microservices.yaml")).remove(0);
    assert_eq!(whole["secrets"]["ledger-key.pem"], json!({ "file": "./secrets/ledger-key.pem" }));

    let pod = pod(out.path(), "microservices", "ledger");
    let sources = pod["volumes"][2]["projected"]["sources"].as_array().unwrap();
    let own = json!([
        { "key": "tls.crt", "path": "ledger.pem" },
        { "key": "tls.key", "path": "ledger-key.pem" },
    ]);
    assert_eq!(sources[2], json!({ "secret": { "name": "ledger-tls", "items": own } }));
    let ca = json!([{ "key": "ca.crt", "path": "ca.pem" }]);
    assert_eq!(sources[3], json!({ "configMap": { "name": "tributary-ca", "items": ca } }));
    let of_tls = of_deployment(&documents(&out.path().join("microservices/ledger.yaml"))[0]).0;
    assert_eq!(of_tls["TRIBUTARY_PRIVATE__TLS__KEY_FILE"], "/run/secrets/tributary/ledger-key.pem");
    for probe in ["startupProbe", "livenessProbe", "readinessProbe"] {
        assert_eq!(pod["containers"][0][probe]["httpGet"]["scheme"], "HTTPS", "{probe}");
    }
}

#[test]
fn every_process_accepts_the_certificates_that_it_is_given() {
    for mode in ["monolith", "hybrid", "microservices"] {
        let (out, services) = written(mode);
        let secrets = secrets(&services);
        for (name, service) in &services {
            let (told, files) = of_service(service);
            starts(&format!("{mode} {name}"), told, files, secrets.path());
            let objects = documents(&out.path().join(mode).join(format!("{name}.yaml")));
            let (told, files) = of_deployment(&objects[0]);
            starts(&format!("{mode} {name} in kubernetes"), told, files, secrets.path());
        }
    }
}

/// A process that was started as its Compose file says; killed when dropped.
struct Container {
    child: Child,
    /// Where its private listener is.
    address: String,
    data: TempDir,
    _secrets: TempDir,
}

impl Container {
    /// What the file calls `names` is at the addresses beside them.
    async fn start(service: &Value, secrets: &Path, names: &[(&str, &str)]) -> Self {
        let (mut told, files) = of_service(service);
        let (given, data) = (give(&files, &secrets.join("keys")), tempfile::tempdir().unwrap());
        // No database server here: each process works on a file of its own.
        told.remove("TRIBUTARY_DATABASE__URL_FILE").unwrap();
        for value in told.values_mut() {
            *value = value.replace("/run/secrets", &given.path().display().to_string());
            *value = value.replace("/var/lib/tributary", &data.path().display().to_string());
            names.iter().for_each(|(name, address)| *value = value.replace(name, address));
        }
        told.insert("TRIBUTARY_PRIVATE__LISTEN".to_owned(), "127.0.0.1:0".to_owned());
        told.insert("TRIBUTARY_IDENTITY__ISSUER".to_owned(), "https://money.example".to_owned());
        let announcement = data.path().join("announcement");
        let log = fs::File::create(data.path().join("log")).unwrap();
        let command = service["command"].as_array().unwrap().iter().map(|word| word.as_str().unwrap());
        let child = Command::new(env!("CARGO_BIN_EXE_tributary"))
            .env_clear()
            .envs(told)
            .args(command)
            .arg("--announce")
            .arg(&announcement)
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        let mut container = Self { child, address: String::new(), data, _secrets: given };
        let announced: Value = patiently(async || {
            assert_eq!(container.child.try_wait().unwrap(), None, "it runs");
            serde_json::from_str(&fs::read_to_string(&announcement).ok()?).ok()
        })
        .await;
        container.address = announced["private"].as_str().unwrap().to_owned();
        container
    }

    /// Waits until the probe of a Deployment is content, and gives what it heard.
    async fn until(&self, probe: &Value) -> Value {
        let get = &probe["httpGet"];
        let scheme = get["scheme"].as_str().unwrap().to_lowercase();
        let url = format!("{scheme}://{}{}", self.address, get["path"].as_str().unwrap());
        // As the kubelet asks: it shows no certificate, and takes any.
        let kubelet =
            reqwest::Client::builder().no_proxy().tls_danger_accept_invalid_certs(true).build().unwrap();
        patiently(async || {
            let answer = kubelet.get(&url).send().await.ok().filter(|answer| answer.status().is_success())?;
            Some(answer.json().await.unwrap())
        })
        .await
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        // Both fail where it has ended already, which is what is wanted.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            println!("{}", fs::read_to_string(self.data.path().join("log")).unwrap_or_default());
        }
    }
}

async fn patiently<T>(mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    for _ in 0..1_000 {
        if let Some(there) = ask().await {
            return there;
        }
        tokio::time::sleep(Duration::from_millis(30)).await;
    }
    panic!("waited in vain")
}

#[tokio::test(flavor = "multi_thread")]
async fn processes_start_as_their_compose_file_says_and_call_each_other_over_tls() {
    let (out, services) = written("microservices");
    let secrets = secrets(&services);
    let identity = Container::start(&services["identity"], secrets.path(), &[]).await;
    let names = [("identity:7110", identity.address.as_str())];
    let ledger = Container::start(&services["ledger"], secrets.path(), &names).await;
    for (name, process) in [("identity", &identity), ("ledger", &ledger)] {
        let container = pod(out.path(), "microservices", name)["containers"][0].clone();
        process.until(&container["startupProbe"]).await;
        process.until(&container["livenessProbe"]).await;
        // A ledger is ready when identity has answered its call, and is whole when it sees it there.
        let healthy = async || {
            let heard = process.until(&container["readinessProbe"]).await;
            (heard["degraded"] == json!([])).then_some(())
        };
        patiently(healthy).await;
    }

    let keys = secrets.path().join("keys");
    let file = |word: &str, file: &str| format!("--set={word}={}", keys.join(file).display());
    let seen = Command::new(env!("CARGO_BIN_EXE_tributary"))
        .env_clear()
        .args(["topology", "--json", "--at", &format!("https://{}", ledger.address)])
        .arg(file("keys.dir", ""))
        .args([file("private.tls.cert_file", "ledger.pem"), file("private.tls.key_file", "ledger-key.pem")])
        .arg(file("private.tls.ca_file", "ca.pem"))
        .output()
        .unwrap();
    assert_eq!(seen.status.code(), Some(0), "{}", said(&seen));
    let seen: Value = serde_json::from_slice(&seen.stdout).unwrap();
    let edges = seen["processes"][0]["edges"].as_array().unwrap();
    let asked =
        edges.iter().find(|edge| edge["caller"] == "ledger" && edge["service"] == "identity").unwrap();
    assert_eq!(asked["binding"], "remote");
    assert!(asked["calls"].as_u64().unwrap() > 0, "{asked}");
}
