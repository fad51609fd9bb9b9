//! Two modules that call each other the same way in one process and in two: `cargo run --example two_modules`.

use std::sync::Arc;

use actix_web::{App, HttpServer};
use orders::Orders;
use service_registry::{
    CallContext, CallError, Caller, Percent, Placement, Registry, Transport, TransportFactory, async_trait,
};
use service_registry_http::{
    CallerVerifier, HttpTransport, KeyPair, RpcAuth, ServiceSigner, ServiceVerifier, remember_connection,
    rpc_routes,
};
use stock::{Shelf, Stock};

/// What others may see of the stock, and the room behind it. Two crates in a project that is larger than this.
mod stock {
    use std::sync::Mutex;

    use serde::{Deserialize, Serialize};
    use service_registry::{CallContext, CallError, Contract, ServiceDescriptor, async_trait, service};

    pub const SERVICE: ServiceDescriptor = ServiceDescriptor {
        name: "stock",
        version: 1,
        methods: <dyn Stock as Contract>::METHODS,
        routes: &["/stock"],
        calls: &[],
        default_port: 9201,
    };

    #[service(name = "stock", version = 1)]
    pub trait Stock: Send + Sync {
        /// Pieces that are left.
        #[read]
        async fn left(&self, cx: &CallContext) -> Result<u32, StockError>;

        /// Takes pieces away and says how many are left.
        async fn take(&self, cx: &CallContext, pieces: u32) -> Result<u32, StockError>;
    }

    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema, thiserror::Error)]
    pub enum StockError {
        #[error("only {left} pieces are left")]
        TooFew { left: u32 },
        #[error(transparent)]
        Call(#[from] CallError),
    }

    /// The number stands for a database.
    pub struct Shelf(pub Mutex<u32>);

    #[async_trait]
    impl Stock for Shelf {
        async fn left(&self, _: &CallContext) -> Result<u32, StockError> {
            Ok(*self.0.lock().expect("nobody panics with it"))
        }

        async fn take(&self, _: &CallContext, pieces: u32) -> Result<u32, StockError> {
            let mut left = self.0.lock().expect("nobody panics with it");
            *left = left.checked_sub(pieces).ok_or(StockError::TooFew { left: *left })?;
            Ok(*left)
        }
    }
}

/// A module that calls the stock, wherever that is.
mod orders {
    use service_registry::{CallContext, Registry, ServiceClient};

    use super::stock::{Stock, StockError};

    pub struct Orders {
        stock: ServiceClient<dyn Stock>,
    }

    impl Orders {
        pub fn new(registry: &Registry) -> Self {
            Self { stock: registry.client() }
        }

        pub async fn order(&self, cx: &CallContext, pieces: u32) -> Result<String, StockError> {
            let left = self.stock.take(cx, pieces).await?;
            Ok(format!("sold {pieces}, {left} left"))
        }
    }
}

/// The other process, here for brevity in a task: it has the stock and answers the shop.
fn serve_stock(shelf: Arc<Shelf>, shop: &KeyPair) -> Result<String, Box<dyn std::error::Error>> {
    // What is not listed here, the shop may not call.
    let registry = Registry::builder().service(stock::SERVICE).caller("shop", &[("stock", &["take"])]);
    let registry = registry.build()?;
    registry.provide::<dyn Stock>(shelf);
    let services = ServiceVerifier::new().key("shop", shop.public_key())?;
    let auth = Arc::new(RpcAuth { services, callers: Arc::new(NoUsers), certificates: false });
    let server = HttpServer::new(move || App::new().configure(rpc_routes(&registry, &auth)));
    let server = server.workers(1).on_connect(remember_connection).bind(("127.0.0.1", 0))?;
    let url = format!("http://{}", server.addrs()[0]);
    tokio::spawn(server.run());
    Ok(url)
}

/// Nobody logs in to this shop.
struct NoUsers;

#[async_trait]
impl CallerVerifier for NoUsers {
    async fn verify(&self, _: &str) -> Result<Caller, CallError> {
        Err(CallError::refused("no users here"))
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    // Once per process: who it is, which services there are, and how to reach those elsewhere.
    let key = KeyPair::generate()?;
    let signer = Arc::new(ServiceSigner::new("shop", &key));
    let factory: TransportFactory = Arc::new(move |service, urls| {
        let transport = HttpTransport::new(service.name, &urls[0], Arc::clone(&signer))?;
        Ok(Arc::new(transport) as Arc<dyn Transport>)
    });
    let registry = Registry::builder().service(stock::SERVICE).transports(factory).build()?;
    let shelf = Arc::new(Shelf(100.into()));
    registry.provide::<dyn Stock>(Arc::clone(&shelf) as Arc<dyn Stock>);
    let (orders, cx) = (Orders::new(&registry), CallContext::root());

    // One process: a call is a call.
    assert_eq!(orders.order(&cx, 10).await?, "sold 10, 90 left");

    // Two: the same line of code, and the same error.
    let url = serve_stock(shelf, &key)?;
    registry.place("stock", Placement::remote(&url))?;
    assert_eq!(orders.order(&cx, 10).await?, "sold 10, 80 left");
    assert_eq!(orders.order(&cx, 99).await, Err(stock::StockError::TooFew { left: 80 }));

    // A tenth of the callers there, the others here; then all of them here again.
    registry.place("stock", Placement::split(Percent::try_from(10.0)?, [url]))?;
    assert_eq!(orders.order(&cx, 10).await?, "sold 10, 70 left");
    registry.place("stock", Placement::local())?;
    assert_eq!(orders.order(&cx, 10).await?, "sold 10, 60 left");
    println!("{}", serde_json::to_string_pretty(&registry.topology())?);
    Ok(())
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_example_does_what_it_says() {
        super::main().unwrap();
    }
}
