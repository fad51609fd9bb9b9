#![allow(unused_imports)]

use service_registry::{CallContext, CallError, service};

#[service(name = "post", version = 1)]
pub trait Post: Send + Sync {
    fn send(&self, cx: &CallContext) -> Result<(), CallError>;
}

fn main() {}
