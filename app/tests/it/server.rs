//! A process of this binary's code inside the test, on ports of its own.

use reqwest::{Client, RequestBuilder, Response};
use serde_json::{Value, json};
use service_registry::CallError;
use service_registry_http::ServiceSigner;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tributary::compose::Process;
use tributary::config::{Overrides, Settings};

pub const EMAIL: &str = "ada@example.org";
pub const PASSWORD: &str = "correct horse battery";

pub struct Server {
    process: Process,
    http: Client,
    data_dir: TempDir,
}

/// A gateway with identity and ledger, and connections where nobody is.
pub async fn server(settings: &[(&str, &str)]) -> Server {
    start("hybrid", settings).await
}

/// Everything in one process.
pub async fn monolith() -> Server {
    monolith_with(&[]).await
}

pub async fn monolith_with(settings: &[(&str, &str)]) -> Server {
    start("monolith", settings).await
}

async fn start(mode: &str, settings: &[(&str, &str)]) -> Server {
    let data_dir = tempfile::tempdir().unwrap();
    let mut overrides = Overrides::default();
    overrides.set("mode", Some(mode));
    overrides.set("data_dir", Some(data_dir.path().display()));
    overrides.set("public.listen", Some("127.0.0.1:0"));
    overrides.set("private.listen", Some("127.0.0.1:0"));
    overrides.set("services.connections.url", Some("http://127.0.0.1:1"));
    settings.iter().for_each(|(key, value)| overrides.set(key, Some(value)));
    let process = Process::start(Settings::load_with_env(&overrides, []).unwrap()).await.unwrap();
    process.until_ready().await;
    Server { process, http: Client::builder().no_proxy().build().unwrap(), data_dir }
}

impl Server {
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.process.public.unwrap())
    }

    pub fn private_url(&self, path: &str) -> String {
        format!("http://{}{path}", self.process.private)
    }

    pub fn get(&self, path: &str) -> RequestBuilder {
        self.http.get(self.url(path))
    }

    pub fn post(&self, path: &str) -> RequestBuilder {
        self.http.post(self.url(path))
    }

    pub fn request(&self, method: &str, path: &str) -> RequestBuilder {
        self.http.request(method.parse().unwrap(), self.url(path))
    }

    /// A file below the data directory.
    pub fn data_file(&self, name: &str) -> std::path::PathBuf {
        self.data_dir.path().join(name)
    }

    /// A token of `service` for calls to `target`, signed with its key.
    pub fn service_token(&self, service: &str, target: &str) -> String {
        let key = std::fs::read_to_string(self.data_file(&format!("keys/{service}.key"))).unwrap();
        ServiceSigner::from_pem(service, &key).unwrap().token(target).unwrap().to_string()
    }

    /// Calls a method on the private listener as `service`; gives the status and the error, if there is one.
    pub async fn call(&self, service: &str, target: &str, method: &str) -> (u16, Option<CallError>) {
        let url = self.private_url(&format!("/rpc/{target}/v1/{method}"));
        let call = self.http.post(url).bearer_auth(self.service_token(service, target)).body("[]");
        let answer = call.send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.ok())
    }

    pub fn get_private(&self, path: &str) -> RequestBuilder {
        self.http.get(self.private_url(path))
    }

    /// A request to the private listener.
    pub fn private(&self, method: reqwest::Method, path: &str) -> RequestBuilder {
        self.http.request(method, self.private_url(path))
    }

    /// The status of a GET of exactly this path; HTTP clients tidy paths up before they send them.
    pub async fn get_untidied(&self, path: &str, token: &str) -> u16 {
        let mut connection = TcpStream::connect(self.process.public.unwrap()).await.unwrap();
        let request = format!(
            "GET {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\nconnection: close\r\n\r\n"
        );
        connection.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        connection.read_to_string(&mut answer).await.unwrap();
        answer.split(' ').nth(1).unwrap().parse().unwrap()
    }

    /// Registers somebody, logs in and gives the access token.
    pub async fn log_in(&self) -> String {
        let who = json!({ "email": EMAIL, "password": PASSWORD });
        let registered = self.post("/api/v1/users").json(&who).send().await.unwrap();
        assert_eq!(registered.status(), 201);
        self.log_in_again().await
    }

    /// As the one who is registered already.
    pub async fn log_in_again(&self) -> String {
        let who = json!({ "email": EMAIL, "password": PASSWORD });
        let session = self.post("/api/v1/sessions").json(&who).send().await.unwrap();
        let session: Value = session.json().await.unwrap();
        session["access_token"].as_str().unwrap().to_owned()
    }
}

pub fn header(response: &Response, name: &str) -> Option<String> {
    Some(response.headers().get(name)?.to_str().unwrap().to_owned())
}

/// The code of a problem document, after a look at what all of them must have.
pub async fn problem(response: Response) -> (u16, String) {
    let status = response.status().as_u16();
    assert_eq!(header(&response, "content-type").as_deref(), Some("application/problem+json"));
    assert_eq!(header(&response, "cache-control").as_deref(), Some("no-store"));
    assert_eq!(header(&response, "x-content-type-options").as_deref(), Some("nosniff"));
    let request_id = header(&response, "x-request-id").unwrap();
    let body: Value = response.json().await.unwrap();
    assert_eq!(body["status"], status);
    assert_eq!(body["request_id"], request_id);
    assert_eq!(body["instance"], format!("urn:uuid:{request_id}"));
    assert!(body["type"].as_str().unwrap().starts_with("https://"));
    (status, body["code"].as_str().unwrap().to_owned())
}

pub fn is(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}
