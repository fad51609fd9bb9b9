//! Which tasks have a transaction open, so that a call in the midst of one can be told.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::ThreadId;

use tokio::task;

/// Transactions that are open anywhere: as long as there is none, nobody has to look further.
static ANYWHERE: AtomicUsize = AtomicUsize::new(0);
static BY_TASK: Mutex<Option<HashMap<Task, usize>>> = Mutex::new(None);

/// A task, or the thread that runs the future which is in none.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Task {
    Spawned(task::Id),
    Root(ThreadId),
}

impl Task {
    fn current() -> Self {
        task::try_id().map_or_else(|| Self::Root(std::thread::current().id()), Self::Spawned)
    }
}

/// Marks the task that made it until it is dropped.
pub(crate) struct Open(Task);

impl Open {
    pub(crate) fn here() -> Self {
        let task = Task::current();
        ANYWHERE.fetch_add(1, Ordering::AcqRel);
        *by_task().get_or_insert_default().entry(task).or_default() += 1;
        Self(task)
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        let mut by_task = by_task();
        let open = by_task.get_or_insert_default();
        if let Some(count) = open.get_mut(&self.0) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.0);
            }
        }
        ANYWHERE.fetch_sub(1, Ordering::AcqRel);
    }
}

/// Whether the current task has begun a transaction that has not ended.
pub(crate) fn is_open_here() -> bool {
    ANYWHERE.load(Ordering::Relaxed) > 0
        && by_task().as_ref().is_some_and(|open| open.contains_key(&Task::current()))
}

/// Nothing panics while it is held.
fn by_task() -> MutexGuard<'static, Option<HashMap<Task, usize>>> {
    BY_TASK.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use service_registry::{CallContext, CallError, ServiceClient, async_trait, service};

    use crate::Store;
    use crate::testing::TestDatabase;

    #[service(name = "neighbour", version = 1)]
    trait Neighbour: Send + Sync {
        #[read]
        async fn ask(&self, cx: &CallContext) -> Result<(), CallError>;
    }

    struct Near;

    #[async_trait]
    impl Neighbour for Near {
        async fn ask(&self, _: &CallContext) -> Result<(), CallError> {
            Ok(())
        }
    }

    fn neighbour() -> ServiceClient<dyn Neighbour> {
        ServiceClient::local(Arc::new(Near))
    }

    async fn store() -> (TestDatabase, Store) {
        let database = TestDatabase::sqlite();
        let store = Store::open("open", &database.settings).await.unwrap();
        (database, store)
    }

    #[tokio::test]
    #[should_panic(expected = "neighbour.ask was called while a database transaction was open")]
    async fn a_call_in_an_open_transaction_fails_its_test() {
        let (_database, store) = store().await;
        let _txn = store.begin().await.unwrap();
        let _ = neighbour().ask(&CallContext::root()).await;
    }

    #[tokio::test]
    async fn a_transaction_in_another_task_or_one_that_is_over_is_no_reason() {
        let (database, store) = store().await;
        let txn = store.begin().await.unwrap();
        let beside = tokio::spawn(async { neighbour().ask(&CallContext::root()).await });
        assert_eq!(beside.await.unwrap(), Ok(()));
        txn.commit().await.unwrap();
        assert_eq!(neighbour().ask(&CallContext::root()).await, Ok(()));
        drop(store.begin().await.unwrap());
        assert_eq!(neighbour().ask(&CallContext::root()).await, Ok(()));
        store.close().await.unwrap();
        database.drop().await;
    }
}
