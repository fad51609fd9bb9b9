//! One call from its first check to its last counter, the same for every binding.

use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::time::timeout_at;
use tracing::{Instrument, Span, error, info_span};

use crate::binding::Kind;
use crate::clock::Tick;
use crate::context::{CallContext, MAX_DEPTH};
use crate::contract::Method;
use crate::edge::Edge;
use crate::error::CallError;
use crate::guard::{Cut, Guarded};
use crate::permissions::Permissions;
use crate::transaction;
use crate::transport::Reply;

/// A call on its way: the callee's context, and where to count what becomes of it.
///
/// Made in one piece and then only lent out: a copy of it costs as much as reading the clock.
pub struct Call<'a> {
    service: &'static str,
    method: &'static Method,
    edge: &'a Edge,
    kind: Kind,
    started: Tick,
    closed: AtomicBool,
    cx: CallContext,
}

impl<'a> Call<'a> {
    /// A call for `caller`. The callee's context is a child of the caller's, with the method's own timeout
    /// as its upper bound.
    #[inline(always)]
    pub(crate) fn open(
        service: &'static str,
        method: &'static Method,
        kind: Kind,
        edge: &'a Edge,
        caller: &CallContext,
    ) -> Self {
        transaction::check(service, method.name);
        let started = Tick::now();
        let deadline = caller.deadline_tick().min(started + method.timeout);
        let cx = caller.child(deadline).inherit_repeats(caller, service, method);
        edge.begin();
        Self { service, method, edge, kind, started, closed: AtomicBool::new(false), cx }
    }

    /// A call that somebody has opened already, in another process or on its way there: `cx` is the callee's
    /// context, and the method's own timeout holds whatever time the caller granted. Not counted here yet.
    pub(crate) fn resume(
        service: &'static str,
        method: &'static Method,
        kind: Kind,
        edge: &'a Edge,
        cx: CallContext,
    ) -> Self {
        let started = Tick::now();
        let deadline = cx.deadline_tick().min(started + method.timeout);
        Self {
            service,
            method,
            edge,
            kind,
            started,
            closed: AtomicBool::new(true),
            cx: cx.with_tick(deadline).with_repeats(method.repeats_may_come()),
        }
    }

    /// The same call, counted on its edge from here to its end.
    pub(crate) fn counted(mut self) -> Self {
        self.edge.begin();
        *self.closed.get_mut() = false;
        self
    }

    /// The context that the callee gets.
    #[inline(always)]
    pub fn cx(&self) -> &CallContext {
        &self.cx
    }

    /// Where to count what is sent and repeated on the way.
    pub(crate) fn edge(&self) -> &Edge {
        self.edge
    }

    /// Why this call must not run at all, if it must not.
    #[inline(always)]
    pub fn refusal(&self) -> Option<CallError> {
        let too_late = self.cx.deadline_tick() <= self.started;
        if too_late {
            Some(CallError::deadline_exceeded(self.service, self.method.name))
        } else if self.cx.depth() > MAX_DEPTH {
            Some(CallError::DepthExceeded)
        } else if !self.edge.is_allowed() {
            Some(Permissions::refusal(self.service))
        } else {
            None
        }
    }

    pub(crate) fn unbound(&self) -> CallError {
        CallError::unavailable(self.service)
    }

    /// Runs the callee to its answer, its deadline or its panic.
    #[inline(always)]
    pub fn run<F: Future + Unpin>(&self, callee: F) -> Guarded<'_, F> {
        let span = if self.cx.is_sampled() { Some(self.span()) } else { None };
        Guarded::new(callee, self, span)
    }

    /// Runs a callee that must not be left half-way: in a task of its own, which a caller who goes away does not
    /// take along, cut only at the deadline.
    pub(crate) async fn detach<T: Send + 'static>(
        &self,
        callee: impl Future<Output = T> + Send + 'static,
    ) -> Result<T, CallError> {
        let span = if self.cx.is_sampled() { self.span() } else { Span::current() };
        let task = tokio::spawn(timeout_at(self.cx.deadline().into(), callee).instrument(span));
        match Guarded::new(task, self, None).await? {
            Ok(Ok(outcome)) => Ok(outcome),
            Ok(Err(_)) => Err(self.name_cut(Cut::Deadline)),
            // Nobody aborts it but a runtime that shuts down.
            Err(ended) if ended.is_panic() => Err(self.name_cut(Cut::Panic)),
            Err(_) => Err(CallError::unavailable(self.service)),
        }
    }

    /// Counts the outcome and hands it on.
    #[inline]
    pub fn close<A, E: From<CallError>>(&self, outcome: Result<Result<A, E>, CallError>) -> Result<A, E> {
        self.end();
        match outcome {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(refusal)) => {
                self.edge.count_error("refusal");
                Err(refusal)
            }
            Err(failure) => {
                self.edge.count_error(failure.kind());
                Err(failure.into())
            }
        }
    }

    /// Counts the outcome of a call answered for another process, and hands it on.
    pub(crate) fn close_reply(&self, outcome: Result<Reply, CallError>) -> Result<Reply, CallError> {
        self.end();
        match &outcome {
            Ok(Reply::Answer(_)) => {}
            Ok(Reply::Refusal(_)) => self.edge.count_error("refusal"),
            Err(failure) => self.edge.count_error(failure.kind()),
        }
        outcome
    }

    #[inline(always)]
    fn end(&self) {
        self.closed.store(true, Ordering::Relaxed);
        self.edge.end(self.started.elapsed());
    }

    /// Made for sampled traces only. The two halves of a remote call carry the same `traceparent`, and so are one span.
    #[cold]
    fn span(&self) -> Span {
        info_span!(
            "call",
            service = self.service,
            method = self.method.name,
            binding = self.kind.label(),
            request_id = %self.cx.request_id(),
            traceparent = ?self.cx.trace(),
        )
    }

    /// The error for a callee that was cut off.
    #[cold]
    pub(crate) fn name_cut(&self, cut: Cut) -> CallError {
        let (service, method) = (self.service, self.method.name);
        match cut {
            Cut::Deadline => CallError::deadline_exceeded(service, method),
            Cut::Panic => {
                // What it said is the panic hook's to print: it may hold what a log line must not.
                error!(service, method, request_id = %self.cx.request_id(), "Callee {service}.{method} panicked");
                CallError::Panicked { method: format!("{service}.{method}") }
            }
        }
    }
}

impl Drop for Call<'_> {
    /// A call that nobody closed was dropped with its caller.
    #[inline]
    fn drop(&mut self) {
        if !*self.closed.get_mut() {
            self.edge.drop_one();
        }
    }
}
