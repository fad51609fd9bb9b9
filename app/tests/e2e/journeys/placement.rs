//! Moving the ledger out of a monolith and back while people use it: drills 1 and 2, and the way home.
//! All of it on PostgreSQL: both sides have to see the same rows.

use std::time::{Duration, Instant};

use tokio::time::sleep;

use crate::harness::{
    Asked, Bank, Client, Database, Household, Installation, Load, Part, Process, Record, metric, patiently,
    run_parts,
};

/// A ledger alone, and a whole monolith on the same database.
const APART: [Part; 2] =
    [("microservices", &["ledger"]), ("monolith", &["gateway", "identity", "ledger", "connections"])];
const LEDGER: usize = 0;
const MONOLITH: usize = 1;

/// How hard and how long: seconds in `cargo test`, as the issue has it where `TRIBUTARY_DRILL=full` says so.
#[derive(Clone, Copy)]
pub struct Drill {
    rate: u32,
    households: usize,
    phase: Duration,
    /// After the death of the ledger.
    aftermath: Duration,
    full: bool,
}

impl Drill {
    pub fn of_environment() -> Self {
        let full = std::env::var("TRIBUTARY_DRILL").is_ok_and(|word| word == "full");
        let seconds = Duration::from_secs;
        match full {
            true => Self { rate: 500, households: 600, phase: seconds(12), aftermath: seconds(10), full },
            false => Self { rate: 60, households: 60, phase: seconds(1), aftermath: seconds(3), full },
        }
    }
}

/// Runs a drill on both processes; skipped where there is no PostgreSQL.
async fn apart(journey: impl AsyncFnOnce(&mut Installation, &[Asked], Drill)) {
    run_parts(&APART, Database::Postgres, async |at: &mut Installation| {
        let drill = Drill::of_environment();
        at.start().await;
        let ada = Household::new(at, "ada").await;
        let households = Asked::households(&ada, drill.households).await;
        journey(at, &households, drill).await;
    })
    .await;
}

/// Calls that the process of the ledger has answered for others.
async fn served(at: &mut Installation) -> f64 {
    let labels = [r#"service="ledger""#, r#"binding="serve""#];
    metric(&at.processes()[LEDGER], "service_calls_total", &labels).await
}

/// Which households are answered by the other process just now.
async fn moved(at: &mut Installation, households: &[Asked]) -> Vec<bool> {
    let mut moved = Vec::new();
    for household in households {
        let before = served(at).await;
        household.reads().await.expect("a read is answered");
        moved.push(served(at).await > before);
    }
    moved
}

fn percent(moved: &[bool]) -> f64 {
    100.0 * moved.iter().filter(|moved| **moved).count() as f64 / moved.len() as f64
}

/// Three standard deviations of a share among so many households, in points; beyond the two that are asked for where
/// there are many.
fn tolerance(share: f64, count: usize) -> f64 {
    2.0_f64.max(3.0 * (share * (100.0 - share) / count as f64).sqrt())
}

pub async fn drill_1_the_ledger_moves_out_and_back_under_load_and_nobody_notices() {
    apart(async |at: &mut Installation, households: &[Asked], drill| {
        let url = format!("http://{}", at.processes()[LEDGER].private());
        let load = Load::start(households, drill.rate);
        let mut sides = Vec::new();
        for words in ["local", "split --share 5", "split --share 50", "remote", "local"] {
            at.placed(MONOLITH, &format!("set ledger {words} --url {url}"));
            let (before, served_before) = (load.so_far(), served(at).await);
            sleep(drill.phase).await;
            let (phase, served) = (load.so_far().since(&before), served(at).await - served_before);
            let share = 100.0 * served / phase.answers.len() as f64;
            println!("{words}: {} answered, {share:.1} % of them elsewhere", phase.answers.len());
            sides.push((words, share));
        }
        let whole = load.end().await;
        check_nobody_noticed(&whole, drill);
        check_rows(households, &whole).await;
        check_shares(&sides, households.len());
        assert!(at.processes()[MONOLITH].has_logged("operator placed ledger: local → split, 5 % remote at "));
    })
    .await;
}

fn check_nobody_noticed(whole: &Record, drill: Drill) {
    let gap = whole.longest_gap();
    println!("{} requests, {} failed, longest gap {gap:?}", whole.answers.len(), whole.failures.len());
    assert!(whole.failures.is_empty(), "{:?}", whole.failures.first());
    // On a machine that builds and tests something else, gaps are its own.
    assert!(!drill.full || gap <= Duration::from_millis(250), "{gap:?}");
}

/// What clients were told of is there, whoever wrote it down.
async fn check_rows(households: &[Asked], whole: &Record) {
    let mut accounts = 0;
    for household in households {
        let page = household.client.get("/api/v1/accounts?limit=1&with_total=true").await.expect(200);
        accounts += page["total"].as_u64().expect("a total was asked for") as usize;
    }
    assert_eq!(accounts, whole.opened + households.len());
}

fn check_shares(sides: &[(&str, f64)], count: usize) {
    for ((words, share), expected) in sides.iter().zip([0.0, 5.0, 50.0, 100.0, 0.0]) {
        // What was under way when the side changed ends where it began.
        let tolerance = tolerance(expected, count);
        assert!((share - expected).abs() <= tolerance, "{words}: {share:.1} %, more than {tolerance:.1} off");
    }
}

pub async fn a_household_stays_on_its_side_and_moves_once_as_the_share_grows() {
    apart(async |at: &mut Installation, households: &[Asked], _| {
        let url = format!("http://{}", at.processes()[LEDGER].private());
        let mut before = vec![false; households.len()];
        for share in [5, 50, 100] {
            at.placed(MONOLITH, &format!("set ledger split --share {share} --url {url}"));
            let now = moved(at, households).await;
            assert_eq!(now, moved(at, households).await, "the same key, the same side");
            let back = before.iter().zip(&now).filter(|(before, now)| **before && !**now).count();
            assert_eq!(back, 0, "nobody comes back while the share grows");
            let tolerance = tolerance(f64::from(share), households.len());
            assert!(
                (percent(&now) - f64::from(share)).abs() <= tolerance,
                "{} % of {share} %",
                percent(&now)
            );
            before = now;
        }
    })
    .await;
}

pub async fn drill_2_a_killed_ledger_is_replaced_by_the_one_at_home() {
    apart(async |at: &mut Installation, households: &[Asked], drill| {
        let url = format!("http://{}", at.processes()[LEDGER].private());
        at.placed(MONOLITH, &format!("set ledger split --share 50 --url {url} --fallback local"));
        let load = Load::start(households, drill.rate);
        sleep(drill.phase).await;
        let before = load.so_far();
        at.process("ledger").kill();
        let opened = until_breaker_is_open(at).await;
        let shown = at.placed(MONOLITH, "show ledger");
        assert_ne!(shown[0]["endpoints"][0]["breaker"], "closed", "{shown}");
        sleep(drill.aftermath).await;
        let after = load.end().await.since(&before);
        let failed = 100.0 * after.failures.len() as f64 / after.answers.len() as f64;
        println!(
            "{} requests after the death, {failed:.2} % failed; breaker open after {opened:?}",
            after.answers.len()
        );
        assert!(failed <= 0.5, "{failed} %: {:?}", after.failures.first());
        assert!(opened <= Duration::from_secs(2), "{opened:?}");

        at.process("ledger").restart().await;
        let back = async || (served(at).await > 0.0).then_some(());
        let asking = Load::start(households, drill.rate);
        patiently("traffic returns", back).await;
        let healed = asking.end().await;
        assert!(healed.failures.is_empty(), "{:?}", healed.failures.first());
    })
    .await;
}

/// How long after now the monolith leaves the ledger alone.
async fn until_breaker_is_open(at: &mut Installation) -> Duration {
    let begun = Instant::now();
    let labels = [r#"service="ledger""#];
    let monolith = &at.processes()[MONOLITH];
    let opens = async || (metric(monolith, "breaker_opens_total", &labels).await > 0.0).then_some(());
    patiently("the breaker opens", opens).await;
    begun.elapsed()
}

pub async fn drill_2_without_a_fallback_every_lost_call_is_a_503_in_time() {
    apart(async |at: &mut Installation, households: &[Asked], drill| {
        let url = format!("http://{}", at.processes()[LEDGER].private());
        at.placed(MONOLITH, &format!("set ledger split --share 50 --url {url}"));
        let moved = moved(at, households).await;
        let load = Load::start(households, drill.rate);
        sleep(drill.phase).await;
        let before = load.so_far();
        at.process("ledger").kill();
        sleep(drill.aftermath).await;
        let after = load.end().await.since(&before);
        assert!(after.failures.len() > after.answers.len() / 4, "{} failed", after.failures.len());
        for failure in &after.failures {
            let answer = failure.answer.as_ref().expect("a refusal and no broken connection");
            let problem = answer.problem(503, "upstream_unavailable");
            assert_eq!(answer.header("retry-after"), problem["retry_after"].to_string());
            assert!(failure.took < Duration::from_secs(3), "{:?}", failure.took);
            assert!(moved[failure.household], "who is at home is not touched");
        }
        at.process("ledger").restart().await;
        patiently("it heals by itself", async || {
            // Fewer at once than a bulkhead holds.
            for few in households.chunks(32) {
                let answers = futures_util::future::join_all(few.iter().map(Asked::reads)).await;
                answers.iter().all(Result::is_ok).then_some(())?;
            }
            Some(())
        })
        .await;
    })
    .await;
}

pub async fn a_guard_puts_the_ledger_back_by_itself_and_says_so() {
    apart(async |at: &mut Installation, households: &[Asked], drill| {
        let url = format!("http://{}", at.processes()[LEDGER].private());
        at.placed(MONOLITH, &format!("set ledger remote --url {url} --guard-error-percent 10"));
        let load = Load::start(households, drill.rate);
        at.process("ledger").kill();
        let back = async || {
            let shown = at.placed(MONOLITH, "show ledger")[0].clone();
            (shown["placement"]["side"] == "local").then_some(shown)
        };
        let shown = patiently("the guard acts", back).await;
        assert_eq!(shown["rolled_back"]["from"]["side"], "remote", "{shown}");
        assert!(shown["rolled_back"]["reason"].is_string(), "{shown}");
        // What was under way may still fail.
        sleep(Duration::from_secs(1)).await;
        let before = load.so_far();
        sleep(drill.phase).await;
        let after = load.end().await.since(&before);
        assert!(after.failures.is_empty(), "{:?}", after.failures.first());
        assert!(at.processes()[MONOLITH].has_logged("Rolled ledger back"));
        let rollbacks =
            metric(&at.processes()[MONOLITH], "placement_rollbacks_total", &[r#"service="ledger""#]).await;
        assert!(rollbacks > 0.0);
    })
    .await;
}

pub async fn reads_that_both_sides_answer_do_not_differ() {
    apart(async |at: &mut Installation, households: &[Asked], drill| {
        let url = format!("http://{}", at.processes()[LEDGER].private());
        at.placed(MONOLITH, &format!("set ledger local --shadow on --url {url}"));
        let load = Load::start(households, drill.rate);
        let compared = async || {
            let compared =
                metric(&at.processes()[MONOLITH], "shadow_calls_total", &[r#"method="account""#]).await;
            (compared > 20.0).then_some(())
        };
        patiently("reads are compared", compared).await;
        assert!(load.end().await.failures.is_empty());
        assert_eq!(metric(&at.processes()[MONOLITH], "shadow_differences_total", &[]).await, 0.0);
    })
    .await;
}

/// What one installation has written, another one of another shape goes on with.
pub async fn microservices_come_home_to_a_monolith_on_the_same_database() {
    const BEFORE_AND_AFTER: [Part; 5] = [
        ("microservices", &["connections"]),
        ("microservices", &["ledger"]),
        ("microservices", &["identity"]),
        ("microservices", &["gateway"]),
        ("monolith", &["gateway", "identity", "ledger", "connections"]),
    ];
    run_parts(&BEFORE_AND_AFTER, Database::Postgres, async |at: &mut Installation| {
        let (apart, whole) = (0..4, 4);
        start(&mut at.processes()[apart.clone()]).await;
        let ada = Household::new(at, "ada").await;
        ada.import(Bank::account("1001").row(1, "12.00", "a").row(2, "-5.00", "b").write(), "").await;
        ada.open_account("Cash", "EUR").await;
        let told = told(&ada).await;
        for process in &mut at.processes()[apart] {
            process.terminate();
            process.until_stopped().await;
        }

        let monolith = &mut at.processes()[whole];
        monolith.start().await;
        monolith.until_ready().await;
        assert!(!monolith.has_logged("Brought the schema"), "nothing is to be migrated");
        let at_home = Client::new(monolith.public().unwrap());
        let again =
            Household { client: at_home.with_token(ada.client.token.clone().unwrap()), ..ada.clone() };
        assert_eq!(self::told(&again).await, told, "the same answers, for the same token");
        let ada = Household::log_in(&at_home, &ada.email, None).await;
        ada.import(Bank::account("1001").row(3, "1.00", "c").write(), "").await;
        assert_eq!(ada.transactions().await, 3);
    })
    .await;
}

async fn start(processes: &mut [Process]) {
    for process in processes.iter_mut() {
        process.start().await;
    }
    for process in processes {
        process.until_ready().await;
    }
}

/// Everything that a household can read.
async fn told(ada: &Household) -> Vec<String> {
    let mut told = Vec::new();
    for path in [
        "accounts",
        "transactions",
        "balance-snapshots",
        "changes",
        "imports",
        "spaces",
        "exports/ledger.csv",
    ] {
        let answer = ada.client.get(&format!("/api/v1/{path}")).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text);
        told.push(answer.text);
    }
    told
}
