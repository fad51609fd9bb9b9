use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use sea_orm::{ConnectionTrait, DatabaseBackend, DatabaseTransaction, DbErr};
use tokio::sync::Notify;

use crate::open::Open;

/// A transaction that writes, shared by the clones that one use case hands around. Dropped, it rolls back.
#[derive(Clone)]
pub struct Txn(Arc<Inner>);

struct Inner {
    transaction: DatabaseTransaction,
    bell: Arc<Notify>,
    has_events: AtomicBool,
    _open: Open,
}

impl Txn {
    pub(crate) fn new(transaction: DatabaseTransaction, bell: Arc<Notify>) -> Self {
        Self(Arc::new(Inner { transaction, bell, has_events: AtomicBool::new(false), _open: Open::here() }))
    }

    pub(crate) fn expect_events(&self) {
        self.0.has_events.store(true, Ordering::Relaxed);
    }

    /// Lets its statements take the time, and the memory for sorting, that a whole file may need. SQLite limits neither.
    pub async fn take_time(&self) -> Result<(), DbErr> {
        match self.get_database_backend() {
            DatabaseBackend::Postgres => {
                let more = "SET LOCAL statement_timeout = '10min'; SET LOCAL work_mem = '64MB'";
                self.execute_unprepared(more).await.map(drop)
            }
            _ => Ok(()),
        }
    }

    /// Makes everything written in it last, and wakes those who wait for its events.
    ///
    /// Fails while another clone is still held: somebody would go on writing into a finished transaction.
    pub async fn commit(self) -> Result<(), DbErr> {
        let inner = Arc::into_inner(self.0)
            .ok_or_else(|| DbErr::Custom("the transaction is still in use elsewhere".into()))?;
        inner.transaction.commit().await?;
        if inner.has_events.into_inner() {
            inner.bell.notify_one();
        }
        Ok(())
    }
}

impl Deref for Txn {
    type Target = DatabaseTransaction;
    fn deref(&self) -> &DatabaseTransaction {
        &self.0.transaction
    }
}
