//! One round trip: something is asked, written, sent, read, answered, and comes back the same way.

use std::time::Duration;

use futures_util::future::BoxFuture;
use service_registry::{CallContext, ServiceClient};
use uuid::Uuid;

use crate::codec::Codec;
use crate::ledger::{Account, Ledger};
use crate::server::Way;

/// Makes one round trip each time; says whether the right answer came.
pub type Trip = Box<dyn Fn() -> BoxFuture<'static, bool>>;

/// Rows of a page.
pub const PAGE: u32 = 200;

/// A row for an id.
pub fn row<C: Codec>(way: &Way) -> Trip {
    let (http, url) = (way.http.clone(), format!("{}/row/{}", way.base, C::NAME));
    Box::new(move || {
        let asked = Uuid::from_u128(1);
        let sent = http.post(&url).body(C::write(&(asked,))).send();
        Box::pin(async move {
            let Ok(answer) = sent.await else { return false };
            answer.bytes().await.is_ok_and(|body| C::read::<Account>(&body).id == asked)
        })
    })
}

/// A page of rows.
pub fn page<C: Codec>(way: &Way) -> Trip {
    let (http, url) = (way.http.clone(), format!("{}/page/{}", way.base, C::NAME));
    Box::new(move || {
        let sent = http.post(&url).body(C::write(&(PAGE,))).send();
        Box::pin(async move {
            let Ok(answer) = sent.await else { return false };
            answer.bytes().await.is_ok_and(|body| C::read::<Vec<Account>>(&body).len() == PAGE as usize)
        })
    })
}

/// The same row by a whole call: token, deadline, contract, policies and counters.
pub fn called_row(client: ServiceClient<dyn Ledger>) -> Trip {
    let cx = one_request();
    Box::new(move || {
        let (client, cx) = (client.clone(), cx.clone());
        Box::pin(async move { client.account(&cx, Uuid::from_u128(1)).await.is_ok() })
    })
}

/// The same page by a whole call.
pub fn called_page(client: ServiceClient<dyn Ledger>) -> Trip {
    let cx = one_request();
    Box::new(move || {
        let (client, cx) = (client.clone(), cx.clone());
        Box::pin(async move { client.page(&cx, PAGE).await.is_ok_and(|rows| rows.len() == PAGE as usize) })
    })
}

/// One request makes many calls; what it costs to begin one is not the price of a call.
fn one_request() -> CallContext {
    CallContext::root().with_remaining(Duration::from_secs(600))
}
