//! One service in three builds of version 1 (`n`, then `n1`, which adds, then `n2`, which breaks), and in version 2.

/// A build: the trait, its types, and an implementation that answers with what it was asked.
macro_rules! build {
    (
        $build:ident v $version:literal,
        order: { $($more_of_order:tt)* },
        receipt: { $($receipt:tt)* },
        buy: |$order:ident| { $($answer:tt)* },
        more: { $($more:tt)* } as { $($impl:tt)* }
    ) => {
        pub mod $build {
            #![allow(unused_imports)]

            use schemars::JsonSchema;
            use serde::{Deserialize, Serialize};
            use service_registry::{CallContext, CallError, async_trait, service};

            #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
            pub struct Order {
                pub item: String,
                $($more_of_order)*
            }

            #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
            pub struct Receipt {
                pub item: String,
                $($receipt)*
            }

            #[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, thiserror::Error)]
            pub enum ShopError {
                #[error("sold out")]
                SoldOut,
                #[error(transparent)]
                Call(#[from] CallError),
            }

            #[service(name = "shop", version = $version)]
            pub trait Shop: Send + Sync {
                #[read]
                async fn open(&self, cx: &CallContext) -> Result<bool, ShopError>;

                #[idempotent]
                async fn buy(&self, cx: &CallContext, order: Order) -> Result<Receipt, ShopError>;

                $($more)*
            }

            pub struct Corner;

            #[async_trait]
            impl Shop for Corner {
                async fn open(&self, _: &CallContext) -> Result<bool, ShopError> {
                    Ok(true)
                }

                async fn buy(&self, _: &CallContext, $order: Order) -> Result<Receipt, ShopError> {
                    Ok(Receipt { $($answer)*, item: $order.item })
                }

                $($impl)*
            }
        }
    };
}

build!(
    n v 1,
    order: {},
    receipt: { pub price: i64, },
    buy: |order| { price: 7 },
    more: {} as {}
);

build!(
    n1 v 1,
    order: { pub gift: Option<String>, },
    receipt: { pub price: i64, pub wrapped: Option<bool>, },
    buy: |order| { price: 7, wrapped: Some(order.gift.is_some()) },
    more: {
        #[read]
        #[optional]
        async fn stock(&self, cx: &CallContext) -> Result<u32, ShopError>;
    } as {
        async fn stock(&self, _: &CallContext) -> Result<u32, ShopError> {
            Ok(3)
        }
    }
);

build!(
    n2 v 1,
    order: {},
    receipt: { pub price: String, },
    buy: |order| { price: "7.00".to_owned() },
    more: {} as {}
);

build!(
    v2 v 2,
    order: {},
    receipt: { pub price: String, },
    buy: |order| { price: "7.00".to_owned() },
    more: {} as {}
);
