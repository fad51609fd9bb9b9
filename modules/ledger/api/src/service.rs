use kernel::{AccountId, BatchId, Page, PageRequest, TransactionId};
use service_registry::{CallContext, Contract, ServiceDescriptor, service};

use crate::{
    Account, AccountPatch, BalanceFilter, BalanceSnapshot, ChangePage, IngestReport, LedgerError, NewAccount,
    RevertReport, RowFilter, RowReport, StagePart, Transaction, TransactionFilter, TransactionPatch,
};

/// The ledger as the registry knows it.
pub const SERVICE: ServiceDescriptor = ServiceDescriptor {
    name: "ledger",
    version: 1,
    methods: <dyn Ledger as Contract>::METHODS,
    routes: &[
        "/api/v1/accounts",
        "/api/v1/transactions",
        "/api/v1/balance-snapshots",
        "/api/v1/changes",
        "/api/v1/exports",
    ],
    calls: &[("identity", &["jwks", "revocations"])],
    default_port: 7130,
};

/// What happened: accounts, transactions, balances of the caller's household.
///
/// Every method sees the caller's household alone; what belongs to another is `NotFound`, as if it did not exist.
#[service(name = "ledger", version = 1)]
pub trait Ledger: Send + Sync {
    /// The household's accounts by name.
    #[read]
    async fn list_accounts(&self, cx: &CallContext, page: PageRequest) -> Result<Page<Account>, LedgerError>;

    /// One account with its balance.
    #[read]
    async fn account(&self, cx: &CallContext, id: AccountId) -> Result<Account, LedgerError>;

    /// Opens an account that is kept by hand or filled by imports into it.
    #[once(dedupe)]
    async fn create_account(&self, cx: &CallContext, account: NewAccount) -> Result<Account, LedgerError>;

    /// Renames, closes or reopens an account, or states what it held before its first transaction.
    #[once(dedupe)]
    async fn update_account(
        &self,
        cx: &CallContext,
        id: AccountId,
        patch: AccountPatch,
    ) -> Result<Account, LedgerError>;

    /// Transactions that match, newest bank date first.
    #[read]
    async fn list_transactions(
        &self,
        cx: &CallContext,
        filter: TransactionFilter,
        page: PageRequest,
    ) -> Result<Page<Transaction>, LedgerError>;

    /// One transaction.
    #[read]
    async fn transaction(&self, cx: &CallContext, id: TransactionId) -> Result<Transaction, LedgerError>;

    /// Says what the household calls a transaction, files it under, or writes beside it.
    #[once]
    async fn update_transaction(
        &self,
        cx: &CallContext,
        id: TransactionId,
        patch: TransactionPatch,
    ) -> Result<Transaction, LedgerError>;

    /// Balances as banks stated them, newest date first.
    #[read]
    async fn list_balance_snapshots(
        &self,
        cx: &CallContext,
        filter: BalanceFilter,
        page: PageRequest,
    ) -> Result<Page<BalanceSnapshot>, LedgerError>;

    /// Puts rows of a batch in waiting, where nobody sees them. The same rows again replace themselves.
    ///
    /// Refuses with `BatchCommitted` once the batch was ingested.
    #[idempotent(timeout_ms = 60_000)]
    async fn stage(&self, cx: &CallContext, part: StagePart) -> Result<(), LedgerError>;

    /// What `ingest` would do with the batch now; changes nothing that anybody sees.
    #[read(timeout_ms = 600_000)]
    async fn preview(&self, cx: &CallContext, batch: BatchId) -> Result<IngestReport, LedgerError>;

    /// The single door: makes the waiting rows of the batch part of the ledger, all or none.
    ///
    /// A repeat with the same batch has no second effect and gives the first report again.
    #[idempotent(timeout_ms = 600_000)]
    async fn ingest(&self, cx: &CallContext, batch: BatchId) -> Result<IngestReport, LedgerError>;

    /// Every row of a batch in the order of the file and what became of it, or would become of it now.
    ///
    /// Where the ledger has changed since the preview of a waiting batch, it is previewed again first. Of a batch
    /// that was taken back there are none.
    #[read(timeout_ms = 600_000)]
    async fn rows(
        &self,
        cx: &CallContext,
        batch: BatchId,
        filter: RowFilter,
        page: PageRequest,
    ) -> Result<Page<RowReport>, LedgerError>;

    /// Takes back what a committed batch did, in one transaction, as if it had never come.
    ///
    /// What it made goes, unless another batch has met it too; then it stays and is that one's. What it changed is
    /// again what it was, unless another batch tells the same. Its balances go and those that it superseded are
    /// back; accounts that it opened go where nothing else is in them. The same rows can come again in a new batch.
    /// A repeat has no second effect and gives the first report again; the batch itself cannot be ingested again.
    /// Refuses with `BatchNotCommitted`, `BatchNotRevertible`, or `AccountClosed` where one of its accounts is.
    #[idempotent(timeout_ms = 600_000)]
    async fn revert(&self, cx: &CallContext, batch: BatchId) -> Result<RevertReport, LedgerError>;

    /// Throws the waiting rows of a batch away; `BatchCommitted` once it was ingested, nothing to do where there are none.
    #[idempotent(timeout_ms = 60_000)]
    async fn discard(&self, cx: &CallContext, batch: BatchId) -> Result<(), LedgerError>;

    /// What changed in the household after `after_seq`, oldest first, `limit` at most 200.
    #[read]
    async fn changes(&self, cx: &CallContext, after_seq: i64, limit: u16) -> Result<ChangePage, LedgerError>;
}
