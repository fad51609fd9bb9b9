#![allow(unused_imports)]

use service_registry::{CallContext, CallError, service};

#[service(name = "Post Office", version = 1)]
pub trait Post: Send + Sync {
    async fn send(&self, cx: &CallContext) -> Result<(), CallError>;
}

fn main() {}
