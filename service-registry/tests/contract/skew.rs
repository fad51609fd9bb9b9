//! Drill 6: one side is brought up to date before the other, over real HTTP.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::future::join_all;
use service_registry::contract::Difference;
use service_registry::{
    CONTRACT_RECHECK, CallContext, CallError, Placement, Registry, ServiceClient, Transport,
};
use service_registry_http::{HttpTransport, KeyPair, ServiceSigner};
use tokio::net::{TcpListener, TcpStream};

use crate::server::{SHOP, Server, client, providing, transport};
use crate::shop::{n, n1, n2, v2};

fn key() -> KeyPair {
    KeyPair::generate().unwrap()
}

fn price_refused() -> CallError {
    CallError::Incompatible(Box::new(Difference {
        service: "shop".into(),
        method: "buy".into(),
        field: "answer.price".into(),
        problem: "the callee writes text, the caller reads integer (int64)".into(),
    }))
}

#[tokio::test]
async fn a_caller_of_before_works_with_a_callee_that_was_added_to() {
    use n::Shop;
    let key = key();
    let server = Server::start(&key, providing::<dyn n1::Shop>(Arc::new(n1::Corner)));
    let shop: ServiceClient<dyn Shop> = client(&key, &[&server]);
    let receipt = shop.buy(&CallContext::root(), n::Order { item: "tea".into() }).await;
    assert_eq!(receipt, Ok(n::Receipt { item: "tea".into(), price: 7 }));
}

#[tokio::test]
async fn a_caller_that_was_added_to_works_with_a_callee_of_before_but_for_what_it_lacks() {
    use n1::Shop;
    let key = key();
    let server = Server::start(&key, providing::<dyn n::Shop>(Arc::new(n::Corner)));
    let transport = transport(&key, &[&server]);
    let shop: ServiceClient<dyn Shop> = ServiceClient::remote(transport.clone());
    let cx = CallContext::root();
    let order = n1::Order { item: "tea".into(), gift: Some("ribbon".into()) };
    assert_eq!(shop.buy(&cx, order).await, Ok(n1::Receipt { item: "tea".into(), price: 7, wrapped: None }));
    let lacking = shop.stock(&cx).await.unwrap_err();
    assert_eq!(lacking.to_string(), "contract refused: shop stock: the callee does not have it");
    assert_eq!(server.called(), 1, "what is lacking is not asked for");
    let states = transport.contract_state();
    assert_eq!(
        (states[0].state.as_str(), states[0].missing.as_slice()),
        ("degraded", &["stock".to_owned()][..])
    );
}

#[tokio::test]
async fn a_callee_that_broke_its_contract_is_refused_by_name_and_gets_no_call() {
    use n::Shop;
    let key = key();
    let server = Server::start(&key, providing::<dyn n2::Shop>(Arc::new(n2::Corner)));
    let transport = transport(&key, &[&server]);
    let shop: ServiceClient<dyn Shop> = ServiceClient::remote(transport.clone());
    let cx = CallContext::root();
    for _ in 0..3 {
        let refused = shop.buy(&cx, n::Order::default()).await;
        assert_eq!(refused, Err(n::ShopError::Call(price_refused())));
    }
    // The whole contract is refused: a service that half works is harder to live with than one that does not.
    assert_eq!(shop.open(&cx).await, Err(n::ShopError::Call(price_refused())));
    assert_eq!((server.called(), server.greeted()), (0, 2), "asked once, fingerprints and shapes");
    assert_eq!(transport.contract_state()[0].state, "refused");
}

#[tokio::test]
async fn a_caller_that_broke_its_contract_is_refused_just_so() {
    use n2::Shop;
    let key = key();
    let server = Server::start(&key, providing::<dyn n::Shop>(Arc::new(n::Corner)));
    let shop: ServiceClient<dyn Shop> = client(&key, &[&server]);
    let refused = shop.buy(&CallContext::root(), n2::Order::default()).await.unwrap_err();
    assert!(refused.to_string().starts_with("contract refused: shop buy answer.price: "), "{refused}");
    assert_eq!(server.called(), 0);
}

#[tokio::test]
async fn a_version_that_is_not_offered_is_refused_by_name() {
    use v2::Shop;
    let key = key();
    let server = Server::start(&key, providing::<dyn n::Shop>(Arc::new(n::Corner)));
    let shop: ServiceClient<dyn Shop> = client(&key, &[&server]);
    let refused = shop.open(&CallContext::root()).await.unwrap_err();
    assert_eq!(refused.to_string(), "contract refused: shop: the caller needs v2, the callee offers v1");
}

#[tokio::test]
async fn one_process_offers_two_versions_side_by_side() {
    let key = key();
    let registry = providing::<dyn n::Shop>(Arc::new(n::Corner));
    registry.provide::<dyn v2::Shop>(Arc::new(v2::Corner));
    let server = Server::start(&key, registry.clone());
    let transport = transport(&key, &[&server]);
    let first: ServiceClient<dyn n::Shop> = ServiceClient::remote(transport.clone());
    let second: ServiceClient<dyn v2::Shop> = ServiceClient::remote(transport);
    let cx = CallContext::root();
    assert_eq!(n::Shop::buy(&first, &cx, n::Order::default()).await.unwrap().price, 7);
    assert_eq!(v2::Shop::buy(&second, &cx, v2::Order::default()).await.unwrap().price, "7.00");
    // And in this process as well.
    assert_eq!(n::Shop::buy(&registry.client(), &cx, n::Order::default()).await.unwrap().price, 7);
    assert_eq!(v2::Shop::buy(&registry.client(), &cx, v2::Order::default()).await.unwrap().price, "7.00");
}

#[tokio::test]
async fn first_calls_at_once_share_one_handshake_and_later_ones_need_none() {
    use n::Shop;
    let key = key();
    let server = Server::start(&key, providing::<dyn Shop>(Arc::new(n::Corner)));
    let shop: ServiceClient<dyn Shop> = client(&key, &[&server]);
    let cx = CallContext::root();
    for _ in 0..3 {
        let answers = join_all((0..20).map(|_| shop.open(&cx))).await;
        assert!(answers.iter().all(|answer| *answer == Ok(true)), "{answers:?}");
    }
    assert_eq!((server.called(), server.greeted()), (60, 1));
}

#[tokio::test]
async fn a_callee_that_came_back_as_another_build_is_compared_again() {
    use n::Shop;
    let key = key();
    let server = Server::start(&key, providing::<dyn Shop>(Arc::new(n::Corner)));
    let shop: ServiceClient<dyn Shop> = client(&key, &[&server]);
    let cx = CallContext::root();
    assert_eq!(shop.open(&cx).await, Ok(true));
    let address = server.address;
    server.stop().await;
    let broken = Server::start_at(address, &key, providing::<dyn n2::Shop>(Arc::new(n2::Corner)));
    // The connection to the first may last a little longer; what it answers is as good as before.
    let refused = Err(n::ShopError::Call(price_refused()));
    within_seconds(async || shop.open(&cx).await == refused).await;
    broken.stop().await;
    let _mended = Server::start_at(address, &key, providing::<dyn n1::Shop>(Arc::new(n1::Corner)));
    within_seconds(async || shop.open(&cx).await == Ok(true)).await;
}

/// Asks again and again; a refusal is believed for two seconds.
async fn within_seconds(mut is_so: impl AsyncFnMut() -> bool) {
    let long = CONTRACT_RECHECK + Duration::from_secs(3);
    tokio::time::timeout(long, async {
        while !is_so().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await
    .unwrap();
}

/// Passes each connection on to whichever server it is told, as the one address of a whole deployment does.
struct Switch {
    address: SocketAddr,
    to: Arc<Mutex<SocketAddr>>,
}

impl Switch {
    async fn start(to: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, to) = (listener.local_addr().unwrap(), Arc::new(Mutex::new(to)));
        let target = Arc::clone(&to);
        tokio::spawn(async move {
            while let Ok((mut near, _)) = listener.accept().await {
                let target = *target.lock().unwrap();
                tokio::spawn(async move {
                    let mut far = TcpStream::connect(target).await.unwrap();
                    let _ = tokio::io::copy_bidirectional(&mut near, &mut far).await;
                });
            }
        });
        Self { address, to }
    }
}

#[tokio::test]
async fn another_build_behind_the_same_address_does_not_answer_for_the_first() {
    use n::Shop;
    let key = key();
    let good = Server::start(&key, providing::<dyn Shop>(Arc::new(n::Corner)));
    let added = Server::start(&key, providing::<dyn n1::Shop>(Arc::new(n1::Corner)));
    let bad = Server::start(&key, providing::<dyn n2::Shop>(Arc::new(n2::Corner)));
    let switch = Switch::start(good.address).await;
    let signer = Arc::new(ServiceSigner::new("tester", &key));
    let transport = HttpTransport::new("shop", &format!("http://{}", switch.address), signer).unwrap();
    let shop: ServiceClient<dyn Shop> = ServiceClient::remote(Arc::new(transport));
    let cx = CallContext::root();
    assert_eq!(shop.open(&cx).await, Ok(true));
    // No connection fails: each of the others is simply there when the next one is opened.
    let turn_to = async |server: &Server, from: &Server| {
        *switch.to.lock().unwrap() = server.address;
        from.stop().await;
        tokio::time::sleep(Duration::from_millis(200)).await;
    };
    turn_to(&added, &good).await;
    assert_eq!(shop.open(&cx).await, Ok(true), "compared again, and sent again");
    turn_to(&bad, &added).await;
    assert_eq!(shop.open(&cx).await, Err(n::ShopError::Call(price_refused())));
}

#[tokio::test]
async fn of_several_endpoints_those_that_agree_get_the_calls() {
    use n::Shop;
    let key = key();
    let good = Server::start(&key, providing::<dyn n1::Shop>(Arc::new(n1::Corner)));
    let bad = Server::start(&key, providing::<dyn n2::Shop>(Arc::new(n2::Corner)));
    let shop: ServiceClient<dyn Shop> = client(&key, &[&bad, &good]);
    let cx = CallContext::root();
    for _ in 0..20 {
        assert_eq!(shop.open(&cx).await, Ok(true));
    }
    assert_eq!((good.called(), bad.called()), (20, 0));
}

#[tokio::test]
async fn who_may_not_call_is_not_told_the_contract() {
    let (key, strangers) = (key(), key());
    let server = Server::start(&key, providing::<dyn n::Shop>(Arc::new(n::Corner)));
    let shop: ServiceClient<dyn n::Shop> = client(&strangers, &[&server]);
    let refused = n::Shop::open(&shop, &CallContext::root()).await;
    assert!(matches!(refused, Err(n::ShopError::Call(CallError::Refused { .. }))), "{refused:?}");
    let bare = reqwest::get(format!("http://{}/rpc/shop", server.address)).await.unwrap();
    assert_eq!(bare.status(), 403);
}

#[tokio::test]
async fn the_handshake_tells_which_database_the_callee_works_on() {
    use n::Shop;
    let key = key();
    let registry = providing::<dyn Shop>(Arc::new(n::Corner));
    registry.set_store("shop", "db-1");
    let server = Server::start(&key, registry);
    let transport = transport(&key, &[&server]);
    let shop: ServiceClient<dyn Shop> = ServiceClient::remote(transport.clone());
    assert_eq!(shop.open(&CallContext::root()).await, Ok(true));
    assert_eq!(transport.contract_state()[0].store.as_deref(), Some("db-1"));
}

#[tokio::test]
async fn the_topology_shows_what_came_of_the_handshake() {
    use n::Shop;
    let key = key();
    let server = Server::start(&key, providing::<dyn n2::Shop>(Arc::new(n2::Corner)));
    let way = transport(&key, &[&server]);
    let registry = Registry::builder()
        .service(SHOP)
        .place("shop", Placement::remote(format!("http://{}", server.address)))
        .transports(Arc::new(move |_, _| Ok(way.clone() as Arc<dyn Transport>)))
        .build()
        .unwrap();
    let told = || registry.topology().services.remove(0).contracts;
    assert_eq!(told(), []);
    assert!(registry.client::<dyn Shop>().open(&CallContext::root()).await.is_err());
    let contracts = told();
    assert_eq!(
        (contracts[0].state.as_str(), contracts[0].differences[0].field.as_str()),
        ("refused", "answer.price")
    );
}

/// Names the build that the other process is to be, and the file with the key of its caller.
const BUILD: &str = "SHOP_BUILD";
const KEY_FILE: &str = "SHOP_KEY_FILE";

/// Not a test of its own: what the other process of the next one runs.
#[tokio::test]
#[ignore = "is run by the test below, in a process of its own"]
async fn be_another_process() {
    let Ok(build) = std::env::var(BUILD) else { return };
    let pem = std::fs::read_to_string(std::env::var(KEY_FILE).unwrap()).unwrap();
    let key = KeyPair::from_private_pem(&pem).unwrap();
    let registry = match build.as_str() {
        "n1" => providing::<dyn n1::Shop>(Arc::new(n1::Corner)),
        _ => providing::<dyn n2::Shop>(Arc::new(n2::Corner)),
    };
    let server = Server::start(&key, registry);
    println!("listening on {}", server.address);
    std::future::pending::<()>().await;
}

/// Another build of the shop in a process of its own, ended when dropped, and where it listens.
struct OtherProcess(std::process::Child, String);

impl OtherProcess {
    fn start(build: &str, key_file: &std::path::Path) -> Self {
        use std::io::{BufRead, BufReader};
        let mut child = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--ignored", "--exact", "--nocapture", "skew::be_another_process"])
            .env(BUILD, build)
            .env(KEY_FILE, key_file)
            .stdout(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut said = lines.map_while(Result::ok);
        let address = said.find_map(|line| Some(line.split_once("listening on ")?.1.to_owned())).unwrap();
        Self(child, format!("http://{address}"))
    }
}

impl Drop for OtherProcess {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test]
async fn another_process_of_another_build_works_or_is_refused_by_name() {
    use n::Shop;
    let key = key();
    let file = std::env::temp_dir().join(format!("shop-{}.pem", uuid::Uuid::new_v4()));
    std::fs::write(&file, key.private_pem()).unwrap();
    let signer = Arc::new(ServiceSigner::new("tester", &key));
    let shop = |other: &OtherProcess| -> ServiceClient<dyn Shop> {
        let transport = HttpTransport::new("shop", &other.1, signer.clone()).unwrap();
        ServiceClient::remote(Arc::new(transport))
    };
    let cx = CallContext::root();
    let added = OtherProcess::start("n1", &file);
    assert_eq!(shop(&added).open(&cx).await, Ok(true));
    let broken = OtherProcess::start("n2", &file);
    assert_eq!(shop(&broken).open(&cx).await, Err(n::ShopError::Call(price_refused())));
    std::fs::remove_file(file).unwrap();
}
