#![allow(unused_imports)]

use service_registry::{CallContext, CallError, service};

#[service(name = "post", version = 1)]
pub trait Post: Send + Sync {
    async fn send<T: Send>(&self, cx: &CallContext, letter: T) -> Result<(), CallError>;
}

fn main() {}
