//! Whether whoever asked is still there.
//!
//! actix answers a request to its end though its connection has been closed long ago: half-closed ones are legal.
//! Our callers close only when they give up, so we look at the connection beside it.

use std::any::Any;
use std::future::{Future, pending};
use std::net::TcpStream;
use std::os::fd::AsFd;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use actix_tls::accept::rustls_0_23::TlsStream;
use actix_web::HttpRequest;
use actix_web::dev::Extensions;
use futures_util::future::{Either, select};
use tracing::debug;

use crate::tls::services_named;

/// Work that takes less than this is not worth a look at who waits for it.
const LOOK_AFTER: Duration = Duration::from_millis(10);

/// A second handle on a caller's connection, which only looks, and only when there is reason to. Looking is the same
/// for a Unix socket as for TCP, so both are held as one.
#[derive(Clone)]
struct Connection(Arc<TcpStream>);

/// What the certificate of a caller says: which services it is, or that there is none.
#[derive(Default)]
pub(crate) struct Certified(pub Option<Vec<String>>);

/// Remembers the connection of each caller, and the certificate that came over it:
/// `HttpServer::on_connect(remember_connection)`. Without it nobody notices that a caller goes away, and nobody has
/// shown a certificate.
pub fn remember_connection(connection: &dyn Any, data: &mut Extensions) {
    if let Some(stream) = connection.downcast_ref::<tokio::net::TcpStream>() {
        watch(stream, data);
    } else if let Some(stream) = connection.downcast_ref::<tokio::net::UnixStream>() {
        watch(stream, data);
    } else if let Some(stream) = connection.downcast_ref::<TlsStream<tokio::net::TcpStream>>() {
        let (stream, session) = stream.get_ref();
        let certificate = session.peer_certificates().and_then(|chain| chain.first());
        data.insert(Certified(certificate.map(services_named)));
        watch(stream, data);
    }
}

fn watch(stream: &impl AsFd, data: &mut Extensions) {
    match stream.as_fd().try_clone_to_owned() {
        Ok(second) => drop(data.insert(Connection(Arc::new(second.into())))),
        Err(error) => debug!(%error, "Cannot watch a connection"),
    }
}

/// Looks whether the sender of one request is still there.
pub struct CallerWatch(Option<Connection>);

impl CallerWatch {
    pub fn of(request: &HttpRequest) -> Self {
        Self(request.conn_data::<Connection>().cloned())
    }

    /// The outcome of `work`, or nothing if the sender goes away before; then `work` is dropped.
    pub async fn unless_gone<T>(&self, work: impl Future<Output = T> + Unpin) -> Option<T> {
        let Some(Connection(stream)) = &self.0 else { return Some(work.await) };
        match select(work, pin!(gone(stream))).await {
            Either::Left((outcome, _)) => Some(outcome),
            Either::Right(_) => None,
        }
    }
}

async fn gone(stream: &TcpStream) {
    tokio::time::sleep(LOOK_AFTER).await;
    // The duplicate shares the state of the original, which does not block. Registered here and not before: each
    // request on the connection would wake it.
    let Ok(Ok(stream)) = stream.try_clone().map(tokio::net::TcpStream::from_std) else {
        return pending().await;
    };
    match stream.peek(&mut [0]).await {
        Ok(0) | Err(_) => {}
        // The next request is there already, so its sender is too.
        Ok(_) => pending().await,
    }
}
