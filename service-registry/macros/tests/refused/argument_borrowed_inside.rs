#![allow(unused_imports)]

use service_registry::{CallContext, CallError, service};

#[service(name = "post", version = 1)]
pub trait Post: Send + Sync {
    async fn send(&self, cx: &CallContext, letters: Vec<Option<&str>>) -> Result<(), CallError>;
}

fn main() {}
