use serde_json::{Value, json};

use super::{Answer, Client, Installation, patiently};

/// Everybody's. It must never be seen in a log.
pub const PASSWORD: &str = "correct-horse-battery-staple";
/// How every access token begins: `{"` in base64url.
pub(super) const TOKEN_START: &str = "eyJ";

/// A person who is logged in to a household.
#[derive(Clone)]
pub struct Household {
    pub client: Client,
    pub email: String,
    pub user: String,
    pub space: String,
    pub session: String,
    pub refresh_token: String,
}

impl Household {
    /// Registers `name` with a household of their own, and logs them in.
    pub async fn new(at: &Installation, name: &str) -> Self {
        let (client, email) = (at.client(), format!("{name}@example.org"));
        let body = json!({ "email": email, "password": PASSWORD, "space_name": name });
        client.post("/api/v1/users", &body).await.expect(201);
        Self::log_in(&client, &email, None).await
    }

    /// Logs in to the household `space`, or to the first one.
    pub async fn log_in(client: &Client, email: &str, space: Option<&str>) -> Self {
        let body = json!({ "email": email, "password": PASSWORD, "space_id": space });
        Self::of(client, email, &client.post("/api/v1/sessions", &body).await.expect(201)).await
    }

    /// Who has these tokens.
    async fn of(client: &Client, email: &str, tokens: &Value) -> Self {
        let client = client.with_token(text(&tokens["access_token"]));
        let me = client.get("/api/v1/users/me").await.expect(200);
        Self {
            client,
            email: email.to_owned(),
            user: text(&me["user"]["id"]),
            space: text(&me["space"]["id"]),
            session: text(&tokens["session"]["id"]),
            refresh_token: text(&tokens["refresh_token"]),
        }
    }

    /// Uploads a file and waits until it is read: `previewed`, or `failed` with its problem.
    pub async fn preview(&self, file: impl Into<reqwest::Body>, query: &str) -> Value {
        let import = self.client.upload(file, query).await.expect(202);
        self.rested(&text(&import["id"])).await
    }

    /// Brings a file into the ledger; gives the committed import.
    pub async fn import(&self, file: impl Into<reqwest::Body>, query: &str) -> Value {
        let import = self.preview(file, query).await;
        assert_eq!(import["state"], "previewed", "{import}");
        let id = text(&import["id"]);
        self.commit(&id).await.expect(202);
        let import = self.rested(&id).await;
        assert_eq!(import["state"], "committed", "{import}");
        import
    }

    pub async fn commit(&self, id: &str) -> Answer {
        let path = format!("/api/v1/imports/{id}/commit");
        self.client.send(self.client.request(reqwest::Method::POST, &path)).await
    }

    /// Waits until nobody works on the import any more. Does not mind when nobody answers for a while.
    pub async fn rested(&self, id: &str) -> Value {
        let path = format!("/api/v1/imports/{id}");
        patiently("an import comes to rest", async || {
            let import = self.client.try_get(&path).await.filter(|answer| answer.status == 200)?.json();
            let works = ["reading", "committing", "undoing"].contains(&import["state"].as_str()?);
            (!works).then_some(import)
        })
        .await
    }

    /// The household's accounts.
    pub async fn accounts(&self) -> Vec<Value> {
        let page = self.client.get("/api/v1/accounts?limit=200").await.expect(200);
        page["data"].as_array().expect("a page has data").clone()
    }

    /// Name and balance of each account, by name.
    pub async fn balances(&self) -> Vec<(String, String)> {
        let accounts = self.accounts().await;
        let shown = |account: &Value| {
            let booked = &account["booked"];
            (text(&account["name"]), format!("{} {}", text(&booked["amount"]), text(&booked["currency"])))
        };
        let mut balances: Vec<_> = accounts.iter().map(shown).collect();
        balances.sort();
        balances
    }

    /// How many transactions there are in all.
    pub async fn transactions(&self) -> u64 {
        let page = self.client.get("/api/v1/transactions?limit=1&with_total=true").await.expect(200);
        page["total"].as_u64().expect("a total was asked for")
    }

    /// Opens an account by hand.
    pub async fn open_account(&self, name: &str, currency: &str) -> String {
        let body = json!({ "name": name, "kind": "checking", "currency": currency });
        text(&self.client.post("/api/v1/accounts", &body).await.expect(201)["id"])
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text")).to_owned()
}
