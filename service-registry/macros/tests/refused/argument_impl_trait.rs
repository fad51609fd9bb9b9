#![allow(unused_imports)]

use service_registry::{CallContext, CallError, service};

#[service(name = "post", version = 1)]
pub trait Post: Send + Sync {
    async fn send(&self, cx: &CallContext, letter: impl Send) -> Result<(), CallError>;
}

fn main() {}
