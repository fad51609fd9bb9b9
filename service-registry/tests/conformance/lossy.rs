//! The serialised binding finds what a wire would lose.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use service_registry::testing::Serialised;
use service_registry::{CallContext, CallError, async_trait, service};

#[service(name = "lossy", version = 1)]
trait Lossy: Send + Sync {
    #[read]
    async fn same(&self, cx: &CallContext, price: Price) -> Result<Price, CallError>;

    #[read]
    async fn nothing(&self, cx: &CallContext) -> Result<Price, CallError>;
}

/// Zero is left out when it is written, and read back as one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
struct Price {
    #[serde(skip_serializing_if = "is_zero", default = "one")]
    minor: i64,
}

fn is_zero(minor: &i64) -> bool {
    *minor == 0
}

fn one() -> i64 {
    1
}

struct Shop;

#[async_trait]
impl Lossy for Shop {
    async fn same(&self, _: &CallContext, price: Price) -> Result<Price, CallError> {
        Ok(price)
    }

    async fn nothing(&self, _: &CallContext) -> Result<Price, CallError> {
        Ok(Price { minor: 0 })
    }
}

#[tokio::test]
async fn a_value_that_is_another_after_the_wire_ends_the_call() {
    let (client, cx) = (Serialised::client::<dyn Lossy>(Arc::new(Shop)), CallContext::root());
    assert_eq!(client.same(&cx, Price { minor: 5 }).await, Ok(Price { minor: 5 }));
    let changed = |what| Err(CallError::protocol(format!("{what} changes on the wire")));
    assert_eq!(client.same(&cx, Price { minor: 0 }).await, changed("Arguments of lossy.same"));
    assert_eq!(client.nothing(&cx).await, changed("Answer of lossy.nothing"));
}
