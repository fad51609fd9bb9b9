//! A small service as modules have them: an id goes in, a row comes out.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

use serde::{Deserialize, Serialize};
use service_registry::{CallContext, CallError, async_trait, service};
use uuid::Uuid;

#[service(name = "bench", version = 1)]
pub trait Ledger: Send + Sync {
    #[read]
    async fn account(&self, cx: &CallContext, id: Uuid) -> Result<Account, LedgerError>;

    #[read]
    async fn page(&self, cx: &CallContext, count: u32) -> Result<Vec<Account>, LedgerError>;

    /// Nothing in, nothing out: the least that a call can be.
    #[read]
    async fn touch(&self, cx: &CallContext, n: u64) -> Result<u64, LedgerError>;
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Account {
    pub id: Uuid,
    pub name: String,
    pub currency: String,
    pub balance_minor: i64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema, thiserror::Error)]
pub enum LedgerError {
    #[error("account {id} is not known")]
    NotFound { id: Uuid },
    #[error(transparent)]
    Call(#[from] CallError),
}

/// Keeps its rows in memory: what a call costs when its callee does next to nothing.
pub struct InMemory {
    accounts: RwLock<HashMap<Uuid, Account>>,
}

impl InMemory {
    pub fn new() -> Self {
        let accounts = (0..100).map(|n| account(Uuid::from_u128(n))).map(|account| (account.id, account));
        Self { accounts: RwLock::new(accounts.collect()) }
    }
}

pub fn account(id: Uuid) -> Account {
    Account { id, name: "Household checking".to_owned(), currency: "EUR".to_owned(), balance_minor: 123_456 }
}

/// As many rows, made when they are wanted.
pub fn rows(count: u32) -> Vec<Account> {
    (0..u128::from(count)).map(|n| account(Uuid::from_u128(u128::MAX / 1_000 * n))).collect()
}

#[async_trait]
impl Ledger for InMemory {
    async fn account(&self, _cx: &CallContext, id: Uuid) -> Result<Account, LedgerError> {
        let accounts = self.accounts.read().unwrap_or_else(PoisonError::into_inner);
        accounts.get(&id).cloned().ok_or(LedgerError::NotFound { id })
    }

    async fn page(&self, _cx: &CallContext, count: u32) -> Result<Vec<Account>, LedgerError> {
        Ok(rows(count))
    }

    async fn touch(&self, _cx: &CallContext, n: u64) -> Result<u64, LedgerError> {
        Ok(n + 1)
    }
}
