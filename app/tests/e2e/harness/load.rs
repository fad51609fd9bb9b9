//! Steady load through the public API: so many requests a second, whether or not the earlier ones were answered.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::json;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::MissedTickBehavior;

use super::{Answer, Client, Household};

/// Of so many requests, one opens an account; the others read one that is there.
const WRITE_EVERY: usize = 5;

/// A household that is asked for, with an account whose answer must always be the same.
#[derive(Clone)]
pub struct Asked {
    pub client: Client,
    pub account: String,
    pub answer: String,
}

/// Requests that are going on.
pub struct Load {
    going: Arc<AtomicBool>,
    record: Arc<Mutex<Record>>,
    task: JoinHandle<()>,
}

/// What became of the requests so far.
#[derive(Clone, Debug, Default)]
pub struct Record {
    /// When each was answered, in order, and whether as it should be.
    pub answers: Vec<(Instant, bool)>,
    pub opened: usize,
    /// Those that were not answered as they should be, in a few words.
    pub failures: Vec<Failure>,
}

#[derive(Clone, Debug)]
pub struct Failure {
    pub household: usize,
    pub took: Duration,
    pub answer: Option<Answer>,
}

impl Asked {
    /// Makes `count` households of one person, each with an account that opens with an amount of its own.
    pub async fn households(owner: &Household, count: usize) -> Vec<Self> {
        let mut refresh_token = owner.refresh_token.clone();
        let mut households = Vec::new();
        for number in 0..count {
            let space =
                owner.client.post("/api/v1/spaces", &json!({ "name": format!("space {number}") })).await;
            let body = json!({ "refresh_token": refresh_token, "space_id": space.expect(201)["id"] });
            let tokens = owner.client.post("/api/v1/tokens", &body).await.expect(200);
            refresh_token = tokens["refresh_token"].as_str().expect("a token").to_owned();
            let client = owner.client.with_token(tokens["access_token"].as_str().expect("a token"));
            let account = json!({ "name": "Giro", "kind": "checking", "currency": "EUR" });
            let account = client.post("/api/v1/accounts", &account).await.expect(201);
            let account = format!("/api/v1/accounts/{}", account["id"].as_str().expect("an id"));
            let answer = client.get(&account).await.text;
            households.push(Self { client, account, answer });
        }
        households
    }

    /// Reads the account, which must be as ever.
    pub async fn reads(&self) -> Result<(), Option<Answer>> {
        let answer = self.client.try_get(&self.account).await.ok_or(None)?;
        if answer.status == 200 && answer.text == self.answer { Ok(()) } else { Err(Some(answer)) }
    }

    /// Opens another account, under no key: a careless client.
    async fn opens(&self, number: usize) -> Result<(), Option<Answer>> {
        let account = json!({ "name": format!("account {number}"), "kind": "checking", "currency": "EUR" });
        let request = self.client.request(Method::POST, "/api/v1/accounts").json(&account);
        let answer = Client::try_send(request).await.ok_or(None)?;
        if answer.status == 201 { Ok(()) } else { Err(Some(answer)) }
    }
}

impl Load {
    /// Asks `households` in turn, `rate` times a second.
    pub fn start(households: &[Asked], rate: u32) -> Self {
        let (going, record) = (Arc::new(AtomicBool::new(true)), Arc::new(Mutex::new(Record::default())));
        let task = tokio::spawn(ask(households.to_vec(), rate, Arc::clone(&going), Arc::clone(&record)));
        Self { going, record, task }
    }

    /// What happened until now.
    pub fn so_far(&self) -> Record {
        self.record.lock().expect("nobody panics while writing down").clone()
    }

    /// Asks no more, waits for the last answer, and tells.
    pub async fn end(self) -> Record {
        self.going.store(false, Ordering::Relaxed);
        self.task.await.expect("asking does not panic");
        let record = self.record.lock().expect("nobody panics while writing down");
        record.clone()
    }
}

async fn ask(households: Vec<Asked>, rate: u32, going: Arc<AtomicBool>, record: Arc<Mutex<Record>>) {
    let mut ticks = tokio::time::interval(Duration::from_secs(1) / rate);
    // Those that come late are asked for all the same: a stall is to be seen, not to be waited for.
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let mut asking = JoinSet::new();
    for number in 0.. {
        if !going.load(Ordering::Relaxed) {
            break;
        }
        ticks.tick().await;
        // Not in step with the writes, or some households would only ever be written to.
        let household = (number + number / households.len()) % households.len();
        let (asked, record) = (households[household].clone(), Arc::clone(&record));
        asking.spawn(async move {
            let begun = Instant::now();
            let writes = number % WRITE_EVERY == 0;
            let outcome = if writes { asked.opens(number).await } else { asked.reads().await };
            let mut record = record.lock().expect("nobody panics while writing down");
            record.note(household, begun, writes, outcome);
        });
        while asking.try_join_next().is_some() {}
    }
    asking.join_all().await;
}

impl Record {
    fn note(&mut self, household: usize, begun: Instant, writes: bool, outcome: Result<(), Option<Answer>>) {
        self.answers.push((Instant::now(), outcome.is_ok()));
        self.opened += usize::from(writes && outcome.is_ok());
        if let Err(answer) = outcome {
            self.failures.push(Failure { household, took: begun.elapsed(), answer });
        }
    }

    /// What happened since `earlier`.
    pub fn since(&self, earlier: &Self) -> Self {
        Self {
            answers: self.answers[earlier.answers.len()..].to_vec(),
            opened: self.opened - earlier.opened,
            failures: self.failures[earlier.failures.len()..].to_vec(),
        }
    }

    /// The longest time without a good answer.
    pub fn longest_gap(&self) -> Duration {
        let good: Vec<_> = self.answers.iter().filter(|(_, good)| *good).map(|(at, _)| *at).collect();
        good.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap_or_default()
    }
}
