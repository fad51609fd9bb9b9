#![allow(unused_imports)]

use service_registry::{CallContext, CallError, service};

#[service(name = "post", version = 1)]
trait Post: Send + Sync {
    #[read(dedupe)]
    async fn letters(&self, cx: &CallContext) -> Result<(), CallError>;
}

fn main() {}
