//! A read that takes long is asked a second time, and the first good answer counts (Dean and Barroso 2013).

use std::future::Future;
use std::time::Duration;

use futures_util::future::{Either, select};
use reqwest::Response;
use reqwest_middleware::Result;
use tokio::time::timeout;

/// Whose answer it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    First,
    Second,
}

/// `first`, or `second` beside it if there is no answer after `patience` and `may` allows one more.
pub(super) async fn hedged<F, S>(
    first: F,
    patience: Duration,
    may: impl FnOnce() -> bool,
    second: impl FnOnce() -> S,
) -> (Result<Response>, Side)
where
    F: Future<Output = Result<Response>>,
    S: Future<Output = Result<Response>>,
{
    let mut first = Box::pin(first);
    if let Ok(answer) = timeout(patience, &mut first).await {
        return (answer, Side::First);
    }
    if !may() {
        return (first.await, Side::First);
    }
    match select(first, Box::pin(second())).await {
        Either::Left((answer, _)) if is_good(&answer) => (answer, Side::First),
        Either::Right((answer, _)) if is_good(&answer) => (answer, Side::Second),
        Either::Left((_, second)) => (second.await, Side::Second),
        Either::Right((_, first)) => (first.await, Side::First),
    }
}

fn is_good(answer: &Result<Response>) -> bool {
    answer.as_ref().is_ok_and(|answer| !answer.status().is_server_error())
}
