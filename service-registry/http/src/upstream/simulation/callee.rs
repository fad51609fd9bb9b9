//! What is below the calling side: a callee with bad days, who also looks at what reaches it.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::stream;
use http::{Extensions, StatusCode};
use reqwest::{Body, Request, Response};
use reqwest_middleware::{Middleware, Next, Result};
use service_registry::policy::{Dice, RetryRules};
use tokio::time::{Instant, sleep};

use super::Kind;
use crate::wire::DEADLINE_MS;

/// The header that names a call; a repeat has the same.
pub(super) const CALL: &str = "x-call";

/// The budget looks ten seconds back at least and eleven at most, and a repeat is sent up to a tenth of a second after it
/// was paid.
const REPEATS_WITHIN: Duration = Duration::from_millis(9_900);
const PAID_WITHIN: Duration = Duration::from_millis(11_100);

/// Failures in a row that open a breaker, and the least time for which it is open then.
const OPENS_AFTER: u32 = 7;
const LEAST_OPEN: Duration = Duration::from_millis(500);

/// What must not be seen.
#[derive(Debug, thiserror::Error)]
pub(super) enum Fault {
    #[error("{repeats} repeats in ten seconds, paid by {calls} calls, after {at:?}")]
    RepeatsUnpaid { repeats: usize, calls: usize, at: Duration },
    #[error("it keeps failing and was asked again after {since_last:?}, after {at:?}")]
    NotLeftAlone { since_last: Duration, at: Duration },
    #[error("call {id} happened twice")]
    HappenedTwice { id: u64 },
    #[error("call {id} was answered and not done")]
    AnsweredWithoutEffect { id: u64 },
    #[error("call {id} was done and is said not to have been sent")]
    SaidUnsent { id: u64 },
    #[error("call {id} was sent beyond its deadline")]
    Late { id: u64 },
    #[error("call {id} was sent with more time than it has")]
    MoreTimeThanThereIs { id: u64 },
    #[error("long after the last fault {0}")]
    StaysBad(&'static str),
}

/// When which call arrived.
#[derive(Debug, PartialEq)]
pub(super) struct Story(pub(super) Vec<(Duration, u64)>);

/// How it is for a while.
#[derive(Clone, Copy)]
enum Weather {
    Fine,
    Shaky,
    /// Nobody listens.
    Dead,
    /// Whatever it does, it fails.
    Broken,
    Busy,
    /// Nobody answers.
    Silent,
}

impl Weather {
    const ALL: [Self; 7] =
        [Self::Fine, Self::Shaky, Self::Shaky, Self::Dead, Self::Broken, Self::Busy, Self::Silent];
}

/// What becomes of one attempt.
#[derive(Clone, Copy)]
enum Fate {
    Answers,
    Unreachable,
    /// The work was not done.
    Declined(StatusCode),
    /// The work was done, and this is said in place of the answer.
    Lost(StatusCode),
    BreaksOff,
    Silent,
}

impl Fate {
    fn draw(weather: Weather, dice: &mut Dice) -> Self {
        match weather {
            Weather::Shaky if dice.below(3) == 0 => [
                Self::Unreachable,
                Self::Declined(StatusCode::SERVICE_UNAVAILABLE),
                Self::Declined(StatusCode::TOO_MANY_REQUESTS),
                Self::Lost(StatusCode::BAD_GATEWAY),
                Self::BreaksOff,
                Self::Silent,
            ][dice.below(6)],
            Weather::Fine | Weather::Shaky => Self::Answers,
            Weather::Dead => Self::Unreachable,
            Weather::Broken => [
                Self::Declined(StatusCode::INTERNAL_SERVER_ERROR),
                Self::Lost(StatusCode::SERVICE_UNAVAILABLE),
                Self::BreaksOff,
            ][dice.below(3)],
            Weather::Busy => Self::Declined(StatusCode::TOO_MANY_REQUESTS),
            Weather::Silent => Self::Silent,
        }
    }

    fn does_the_work(self) -> bool {
        !matches!(self, Self::Unreachable | Self::Declined(_))
    }

    fn is_failure(self) -> bool {
        match self {
            Self::Answers => false,
            Self::Declined(status) | Self::Lost(status) => status.is_server_error(),
            Self::Unreachable | Self::BreaksOff | Self::Silent => true,
        }
    }
}

pub(super) struct Callee {
    promised: RetryRules,
    knows_repeats: bool,
    seen: Mutex<Seen>,
}

struct Call {
    kind: Kind,
    deadline: Instant,
    has_place: bool,
    attempts: u32,
    effects: u32,
}

struct Seen {
    dice: Dice,
    began: Instant,
    weather: (Weather, Instant),
    /// Whether there is an end to bad days.
    well: bool,
    calls: BTreeMap<u64, Call>,
    begun: Vec<Instant>,
    repeats: Vec<Instant>,
    log: Vec<(Duration, u64)>,
    /// Counts what happens.
    events: u64,
    streak: Streak,
    fault: Option<Fault>,
}

/// Failures since the last success, of attempts that began after it: no fewer were seen by the breaker.
#[derive(Default)]
struct Streak {
    since: u64,
    failures: u32,
    /// The last arrival of those that a breaker should keep away, but for a probe.
    last: Option<Instant>,
}

impl Callee {
    pub(super) fn new(seed: u64, promised: RetryRules, knows_repeats: bool) -> Self {
        let now = Instant::now();
        let seen = Seen {
            dice: Dice::seeded(seed),
            began: now,
            weather: (Weather::Fine, now),
            well: false,
            calls: BTreeMap::new(),
            begun: Vec::new(),
            repeats: Vec::new(),
            log: Vec::new(),
            events: 0,
            streak: Streak::default(),
            fault: None,
        };
        Self { promised, knows_repeats, seen: Mutex::new(seen) }
    }

    /// Never answers.
    pub(super) fn silent(promised: RetryRules) -> Self {
        let callee = Self::new(0, promised, true);
        callee.seen().weather = (Weather::Silent, Instant::now() + Duration::from_secs(3600));
        callee
    }

    /// Is told of a call that begins.
    pub(super) fn expect(&self, id: u64, kind: Kind, deadline: Instant) {
        let call = Call { kind, deadline, has_place: false, attempts: 0, effects: 0 };
        self.seen().calls.insert(id, call);
    }

    /// Is told that a request is made for a call: the first time, the call has come through the bulkhead and pays.
    pub(super) fn has_place(&self, id: u64) {
        let mut seen = self.seen();
        let call = seen.calls.get_mut(&id).expect("a call is announced");
        if !std::mem::replace(&mut call.has_place, true) {
            seen.begun.push(Instant::now());
        }
    }

    /// How often the work of a call was done.
    pub(super) fn effects(&self, id: u64) -> u32 {
        self.seen().calls[&id].effects
    }

    /// From now on everything goes well.
    pub(super) fn get_well(&self) {
        self.seen().well = true;
    }

    pub(super) fn story(&self) -> std::result::Result<Story, Fault> {
        let mut seen = self.seen();
        match seen.fault.take() {
            Some(fault) => Err(fault),
            None => Ok(Story(std::mem::take(&mut seen.log))),
        }
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks at an attempt that arrives, and decides on what becomes of it and when.
    fn arrive(&self, id: u64, time_left: Duration) -> (u64, Fate, Duration) {
        let mut seen = self.seen();
        let (seen, now) = (&mut *seen, Instant::now());
        seen.events += 1;
        seen.log.push((now - seen.began, id));
        let weather = seen.weather(now);
        let fate = Fate::draw(weather, &mut seen.dice);
        let slowest_ms = if matches!(weather, Weather::Shaky) { 300 } else { 20 };
        let latency = Duration::from_millis(seen.dice.throw() % slowest_ms);
        let call = seen.calls.get_mut(&id).expect("a call is announced");
        call.attempts += 1;
        if call.attempts > 1 {
            seen.repeats.push(now);
        }
        if fate.does_the_work() {
            let known = call.kind == Kind::OnceKnown && call.effects > 0 && self.knows_repeats;
            call.effects += u32::from(!known);
        }
        let found =
            [seen.unpaid(self.promised, now), seen.not_left_alone(now), seen.wrong(id, time_left, now)];
        seen.fault = seen.fault.take().or(found.into_iter().flatten().next());
        (seen.events, fate, latency)
    }

    fn leave(&self, arrived: u64, failed: bool) {
        let mut seen = self.seen();
        seen.events += 1;
        match failed {
            false => seen.streak = Streak { since: seen.events, ..Streak::default() },
            true if arrived > seen.streak.since => seen.streak.failures += 1,
            true => {}
        }
    }
}

impl Seen {
    fn weather(&mut self, now: Instant) -> Weather {
        if self.well {
            return Weather::Fine;
        }
        if now >= self.weather.1 {
            let until = now + Duration::from_millis(200 + self.dice.throw() % 3000);
            self.weather = (Weather::ALL[self.dice.below(Weather::ALL.len())], until);
        }
        self.weather.0
    }

    /// Repeats of any ten seconds are paid by their calls and the floor.
    fn unpaid(&self, RetryRules { percent, floor_per_s }: RetryRules, now: Instant) -> Option<Fault> {
        let within = |all: &[Instant], back| all.iter().rev().take_while(|at| now - **at < back).count();
        let (repeats, calls) = (within(&self.repeats, REPEATS_WITHIN), within(&self.begun, PAID_WITHIN));
        let paid = calls * percent as usize + 1000 * floor_per_s as usize;
        (repeats * 100 > paid).then(|| Fault::RepeatsUnpaid { repeats, calls, at: now - self.began })
    }

    /// Once it has failed so often, there is a probe at a time.
    fn not_left_alone(&mut self, now: Instant) -> Option<Fault> {
        if self.streak.failures < OPENS_AFTER {
            return None;
        }
        let since_last = now - self.streak.last.replace(now)?;
        (since_last < LEAST_OPEN).then(|| Fault::NotLeftAlone { since_last, at: now - self.began })
    }

    /// What no attempt of any call may do.
    fn wrong(&self, id: u64, time_left: Duration, now: Instant) -> Option<Fault> {
        let call = &self.calls[&id];
        if call.kind != Kind::Read && call.effects > 1 {
            return Some(Fault::HappenedTwice { id });
        }
        if now >= call.deadline {
            return Some(Fault::Late { id });
        }
        (now + time_left > call.deadline).then_some(Fault::MoreTimeThanThereIs { id })
    }
}

#[async_trait]
impl Middleware for Callee {
    async fn handle(
        &self,
        mut request: Request,
        extensions: &mut Extensions,
        next: Next<'_>,
    ) -> Result<Response> {
        let number = |name: &str| request.headers().get(name)?.to_str().ok()?.parse().ok();
        let (Some(id), Some(left_ms)) = (number(CALL), number(DEADLINE_MS.written.as_str())) else {
            panic!("every request names its call and its time");
        };
        let (arrived, fate, latency) = self.arrive(id, Duration::from_millis(left_ms));
        sleep(latency).await;
        let answer = match fate {
            Fate::Answers => Ok(says(StatusCode::OK)),
            Fate::Declined(status) | Fate::Lost(status) => Ok(says(status)),
            Fate::BreaksOff => Ok(breaks_off()),
            Fate::Silent => std::future::pending().await,
            Fate::Unreachable => {
                *request.url_mut() = "http://nobody.test".parse().expect("it is a url");
                next.run(request, extensions).await
            }
        };
        self.leave(arrived, fate.is_failure());
        answer
    }
}

fn says(status: StatusCode) -> Response {
    let mut response = http::Response::new(Body::from("{}"));
    *response.status_mut() = status;
    response.into()
}

fn breaks_off() -> Response {
    let parts = [Ok("{"), Err(io::Error::from(io::ErrorKind::ConnectionReset))];
    http::Response::new(Body::wrap_stream(stream::iter(parts))).into()
}
