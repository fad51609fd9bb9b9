//! A ledger over a real database, and words to build batches with.

use chrono::NaiveDate;
use kernel::{AccountId, BatchId, Currency, Money, PageRequest, Principal, Role, SpaceId, UserId};
pub use ledger_api::Ledger;
use ledger_api::{
    AccountKind, AccountRef, BalanceKind, ExternalAccount, IngestReport, LedgerError, Row, SERVICE,
    StagePart, StagedRow, StatedBalance, StatementRef, Transaction, TransactionFilter,
};
use platform::testing::TestDatabase;
use platform::{Job, Module, Store};
use sea_orm::{ConnectionTrait, DatabaseBackend, Statement};
use service_registry::{CallContext, Registry, ServiceClient, ServiceDescriptor};
use uuid::Uuid;

/// One ledger on one database.
pub struct Bench {
    pub ledger: ServiceClient<dyn Ledger>,
    pub store: Store,
    pub module: Module,
    database: TestDatabase,
}

/// Where nobody logs in, it asks nobody.
const ALONE: ServiceDescriptor = ServiceDescriptor { calls: &[], ..SERVICE };

/// As where imports keep their previews for a week.
const LEDGER: ledger::LedgerSettings =
    ledger::LedgerSettings::for_previews(std::time::Duration::from_secs(7 * 24 * 60 * 60));

impl Bench {
    async fn open(database: TestDatabase) -> Self {
        let store = Store::open("ledger", &database.settings).await.unwrap();
        migrations::up("ledger", store.writer(), store.lock_file()).await.unwrap();
        let registry = Registry::builder().service(ALONE).build().unwrap();
        let module = ledger::module(&registry, store.clone(), LEDGER);
        Self { ledger: registry.client::<dyn Ledger>(), store, module, database }
    }

    /// What the module does on a timer, ready to be started.
    pub fn jobs(&self) -> Vec<Job> {
        let registry = Registry::builder().service(ALONE).build().unwrap();
        ledger::module(&registry, self.store.clone(), LEDGER).jobs
    }

    async fn close(self) {
        drop(self.module);
        self.store.close().await.unwrap();
        self.database.drop().await;
    }

    /// Stages the batch in parts of `size` rows and ingests it.
    pub async fn import(&self, cx: &CallContext, file: &File) -> Result<IngestReport, LedgerError> {
        let batch = BatchId::new();
        self.stage(cx, batch, file, 7).await?;
        self.ledger.ingest(cx, batch).await
    }

    pub async fn stage(
        &self,
        cx: &CallContext,
        batch: BatchId,
        file: &File,
        size: usize,
    ) -> Result<(), LedgerError> {
        for part in file.parts(batch, size) {
            self.ledger.stage(cx, part).await?;
        }
        Ok(())
    }

    /// All transactions that match, over as many pages as it takes.
    pub async fn all(&self, cx: &CallContext, filter: TransactionFilter) -> Vec<Transaction> {
        let (mut all, mut page) = (Vec::new(), PageRequest { limit: 3, ..PageRequest::default() });
        loop {
            let next = self.ledger.list_transactions(cx, filter.clone(), page.clone()).await.unwrap();
            all.extend(next.data);
            page.cursor = next.next_cursor;
            if page.cursor.is_none() {
                return all;
            }
        }
    }

    /// Every table that holds what batches brought, each line as text. Versions count on, so they are left out.
    pub async fn dump(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for table in [
            "accounts",
            "balance_snapshots",
            "transactions",
            "fingerprints",
            "batch_rows",
            "batch_accounts",
            "batch_balances",
            "prior_values",
        ] {
            let columns = match self.store.backend() {
                DatabaseBackend::Postgres => format!(
                    "SELECT column_name::text AS line FROM information_schema.columns \
                     WHERE table_schema = 'ledger' AND table_name = '{table}'"
                ),
                _ => format!("SELECT name AS line FROM pragma_table_info('{table}')"),
            };
            let shown = |column: &String| match self.store.backend() {
                DatabaseBackend::Postgres => format!("coalesce({column}::text, 'null')"),
                _ => format!("quote({column})"),
            };
            let columns = self.lines(&columns).await;
            let columns: Vec<String> =
                columns.iter().filter(|column| *column != "version").map(shown).collect();
            let text = format!("SELECT {} AS line FROM {table} ORDER BY 1", columns.join(" || '|' || "));
            lines.extend(self.lines(&text).await.into_iter().map(|line| format!("{table}: {line}")));
        }
        lines
    }

    /// What a query calls `line`.
    pub async fn lines(&self, text: &str) -> Vec<String> {
        let statement = Statement::from_string(self.store.backend(), text);
        let rows = self.store.reader().query_all_raw(statement).await.unwrap();
        rows.iter().map(|row| row.try_get("", "line").unwrap()).collect()
    }

    /// The one account of the household.
    pub async fn only_account(&self, cx: &CallContext) -> ledger_api::Account {
        let page = self.ledger.list_accounts(cx, PageRequest::default()).await.unwrap();
        let [account] = <[_; 1]>::try_from(page.data).unwrap();
        account
    }
}

/// Runs a test on SQLite, and on PostgreSQL where a server is named.
pub fn on_each_database(test: impl AsyncFn(&Bench)) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        for database in TestDatabase::each().await {
            let bench = Bench::open(database).await;
            test(&bench).await;
            bench.close().await;
        }
    });
}

/// Somebody of a household of their own.
pub fn owner() -> CallContext {
    member(SpaceId::new(), Role::Owner)
}

pub fn member(space: SpaceId, role: Role) -> CallContext {
    let who = Principal { user: UserId::new(), space, session: None, role };
    CallContext::root()
        .with_caller(platform::delegated(&who))
        .with_remaining(std::time::Duration::from_secs(60))
}

pub fn eur(minor: i64) -> Money {
    Money::from_minor(minor, Currency::parse("EUR").unwrap())
}

/// A day of January 2026.
pub fn day(day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 1, day).unwrap()
}

pub fn row(on: u32, minor: i64, name: &str) -> Row {
    Row::new(day(on), eur(minor), name)
}

pub fn with_id(row: Row, id: &str) -> Row {
    Row { external_id: Some(id.into()), ..row }
}

/// A statement file of one account.
#[derive(Clone, Debug)]
pub struct File {
    pub account: AccountRef,
    pub rows: Vec<StagedRow>,
    pub balances: Vec<StatedBalance>,
    pub period: Option<(NaiveDate, NaiveDate)>,
}

impl File {
    pub fn of(rows: impl IntoIterator<Item = Row>) -> Self {
        let rows = rows.into_iter().enumerate();
        let rows =
            rows.map(|(at, row)| StagedRow { statement: 0, line: at as u32 + 1, row: Ok(row) }).collect();
        Self { account: AccountRef::External(checking("key-1")), rows, balances: Vec::new(), period: None }
    }

    pub fn into_account(mut self, account: AccountId) -> Self {
        self.account = AccountRef::Id(account);
        self
    }

    /// Says which days of January it tells of.
    pub fn of_days(mut self, from: u32, to: u32) -> Self {
        self.period = Some((day(from), day(to)));
        self
    }

    pub fn stating(mut self, on: u32, minor: i64) -> Self {
        self.balances.push(StatedBalance { kind: BalanceKind::Ledger, as_of: day(on), amount: eur(minor) });
        self
    }

    pub fn beginning(mut self, on: u32, minor: i64) -> Self {
        self.balances.push(StatedBalance { kind: BalanceKind::Opening, as_of: day(on), amount: eur(minor) });
        self
    }

    pub fn parts(&self, batch: BatchId, size: usize) -> Vec<StagePart> {
        let run = Uuid::now_v7();
        let (starts_on, ends_on) = self.period.map_or((None, None), |(from, to)| (Some(from), Some(to)));
        let account = self.account.clone();
        let statement =
            StatementRef { number: 0, account, balances: self.balances.clone(), starts_on, ends_on };
        let mut parts: Vec<StagePart> = self
            .rows
            .chunks(size)
            .enumerate()
            .map(|(part, rows)| StagePart {
                batch,
                run,
                part: part as u32,
                statements: vec![],
                rows: rows.to_vec(),
            })
            .collect();
        if parts.is_empty() {
            parts.push(StagePart { batch, run, part: 0, statements: vec![], rows: vec![] });
        }
        parts[0].statements.push(statement);
        parts
    }
}

pub fn checking(key: &str) -> ExternalAccount {
    ExternalAccount {
        ours: None,
        key: key.into(),
        bank_id: Some("BANK".into()),
        number_mask: Some("••••6789".into()),
        kind: AccountKind::Checking,
        currency: Currency::parse("EUR").unwrap(),
        name: "Checking ••••6789".into(),
    }
}

/// Numbers what was committed, as the job of a running process does.
pub async fn stamp(bench: &Bench) {
    platform::outbox::stamp(&bench.store).await.unwrap();
}
