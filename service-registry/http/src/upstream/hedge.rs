//! A read that takes long is asked a second time, and the first good answer counts (Dean and Barroso 2013).

use std::future::Future;
use std::time::Duration;

use futures_util::future::{Either, select};
use tokio::time::timeout;

use super::retry::Sent;

/// `first`, or `second` beside it if there is no answer after `patience` and `may` allows one more.
pub(super) async fn hedged<F, S>(
    first: F,
    patience: Duration,
    may: impl FnOnce() -> bool,
    second: impl FnOnce() -> S,
) -> F::Output
where
    F: Future<Output = Sent>,
    S: Future<Output = Sent>,
{
    let mut first = Box::pin(first);
    if let Ok(answer) = timeout(patience, &mut first).await {
        return answer;
    }
    if !may() {
        return first.await;
    }
    match select(first, Box::pin(second())).await {
        Either::Left((answer, _)) | Either::Right((answer, _)) if is_good(&answer) => answer,
        Either::Left((_, second)) => second.await,
        Either::Right((_, first)) => first.await,
    }
}

fn is_good((answer, _): &Sent) -> bool {
    answer.as_ref().is_ok_and(|answer| !answer.status().is_server_error())
}
