//! What a call in this process allocates, beside the same call at the trait object.

// Helpers of tests may unwrap as tests may.
#![allow(clippy::unwrap_used)]

use std::future::Future;
use std::sync::Arc;

use allocation_counter::{AllocationInfo, measure};
use service_registry::{CallContext, CallError, ServiceClient, async_trait, service};

#[service(name = "counted", version = 1)]
trait Counted: Send + Sync {
    #[read]
    async fn double(&self, cx: &CallContext, n: u64) -> Result<u64, CallError>;
}

struct Doubling;

#[async_trait]
impl Counted for Doubling {
    async fn double(&self, _: &CallContext, n: u64) -> Result<u64, CallError> {
        Ok(2 * n)
    }
}

/// Of a call like others before it.
fn allocated<F: Future<Output = Result<u64, CallError>>>(call: impl Fn() -> F) -> AllocationInfo {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(call()).unwrap();
    measure(|| assert_eq!(runtime.block_on(call()), Ok(42)))
}

#[test]
fn a_local_call_allocates_once_more_than_a_call_at_the_trait_object() {
    let cx = CallContext::root();
    let bare: Arc<dyn Counted> = Arc::new(Doubling);
    let client: ServiceClient<dyn Counted> = ServiceClient::local(Arc::new(Doubling));
    let bare = allocated(|| bare.double(&cx, 21));
    let ours = allocated(|| client.double(&cx, 21));
    println!("bare: {bare:?}\nours: {ours:?}");
    // Each async method of a trait object is one, the client's as well as the callee's.
    assert_eq!((bare.count_total, ours.count_total), (1, 2));
    assert_eq!(ours.count_current, 0, "{ours:?}");
}
