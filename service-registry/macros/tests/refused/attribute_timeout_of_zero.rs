#![allow(unused_imports)]

use service_registry::{CallContext, CallError, service};

#[service(name = "post", version = 1)]
pub trait Post: Send + Sync {
    #[read(timeout_ms = 0)]
    async fn send(&self, cx: &CallContext) -> Result<(), CallError>;
}

fn main() {}
