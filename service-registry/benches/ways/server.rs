//! The other side: the same answers over every wire and in every codec.

use std::path::PathBuf;
use std::sync::Arc;

use actix_web::web::{self, Bytes, ServiceConfig};
use actix_web::{App, HttpResponse, HttpServer};
use reqwest::{Client, ClientBuilder};
use service_registry::ServiceClient;
use service_registry_http::rpc_routes;
use tempfile::TempDir;
use uuid::Uuid;

use crate::callee::Callee;
use crate::codec::{Cbor, Codec, Json, MessagePack, Postcard};
use crate::ledger::{Ledger, account, rows};

/// One server for all, so that all contend for the same threads.
pub struct Server {
    callee: Callee,
    tcp: String,
    #[cfg(feature = "http2")]
    http2: String,
    socket: PathBuf,
    _directory: TempDir,
}

/// How to get there.
pub struct Way {
    pub name: &'static str,
    pub http: Client,
    pub base: String,
}

impl Server {
    pub fn start() -> Self {
        let directory = TempDir::new().expect("a temporary directory");
        let socket = directory.path().join("bench.sock");
        let callee = Callee::new();
        let (registry, auth) = (callee.registry.clone(), Arc::clone(&callee.auth));
        let server = HttpServer::new(move || {
            App::new()
                .configure(rpc_routes(&registry, &auth))
                .configure(mount::<Json>)
                .configure(mount::<MessagePack>)
                .configure(mount::<Cbor>)
                .configure(mount::<Postcard>)
        });
        // Without it the frames of HTTP/2 wait for one another's acknowledgement, 44 ms a page.
        let server = server.workers(2).disable_signals().tcp_nodelay(true);
        let server = server.bind(("127.0.0.1", 0)).expect("a port");
        #[cfg(feature = "http2")]
        let server = server.bind_auto_h2c(("127.0.0.1", 0)).expect("a port");
        let bound = server.addrs();
        let server = server.bind_uds(&socket).expect("a socket");
        tokio::spawn(server.run());
        Self {
            callee,
            tcp: format!("http://{}", bound[0]),
            #[cfg(feature = "http2")]
            http2: format!("http://{}", bound[1]),
            socket,
            _directory: directory,
        }
    }

    /// The floor.
    pub fn tcp(&self) -> Way {
        way("TCP", &self.tcp, |client| client)
    }

    /// Whole calls over the same two wires.
    pub fn calls(&self) -> [(&'static str, ServiceClient<dyn Ledger>); 2] {
        let socket = format!("unix://{}", self.socket.display());
        [("call, TCP", &self.tcp), ("call, Unix socket", &socket)]
            .map(|(name, url)| (name, self.callee.client(url)))
    }

    /// The floor and the others.
    pub fn ways(&self) -> impl Iterator<Item = Way> {
        let unix = way("Unix socket", "http://localhost", |client| client.unix_socket(self.socket.as_path()));
        let ways = [self.tcp(), unix].into_iter();
        #[cfg(feature = "http2")]
        let ways = ways.chain([way("HTTP/2", &self.http2, ClientBuilder::http2_prior_knowledge)]);
        ways
    }
}

fn way(name: &'static str, base: &str, reach: impl FnOnce(ClientBuilder) -> ClientBuilder) -> Way {
    let http = reach(Client::builder().no_proxy()).build().expect("a client");
    Way { name, http, base: base.to_owned() }
}

fn mount<C: Codec>(config: &mut ServiceConfig) {
    config
        .route(&format!("/row/{}", C::NAME), web::post().to(row::<C>))
        .route(&format!("/page/{}", C::NAME), web::post().to(page::<C>));
}

async fn row<C: Codec>(body: Bytes) -> HttpResponse {
    let (id,): (Uuid,) = C::read(&body);
    HttpResponse::Ok().body(C::write(&account(id)))
}

async fn page<C: Codec>(body: Bytes) -> HttpResponse {
    let (count,): (u32,) = C::read(&body);
    HttpResponse::Ok().body(C::write(&rows(count)))
}
