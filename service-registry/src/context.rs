//! Everything a callee may know about the call it answers; nothing travels beside it.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::clock::{Anchor, Tick};
use crate::contract::Method;
use crate::ids::{Id, fresh_span_id};
use crate::trace::TraceContext;

/// Longest chain of calls; a longer one is services calling each other in a circle.
pub const MAX_DEPTH: u8 = 16;

/// Time a fresh request has when nobody said otherwise.
pub const DEFAULT_BUDGET: Duration = Duration::from_secs(15);

/// Who asks, in whose request, and how much time is left.
///
/// Cheap to clone. A callee gets a child of its caller's context: one deeper, with its own call id, and
/// never with more time.
#[derive(Clone)]
pub struct CallContext {
    shared: Arc<Shared>,
    deadline: Tick,
    call_id: Id,
    span_id: [u8; 8],
    depth: u8,
    retry_attempt: u8,
    /// Whether the request came from another process, which repeats it if anybody does.
    arrived: bool,
    repeats: Repeats,
}

/// Whether the sender of a call may send it again under the same id, so that its answer must be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Repeats {
    None,
    /// It is a whole request that may come again. The calls that it makes here are then the same again too.
    OfRequest,
    OfCall,
}

/// What all calls of one request have in common.
#[derive(Clone)]
struct Shared {
    request_id: Uuid,
    trace_id: [u8; 16],
    sampled: bool,
    caller: Option<Caller>,
    idempotency: Option<IdempotencyKey>,
    replayed: Arc<AtomicBool>,
    began: Anchor,
}

impl CallContext {
    /// The start of a new request: fresh ids, an unsampled trace, 15 seconds, nobody asking.
    pub fn root() -> Self {
        Self::of_request(Uuid::now_v7(), TraceContext::new(false))
    }

    /// The context of a request that has its ids already; otherwise as [`CallContext::root`].
    pub fn of_request(request_id: Uuid, trace: TraceContext) -> Self {
        let began = Anchor::now();
        let shared = Shared {
            request_id,
            trace_id: trace.trace_id,
            sampled: trace.sampled,
            caller: None,
            idempotency: None,
            replayed: Arc::default(),
            began,
        };
        Self {
            shared: Arc::new(shared),
            deadline: began.tick + DEFAULT_BUDGET,
            call_id: Id::fresh(),
            span_id: trace.span_id,
            depth: 0,
            retry_attempt: 0,
            arrived: false,
            repeats: Repeats::None,
        }
    }

    pub fn with_request_id(mut self, request_id: Uuid) -> Self {
        Arc::make_mut(&mut self.shared).request_id = request_id;
        self
    }

    pub fn with_trace(mut self, trace: TraceContext) -> Self {
        let shared = Arc::make_mut(&mut self.shared);
        shared.trace_id = trace.trace_id;
        shared.sampled = trace.sampled;
        self.span_id = trace.span_id;
        self
    }

    pub fn with_caller(mut self, caller: Caller) -> Self {
        Arc::make_mut(&mut self.shared).caller = Some(caller);
        self
    }

    pub fn with_idempotency(mut self, key: IdempotencyKey) -> Self {
        Arc::make_mut(&mut self.shared).idempotency = Some(key);
        self
    }

    pub fn with_deadline(mut self, deadline: Instant) -> Self {
        self.deadline = self.shared.began.tick_at(deadline);
        self
    }

    /// Sets the deadline to `remaining` from now.
    pub fn with_remaining(self, remaining: Duration) -> Self {
        self.with_tick(Tick::now() + remaining)
    }

    pub(crate) fn with_tick(mut self, deadline: Tick) -> Self {
        self.deadline = deadline;
        self
    }

    /// Where an incoming call stands: used by a transport's receiving side.
    pub fn with_position(mut self, call_id: Uuid, depth: u8, retry_attempt: u8) -> Self {
        self.call_id = call_id.into();
        self.depth = depth;
        self.retry_attempt = retry_attempt;
        self.arrived = true;
        self
    }

    /// The id that the user sees: the same in every call, log line and problem of one request.
    pub fn request_id(&self) -> Uuid {
        self.shared.request_id
    }

    pub fn trace(&self) -> TraceContext {
        TraceContext { trace_id: self.shared.trace_id, span_id: self.span_id, sampled: self.shared.sampled }
    }

    /// Whose wish this is; nobody's before login and in a module's own upkeep.
    pub fn caller(&self) -> Option<&Caller> {
        self.shared.caller.as_ref()
    }

    pub fn deadline(&self) -> Instant {
        self.shared.began.instant_at(self.deadline)
    }

    /// The deadline on the cheap clock.
    #[inline]
    pub(crate) fn deadline_tick(&self) -> Tick {
        self.deadline
    }

    /// Time left; zero when the deadline has passed.
    pub fn remaining(&self) -> Duration {
        self.deadline.saturating_duration_since(Tick::now())
    }

    /// How many calls lie between the start of the request and here.
    #[inline]
    pub fn depth(&self) -> u8 {
        self.depth
    }

    /// Names this call; a repeat of the same call after a lost answer carries the same id.
    pub fn call_id(&self) -> Uuid {
        self.call_id.uuid()
    }

    /// How often somebody above us has repeated this request already. Above zero, nobody below repeats:
    /// repeats of repeats would multiply.
    pub fn retry_attempt(&self) -> u8 {
        self.retry_attempt
    }

    /// The context of a request that its sender may send again under the same call id.
    ///
    /// The calls that answer it, one of a method at most, then have ids that a repeat has too; see
    /// [`CallContext::repeat_id`].
    pub fn of_repeatable_request(mut self) -> Self {
        self.repeats = Repeats::OfRequest;
        self
    }

    /// The id under which this call may come again after a lost answer. Whoever answers it keeps the answer under
    /// it, beside the effect, and gives the same one again. Nothing where no repeat can come, as in this process.
    pub fn repeat_id(&self) -> Option<Uuid> {
        (self.repeats != Repeats::None).then(|| self.call_id())
    }

    /// Whether a repeat of this call may come, by what its method declares.
    pub(crate) fn with_repeats(mut self, may_come: bool) -> Self {
        self.repeats = if may_come { Repeats::OfCall } else { Repeats::None };
        self
    }

    /// Gives a call that is made for a repeatable request the id that it will have the next time too.
    #[inline(always)]
    pub(crate) fn inherit_repeats(self, caller: &Self, service: &str, method: &Method) -> Self {
        if caller.repeats == Repeats::OfRequest && method.repeats_may_come() {
            self.known_again(caller.call_id, service, method.name)
        } else {
            self
        }
    }

    #[cold]
    fn known_again(mut self, request: Id, service: &str, method: &str) -> Self {
        self.call_id = request.derived([service, method]);
        self.repeats = Repeats::OfCall;
        self
    }

    /// Whether this request began in this process: then nobody above can repeat it, and we may.
    pub fn is_edge_most(&self) -> bool {
        !self.arrived
    }

    pub fn idempotency(&self) -> Option<&IdempotencyKey> {
        self.shared.idempotency.as_ref()
    }

    /// Says that the answer comes from the record of an earlier, equal request. Seen by every clone, by the
    /// caller and by its callers, over every binding.
    pub fn mark_replayed(&self) {
        self.shared.replayed.store(true, Ordering::Relaxed);
    }

    pub fn was_replayed(&self) -> bool {
        self.shared.replayed.load(Ordering::Relaxed)
    }

    #[inline(always)]
    pub(crate) fn is_sampled(&self) -> bool {
        self.shared.sampled
    }

    /// A context with the same contents and no memory shared with the first, as one that came over a wire.
    pub(crate) fn carried(&self) -> Self {
        let mut carried = Self::of_request(self.request_id(), self.trace())
            .with_position(self.call_id(), self.depth, self.retry_attempt)
            .with_deadline(self.deadline());
        let shared = Arc::make_mut(&mut carried.shared);
        shared.caller = self.caller().cloned();
        shared.idempotency = self.idempotency().cloned();
        carried
    }

    /// The context that the callee of one call gets.
    #[inline(always)]
    pub(crate) fn child(&self, deadline: Tick) -> Self {
        Self {
            shared: Arc::clone(&self.shared),
            deadline,
            call_id: Id::fresh(),
            span_id: if self.shared.sampled { fresh_span_id() } else { self.span_id },
            depth: self.depth.saturating_add(1),
            retry_attempt: self.retry_attempt,
            arrived: self.arrived,
            repeats: Repeats::None,
        }
    }
}

impl fmt::Debug for CallContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallContext")
            .field("request_id", &self.request_id())
            .field("call_id", &self.call_id())
            .field("trace", &self.trace())
            .field("depth", &self.depth)
            .field("caller", &self.caller())
            .finish_non_exhaustive()
    }
}

/// A user on whose behalf a call is made.
///
/// Its JSON form is the `act` claim of a delegated service token and leaves the proof out: what is read
/// back from there is delegated by definition, and a user's token is never written anywhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Caller {
    /// The user.
    pub subject: Uuid,
    /// The household that the user works in, if one is chosen.
    pub space: Option<Uuid>,
    /// The login session that the user's token belongs to.
    pub session: Option<Uuid>,
    pub role: String,
    pub scopes: Arc<[String]>,
    /// Why a callee may believe that this user asks.
    #[serde(skip)]
    pub proof: Proof,
}

/// Why a callee in another process may believe who asks.
#[derive(Clone, Default, PartialEq, Eq)]
pub enum Proof {
    /// The user's own access token; it travels beside the service token and is verified again.
    UserToken(Arc<str>),
    /// Background work of a module for a user whose token may have expired: the calling service vouches,
    /// with its own signature.
    #[default]
    Delegated,
}

impl fmt::Debug for Proof {
    /// Never shows the token.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::UserToken(_) => "UserToken(…)",
            Self::Delegated => "Delegated",
        })
    }
}

/// The client's `Idempotency-Key` and what it was used for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdempotencyKey {
    /// Method and route template, `POST /api/v1/imports`.
    pub route: String,
    pub key: String,
    /// SHA-256 of the canonical request in hex: the same key with another request is a mistake.
    pub fingerprint: String,
}
