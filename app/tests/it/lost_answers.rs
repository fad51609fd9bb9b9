//! Drill 3 on the real modules: answers are lost between a gateway and a ledger in another process.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};

use reqwest::Client;
use serde_json::{Value, json};
use service_registry::testing::{Fault, FaultPlan, FaultProxy};
use tempfile::TempDir;
use tributary::compose::Process;
use tributary::config::{Overrides, Settings};

/// A gateway with identity, a ledger elsewhere, and a network between them that fails as planned.
struct Apart {
    gateway: Process,
    _ledger: Process,
    proxy: FaultProxy,
    _data_dir: TempDir,
}

fn free_addresses() -> [SocketAddr; 2] {
    let held = [0, 1].map(|_| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap());
    held.map(|listener| listener.local_addr().unwrap())
}

async fn process(data_dir: &TempDir, modules: &str, settings: &[(&str, String)]) -> Process {
    let mut overrides = Overrides::default();
    overrides.set("mode", Some("microservices"));
    overrides.set("modules", Some(modules));
    overrides.set("data_dir", Some(data_dir.path().display()));
    overrides.set("public.listen", Some("127.0.0.1:0"));
    overrides.set("edge.rate.default.quota", Some(100_000));
    overrides.set("edge.rate.address.quota", Some(100_000));
    settings.iter().for_each(|(key, value)| overrides.set(key, Some(value)));
    Process::start(Settings::load_with_env(&overrides, []).unwrap()).await.unwrap()
}

impl Apart {
    async fn start() -> Self {
        let data_dir = tempfile::tempdir().unwrap();
        let [main, other] = free_addresses();
        let proxy = FaultProxy::start(other, FaultPlan::seeded(0)).await.unwrap();
        let url = |address| format!("http://{address}");
        let to_main = [("private.listen", other.to_string()), ("services.identity.url", url(main))];
        let gateway = process(
            &data_dir,
            "gateway,identity",
            &[
                ("private.listen", main.to_string()),
                ("services.ledger.url", proxy.url()),
                ("services.connections.url", proxy.url()),
            ],
        )
        .await;
        let ledger = process(&data_dir, "ledger,connections", &to_main).await;
        gateway.until_ready().await;
        ledger.until_ready().await;
        Self { gateway, _ledger: ledger, proxy, _data_dir: data_dir }
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.gateway.public.unwrap())
    }

    async fn log_in(&self) -> Household {
        let http = Client::builder().no_proxy().build().unwrap();
        let who = json!({ "email": "ada@example.org", "password": "correct horse battery" });
        let registered = http.post(self.url("/api/v1/users")).json(&who).send().await.unwrap();
        assert_eq!(registered.status(), 201);
        let session = http.post(self.url("/api/v1/sessions")).json(&who).send().await.unwrap();
        let session: Value = session.json().await.unwrap();
        let token = session["access_token"].as_str().unwrap().to_owned();
        Household { http, token, accounts: self.url("/api/v1/accounts") }
    }
}

struct Household {
    http: Client,
    token: String,
    accounts: String,
}

impl Household {
    /// Opens an account without an idempotency key, as a careless client does.
    async fn opens_an_account(&self, name: usize) -> bool {
        let account = json!({ "name": format!("account {name}"), "kind": "checking", "currency": "EUR" });
        let sent =
            self.http.post(&self.accounts).bearer_auth(&self.token).json(&account).send().await.unwrap();
        assert!([201, 503, 504].contains(&sent.status().as_u16()), "{}", sent.status());
        assert!(!sent.headers().contains_key("idempotent-replayed"), "nobody asked twice");
        sent.status() == 201
    }

    async fn count_accounts(&self) -> u64 {
        let list =
            self.http.get(format!("{}?with_total=true&limit=1", self.accounts)).bearer_auth(&self.token);
        list.send().await.unwrap().json::<Value>().await.unwrap()["total"].as_u64().unwrap()
    }
}

/// Opens accounts while of ten answers one is lost after the commit. Gives how many the client was told of and how many
/// there are.
async fn drill_3(plan: FaultPlan) -> (u64, u64) {
    let apart = Apart::start().await;
    let ada = apart.log_in().await;
    let plan =
        plan.with(Fault::DropAfter, 0.05).with(Fault::ResetMidAnswer, 0.05).only("POST /api/v1/accounts");
    apart.proxy.follow(plan);
    let mut opened = 0;
    for name in 0..120 {
        opened += u64::from(ada.opens_an_account(name).await);
    }
    assert!(apart.proxy.failed() > 5, "{} answers were lost", apart.proxy.failed());
    apart.proxy.follow(FaultPlan::seeded(0));
    (opened, ada.count_accounts().await)
}

#[tokio::test]
async fn drill_3_accounts_are_exactly_those_that_the_client_was_told_of() {
    assert_eq!(drill_3(FaultPlan::seeded(3)).await, (120, 120));
}

#[tokio::test]
async fn drill_3_fails_where_repeats_are_not_known() {
    let (opened, accounts) = drill_3(FaultPlan::seeded(3).as_strangers()).await;
    assert!(accounts > opened, "{accounts} accounts, {opened} of them told of");
}
