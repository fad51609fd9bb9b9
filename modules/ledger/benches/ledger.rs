//! How fast rows come in, are previewed and taken back, and lists come out: on SQLite as it is shipped (WAL,
//! synchronous=FULL), and on the PostgreSQL server that `TRIBUTARY_TEST_POSTGRES_URL` names, if any.
//!
//! Prints ratios against a bare floor of the same run: one INSERT per 500 rows into a table without any index, in
//! one durable transaction. `LEDGER_ROWS` sets how many rows the ledger holds before the second half (1,000,000; with
//! 10,000,000 it takes some minutes and 10 GB of disk on each database).

use std::time::{Duration, Instant};

use chrono::{Days, NaiveDate};
use kernel::{BatchId, Currency, Money, PageRequest, Principal, Role, SpaceId, UserId};
use ledger_api::{
    AccountKind, AccountRef, ExternalAccount, Ledger, Row, RowFilter, SERVICE, StagePart, StagedRow,
    StatementRef, TransactionFilter, TransactionKind,
};
use platform::Store;
use platform::testing::TestDatabase;
use sea_orm::{ConnectionTrait, DatabaseBackend, Statement, Value};
use service_registry::{CallContext, Registry, ServiceClient, ServiceDescriptor};

/// As the program ships it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const BATCH: usize = 100_000;
const PART: usize = 2_000;
const READERS: usize = 32;
/// Where nobody logs in, it asks nobody.
const ALONE: ServiceDescriptor = ServiceDescriptor { calls: &[], ..SERVICE };

/// As where imports keep their previews for a week.
const LEDGER: ledger::LedgerSettings =
    ledger::LedgerSettings::for_previews(Duration::from_secs(7 * 24 * 60 * 60));

fn main() {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime can be built");
    runtime.block_on(run());
}

async fn run() {
    // A word on the command line leaves the other out: `-- sqlite` or `-- postgres`.
    let asked = |database: &str| std::env::args().any(|word| word == database);
    if !asked("postgres") {
        measure(TestDatabase::sqlite()).await;
    }
    if !asked("sqlite")
        && let Some(database) = TestDatabase::postgres().await
    {
        measure(database).await;
    }
}

async fn measure(database: TestDatabase) {
    let store = Store::open("ledger", &database.settings).await.expect("SQLite opens");
    migrations::up("ledger", store.writer(), store.lock_file()).await.expect("the ledger migrates");
    let registry = Registry::builder().service(ALONE).build().expect("a service");
    let _module = ledger::module(&registry, store.clone(), LEDGER);
    let ledger = registry.client::<dyn Ledger>();
    let cx = owner();

    println!("== {:?}", store.backend());
    let floor = bare_floor(&store).await;
    println!("floor   {floor:>9.0} rows/s  bare INSERT, no index, no dedupe");
    dry_run(&ledger, &cx, 0, "on an empty ledger", floor).await;
    let empty = import(&ledger, &cx, 0).await;
    report("into an empty ledger", empty, floor, 20_000.0);
    let held: usize =
        std::env::var("LEDGER_ROWS").ok().and_then(|rows| rows.parse().ok()).unwrap_or(1_000_000);
    fill(&ledger, &cx, held).await;
    dry_run(&ledger, &cx, held / BATCH, &format!("at {held} rows"), floor).await;
    let full = import(&ledger, &cx, held / BATCH).await;
    report(&format!("at {held} rows"), full, floor, 20_000.0);
    println!("        {:>9.2}         of the speed into an empty ledger (target 0.80)", full / empty);
    take_back(&ledger, &cx, held / BATCH + 1).await;
    let again = import(&ledger, &cx, held / BATCH).await;
    report("the same 100,000 rows again", again, floor, 20_000.0);
    for (what, change) in [
        ("one row of them new", one_new as fn(usize, &mut Row)),
        ("all renamed", renamed),
        ("all under new ids", new_ids),
    ] {
        report(what, import_as(&ledger, &cx, held / BATCH, change).await, floor, 20_000.0);
    }

    for (name, filter) in [("all accounts", None), ("one account", first_account(&ledger, &cx).await)] {
        let filter = TransactionFilter { account_id: filter, ..TransactionFilter::default() };
        list(&ledger, &cx, &format!("{name}, first page"), &filter, PageRequest::default()).await;
        let deep = deep_page(&ledger, &cx, &filter).await;
        list(&ledger, &cx, &format!("{name}, deep page"), &filter, deep).await;
    }
    store.close().await.expect("SQLite closes");
    database.drop().await;
}

fn owner() -> CallContext {
    let who = Principal { user: UserId::new(), space: SpaceId::new(), session: None, role: Role::Owner };
    CallContext::root().with_caller(platform::delegated(&who)).with_remaining(Duration::from_secs(3_600))
}

fn report(what: &str, rate: f64, floor: f64, target: f64) {
    println!("import  {rate:>9.0} rows/s  {what} ({:.2} of the floor; target {target:.0})", rate / floor);
}

/// Rows of about three years: a thousand a day, most of them alike in name, each with an id of the bank.
fn row(number: usize) -> Row {
    let first = NaiveDate::from_ymd_opt(2020, 1, 1).expect("a date");
    let posted_on = first + Days::new(number as u64 / 1_000);
    let amount = Money::from_minor(-((number * 7_919 % 50_000) as i64) - 1, eur());
    Row {
        kind: TransactionKind::PointOfSale,
        memo: Some("Reference of the purchase as banks print it".into()),
        external_id: Some(format!("2020{number:012}")),
        ..Row::new(posted_on, amount, format!("CARD PURCHASE {:05}", number % 30_000))
    }
}

fn eur() -> Currency {
    Currency::parse("EUR").expect("EUR is a currency")
}

fn one_new(number: usize, row: &mut Row) {
    if number.is_multiple_of(BATCH) {
        row.name = "NEVER SEEN BEFORE".into();
        row.external_id = Some("new".into());
    }
}

fn renamed(_: usize, row: &mut Row) {
    row.name.push_str(" RENAMED");
}

fn new_ids(_: usize, row: &mut Row) {
    row.external_id = row.external_id.take().map(|id| format!("new-{id}"));
}

async fn import(ledger: &ServiceClient<dyn Ledger>, cx: &CallContext, number: usize) -> f64 {
    import_as(ledger, cx, number, |_, _| {}).await
}

/// Imports until the ledger holds so many rows, and tells of each million what its batches did.
async fn fill(ledger: &ServiceClient<dyn Ledger>, cx: &CallContext, held: usize) {
    let mut rates: Vec<f64> = Vec::new();
    for batch in 1..held / BATCH {
        rates.push(import(ledger, cx, batch).await);
        if ((batch + 1) * BATCH).is_multiple_of(1_000_000) {
            let mean = rates.iter().sum::<f64>() / rates.len() as f64;
            let slowest = rates.drain(..).fold(f64::MAX, f64::min);
            println!(
                "fill    {mean:>9.0} rows/s  up to {} rows, the slowest batch {slowest:.0}",
                (batch + 1) * BATCH
            );
        }
    }
}

/// Imports batch `number`, each row changed first.
async fn import_as(
    ledger: &ServiceClient<dyn Ledger>,
    cx: &CallContext,
    number: usize,
    change: fn(usize, &mut Row),
) -> f64 {
    let (batch, parts) = parts(number, change);
    let start = Instant::now();
    stage(ledger, cx, parts).await;
    let outcomes = ledger.ingest(cx, batch).await.expect("the batch is ingested").outcomes;
    assert_eq!(outcomes.read as usize, BATCH);
    BATCH as f64 / start.elapsed().as_secs_f64()
}

/// Stages and previews a batch of new rows, which a `--dry-run` waits for, and throws it away.
async fn dry_run(
    ledger: &ServiceClient<dyn Ledger>,
    cx: &CallContext,
    number: usize,
    what: &str,
    floor: f64,
) {
    let (batch, parts) = parts(number, |_, _| {});
    let start = Instant::now();
    stage(ledger, cx, parts).await;
    let staged = start.elapsed();
    let outcomes = ledger.preview(cx, batch).await.expect("the batch is previewed").outcomes;
    let whole = start.elapsed();
    let floors = whole.as_secs_f64() * floor / BATCH as f64;
    println!(
        "dry run {whole:>9.2?} of {BATCH} rows, {staged:.2?} of it staging, {what} ({floors:.1} times the floor; target 2 s)"
    );
    assert_eq!(outcomes.created as usize, BATCH);
    let page = PageRequest { limit: 200, ..PageRequest::default() };
    let start = Instant::now();
    ledger.rows(cx, batch, RowFilter::default(), page).await.expect("rows are listed");
    println!("rows    {:>9.2?} for a page of what was previewed", start.elapsed());
    ledger.discard(cx, batch).await.expect("the batch is discarded");
}

/// Imports a batch of new rows and takes it back.
async fn take_back(ledger: &ServiceClient<dyn Ledger>, cx: &CallContext, number: usize) {
    let (batch, parts) = parts(number, |_, _| {});
    stage(ledger, cx, parts).await;
    ledger.ingest(cx, batch).await.expect("the batch is ingested");
    let start = Instant::now();
    let report = ledger.revert(cx, batch).await.expect("the batch is taken back");
    assert_eq!(report.removed as usize, BATCH);
    println!("undo    {:>9.0} rows/s", BATCH as f64 / start.elapsed().as_secs_f64());
}

async fn stage(ledger: &ServiceClient<dyn Ledger>, cx: &CallContext, parts: Vec<StagePart>) {
    for part in parts {
        ledger.stage(cx, part).await.expect("the part is staged");
    }
}

/// Batch `number` in the parts that connections sends.
fn parts(number: usize, change: fn(usize, &mut Row)) -> (BatchId, Vec<StagePart>) {
    let account = ExternalAccount {
        ours: None,
        key: "bench".into(),
        bank_id: None,
        number_mask: None,
        kind: AccountKind::Checking,
        currency: eur(),
        name: "Bench".into(),
    };
    let (batch, run) = (BatchId::new(), uuid::Uuid::now_v7());
    let statement = StatementRef::new(0, AccountRef::External(account));
    let rows: Vec<StagedRow> = (number * BATCH..(number + 1) * BATCH)
        .map(|number| {
            let mut row = row(number);
            change(number, &mut row);
            StagedRow { statement: 0, line: 1, row: Ok(row) }
        })
        .collect();
    let parts = rows
        .chunks(PART)
        .enumerate()
        .map(|(part, rows)| {
            let statements = if part == 0 { vec![statement.clone()] } else { vec![] };
            StagePart { batch, run, part: part as u32, statements, rows: rows.to_vec() }
        })
        .collect();
    (batch, parts)
}

async fn bare_floor(store: &Store) -> f64 {
    let create =
        "CREATE TABLE floor (id UUID, posted_on DATE, amount BIGINT, name TEXT, memo TEXT, external_id TEXT)";
    store.writer().execute_unprepared(create).await.expect("a table can be made");
    let rows: Vec<Row> = (0..BATCH).map(row).collect();
    let start = Instant::now();
    let txn = store.begin().await.expect("a transaction begins");
    for chunk in rows.chunks(500) {
        let numbered = txn.get_database_backend() == DatabaseBackend::Postgres;
        let mark = |n: usize| if numbered { format!("${}", n + 1) } else { "?".to_owned() };
        let row =
            |row: usize| format!("({})", (0..6).map(|n| mark(row * 6 + n)).collect::<Vec<_>>().join(", "));
        let marks = (0..chunk.len()).map(row).collect::<Vec<_>>().join(", ");
        let values = chunk.iter().flat_map(floor_values);
        let insert = format!("INSERT INTO floor VALUES {marks}");
        let statement = Statement::from_sql_and_values(txn.get_database_backend(), insert, values);
        txn.execute_raw(statement).await.expect("rows can be inserted");
    }
    txn.commit().await.expect("the transaction commits");
    let rate = BATCH as f64 / start.elapsed().as_secs_f64();
    store.writer().execute_unprepared("DROP TABLE floor").await.expect("the table can be dropped");
    rate
}

fn floor_values(row: &Row) -> [Value; 6] {
    [
        uuid::Uuid::now_v7().into(),
        row.posted_on.into(),
        row.amount.minor().into(),
        row.name.clone().into(),
        row.memo.clone().into(),
        row.external_id.clone().into(),
    ]
}

async fn first_account(ledger: &ServiceClient<dyn Ledger>, cx: &CallContext) -> Option<kernel::AccountId> {
    let page = ledger.list_accounts(cx, PageRequest::default()).await.expect("accounts are listed");
    page.data.first().map(|account| account.id)
}

/// A page from the middle of the list.
async fn deep_page(
    ledger: &ServiceClient<dyn Ledger>,
    cx: &CallContext,
    filter: &TransactionFilter,
) -> PageRequest {
    let middle = TransactionFilter { to: Some(row(500_000).posted_on), ..filter.clone() };
    let page = ledger.list_transactions(cx, middle, PageRequest::default()).await.expect("a page is listed");
    PageRequest { cursor: page.next_cursor, ..PageRequest::default() }
}

async fn list(
    ledger: &ServiceClient<dyn Ledger>,
    cx: &CallContext,
    what: &str,
    filter: &TransactionFilter,
    page: PageRequest,
) {
    let alone = Instant::now();
    for _ in 0..50 {
        ledger.list_transactions(cx, filter.clone(), page.clone()).await.expect("a page is listed");
    }
    let alone = alone.elapsed() / 50;
    let readers = (0..READERS).map(|_| {
        let (ledger, cx, filter, page) = (ledger.clone(), cx.clone(), filter.clone(), page.clone());
        tokio::spawn(async move {
            let mut times = Vec::with_capacity(400);
            for _ in 0..400 {
                let start = Instant::now();
                let listed = ledger.list_transactions(&cx, filter.clone(), page.clone()).await;
                assert_eq!(listed.expect("a page is listed").data.len(), 50);
                times.push(start.elapsed());
            }
            times
        })
    });
    let mut times: Vec<Duration> = Vec::new();
    for reader in readers.collect::<Vec<_>>() {
        times.extend(reader.await.expect("a reader reads"));
    }
    times.sort();
    let (p50, p99) = (times[times.len() / 2], times[times.len() * 99 / 100]);
    println!(
        "list    p50 {p50:>8.1?}  p99 {p99:>8.1?}  at {READERS} readers, alone {alone:.1?}: {what} (target p99 10 ms)"
    );
}
