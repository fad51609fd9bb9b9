//! The room: one method per use case; transactions begin and end here.

mod accounts;
mod edits;
mod ingest;
mod opening;
mod pending;
mod queries;
mod report;
mod revert;
mod rows;
mod statements;

use kernel::{AccountId, BatchId, Page, PageRequest, Scope, TransactionId};
use ledger_api::{
    Account, AccountPatch, BalanceFilter, BalanceSnapshot, ChangePage, IngestReport, Ledger, LedgerError,
    NewAccount, RevertReport, RowFilter, RowReport, StagePart, Transaction, TransactionFilter,
    TransactionPatch,
};
use platform::{Store, may};
use service_registry::{CallContext, async_trait};

/// The ledger over its database.
pub(crate) struct LedgerService {
    store: Store,
}

impl LedgerService {
    pub(crate) fn new(store: Store) -> Self {
        Self { store }
    }
}

#[async_trait]
impl Ledger for LedgerService {
    async fn list_accounts(&self, cx: &CallContext, page: PageRequest) -> Result<Page<Account>, LedgerError> {
        self.accounts_of(cx, &may(cx, Scope::LedgerRead)?, page).await
    }

    async fn account(&self, cx: &CallContext, id: AccountId) -> Result<Account, LedgerError> {
        self.account_of(cx, &may(cx, Scope::LedgerRead)?, id).await
    }

    async fn create_account(&self, cx: &CallContext, account: NewAccount) -> Result<Account, LedgerError> {
        self.open_account(cx, &may(cx, Scope::LedgerWrite)?, account).await
    }

    async fn update_account(
        &self,
        cx: &CallContext,
        id: AccountId,
        patch: AccountPatch,
    ) -> Result<Account, LedgerError> {
        self.change_account(cx, &may(cx, Scope::LedgerWrite)?, id, patch).await
    }

    async fn list_transactions(
        &self,
        cx: &CallContext,
        filter: TransactionFilter,
        page: PageRequest,
    ) -> Result<Page<Transaction>, LedgerError> {
        self.transactions_of(cx, &may(cx, Scope::LedgerRead)?, filter, page).await
    }

    async fn transaction(&self, cx: &CallContext, id: TransactionId) -> Result<Transaction, LedgerError> {
        self.transaction_of(cx, &may(cx, Scope::LedgerRead)?, id).await
    }

    async fn update_transaction(
        &self,
        cx: &CallContext,
        id: TransactionId,
        patch: TransactionPatch,
    ) -> Result<Transaction, LedgerError> {
        self.edit_transaction(cx, &may(cx, Scope::LedgerWrite)?, id, patch).await
    }

    async fn list_balance_snapshots(
        &self,
        cx: &CallContext,
        filter: BalanceFilter,
        page: PageRequest,
    ) -> Result<Page<BalanceSnapshot>, LedgerError> {
        self.balances_of(cx, &may(cx, Scope::LedgerRead)?, filter, page).await
    }

    async fn stage(&self, cx: &CallContext, part: StagePart) -> Result<(), LedgerError> {
        self.stage_part(cx, &may(cx, Scope::LedgerWrite)?, part).await
    }

    async fn preview(&self, cx: &CallContext, batch: BatchId) -> Result<IngestReport, LedgerError> {
        self.preview_batch(cx, &may(cx, Scope::LedgerWrite)?, batch).await
    }

    async fn ingest(&self, cx: &CallContext, batch: BatchId) -> Result<IngestReport, LedgerError> {
        self.ingest_batch(cx, &may(cx, Scope::LedgerWrite)?, batch).await
    }

    async fn rows(
        &self,
        cx: &CallContext,
        batch: BatchId,
        filter: RowFilter,
        page: PageRequest,
    ) -> Result<Page<RowReport>, LedgerError> {
        self.rows_of(cx, &may(cx, Scope::LedgerRead)?, batch, filter, page).await
    }

    async fn revert(&self, cx: &CallContext, batch: BatchId) -> Result<RevertReport, LedgerError> {
        self.revert_batch(cx, &may(cx, Scope::LedgerWrite)?, batch).await
    }

    async fn discard(&self, cx: &CallContext, batch: BatchId) -> Result<(), LedgerError> {
        self.discard_batch(cx, &may(cx, Scope::LedgerWrite)?, batch).await
    }

    async fn changes(&self, cx: &CallContext, after_seq: i64, limit: u16) -> Result<ChangePage, LedgerError> {
        self.changes_of(cx, &may(cx, Scope::LedgerRead)?, after_seq, limit).await
    }
}
