//! Runs a callee under the rules that hold in every binding: its deadline, and a panic is an error.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::time::{Sleep, sleep_until};
use tracing::Span;

use crate::call::Call;
use crate::error::CallError;

/// A callee's future, watched.
///
/// A timer is registered only when the callee does not answer at its first poll: most local calls do, and
/// a timer costs more than such a call.
pub struct Guarded<'a, F> {
    callee: F,
    call: &'a Call<'a>,
    timer: Option<Pin<Box<Sleep>>>,
    span: Option<Span>,
}

/// Why a watched callee gave no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cut {
    /// Time ran out; the callee's future goes away with its guard.
    Deadline,
    Panic,
}

impl<'a, F> Guarded<'a, F> {
    /// Watches `callee` for `call`; it runs inside `span` if the trace is recorded.
    #[inline(always)]
    pub(crate) fn new(callee: F, call: &'a Call<'a>, span: Option<Span>) -> Self {
        Self { callee, call, timer: None, span }
    }
}

impl<F: Future + Unpin> Future for Guarded<'_, F> {
    type Output = Result<F::Output, CallError>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let _entered = this.span.as_ref().map(Span::enter);
        // The future is never polled again after a panic, so nobody sees what it left broken.
        match catch_unwind(AssertUnwindSafe(|| Pin::new(&mut this.callee).poll(task))) {
            Ok(Poll::Ready(answer)) => Poll::Ready(Ok(answer)),
            Ok(Poll::Pending) => {
                poll_timer(&mut this.timer, this.call, task).map(|cut| Err(this.call.name_cut(cut)))
            }
            Err(_) => Poll::Ready(Err(this.call.name_cut(Cut::Panic))),
        }
    }
}

#[cold]
fn poll_timer(timer: &mut Option<Pin<Box<Sleep>>>, call: &Call<'_>, task: &mut Context<'_>) -> Poll<Cut> {
    let timer = timer.get_or_insert_with(|| Box::pin(sleep_until(call.cx().deadline().into())));
    timer.as_mut().poll(task).map(|()| Cut::Deadline)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::binding::Kind;
    use crate::context::CallContext;
    use crate::contract::{Class, Method};
    use crate::edge::Edge;

    static METHOD: Method = Method {
        name: "guarded",
        class: Class::Read,
        dedupe: false,
        optional: false,
        arguments: &[],
        timeout: Duration::from_millis(20),
    };

    async fn outcome<F: Future + Unpin>(callee: F) -> Result<F::Output, CallError> {
        let edge = Edge::new(&"test".into(), "test", "guarded", Kind::Local);
        Call::open("test", &METHOD, Kind::Local, &edge, &CallContext::root()).run(callee).await
    }

    #[tokio::test]
    async fn a_callee_that_never_answers_is_cut_at_its_deadline() {
        let cut = outcome(std::future::pending::<()>()).await;
        assert_eq!(cut, Err(CallError::deadline_exceeded("test", "guarded")));
    }

    #[tokio::test]
    async fn a_panic_after_the_first_wait_is_caught_too() {
        let callee = Box::pin(async {
            tokio::task::yield_now().await;
            panic!("on purpose");
        });
        assert_eq!(
            outcome(callee).await,
            Err::<(), _>(CallError::Panicked { method: "test.guarded".to_owned() })
        );
    }
}
