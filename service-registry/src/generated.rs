//! What `#[service]` writes calls to; kept here so that the macro writes little.

use std::future::Future;
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::binding::{Binding, Chosen, Kind, Split};
pub use crate::call::Call;
use crate::client::ServiceClient;
use crate::context::CallContext;
use crate::contract::{Contract, Document, Part, SeamError, Shapes};
use crate::error::CallError;
use crate::policy::{Bulkhead, KeptPlace, Place};
use crate::transport::{Outgoing, Reply, Transport};

pub use bytes::Bytes;
pub use futures_util::future::BoxFuture;

/// What a call runs on; kept until the call ends, whatever the client is bound to by then.
pub struct Bound<T: Contract + ?Sized>(crate::client::Bound<T>);

/// Who answers a call, if anybody does.
pub enum Route<'a, T: ?Sized> {
    Local(&'a Arc<T>, &'a Bulkhead),
    Sent(Way),
    Unbound,
}

/// A transport that a call takes, and the side that it counts for.
pub struct Way {
    transport: Arc<dyn Transport>,
    kind: Kind,
}

impl Way {
    fn new(transport: &Arc<dyn Transport>, kind: Kind) -> Self {
        Self { transport: Arc::clone(transport), kind }
    }
}

/// Takes hold of the client's binding as it is now.
#[inline]
pub fn bound<T: Contract + ?Sized>(client: &ServiceClient<T>) -> Bound<T> {
    Bound(client.binding())
}

impl<T: Contract + ?Sized> Bound<T> {
    /// Who answers a call of the method with this index in the contract.
    #[inline(always)]
    pub fn route(&self, index: usize, cx: &CallContext) -> Route<'_, T> {
        match &**self.0 {
            Binding::Local(service, bulkhead) => Route::Local(service, bulkhead),
            Binding::Remote(transport) => Route::Sent(Way::new(transport, Kind::Remote)),
            Binding::Split(split) => choose(split, index, cx),
            Binding::Unbound => Route::Unbound,
        }
    }
}

fn choose<'a, T: Contract + ?Sized>(split: &'a Split<T>, index: usize, cx: &CallContext) -> Route<'a, T> {
    match split.choose(index, cx) {
        Chosen::Local => Route::Local(&split.service, &split.bulkhead),
        Chosen::Compared(transport) => Route::Sent(Way::new(transport, Kind::Local)),
        Chosen::Remote(transport) => Route::Sent(Way::new(transport, Kind::Remote)),
    }
}

/// Opens a call of the method with this index in the contract.
#[inline(always)]
pub fn open<'a, T: Contract + ?Sized>(
    client: &'a ServiceClient<T>,
    route: &Route<'_, T>,
    index: usize,
    cx: &CallContext,
) -> Call<'a> {
    let kind = match route {
        Route::Local(..) => Kind::Local,
        Route::Sent(way) => way.kind,
        Route::Unbound => Kind::Unbound,
    };
    Call::open(T::NAME, &T::METHODS[index], kind, client.edges().edge(index, kind), cx)
}

/// Waits for a place among the calls to a local service, when none was free at once.
#[cold]
pub async fn queue<'a>(call: &Call<'_>, bulkhead: &'a Bulkhead) -> Result<Place<'a>, CallError> {
    call.run(Box::pin(bulkhead.enter())).await.flatten()
}

/// Runs a write in a task of its own: once begun it ends by itself, whether or not its caller is still there. Its
/// deadline holds all the same.
pub async fn complete<A, E>(
    call: &Call<'_>,
    place: KeptPlace,
    callee: impl Future<Output = Result<A, E>> + Send + 'static,
) -> Result<Result<A, E>, CallError>
where
    A: Send + 'static,
    E: Send + 'static,
{
    call.detach(async move {
        let _place = place;
        callee.await
    })
    .await
}

/// Ends a call that must not run.
#[cold]
pub fn refuse<A, E: SeamError>(call: &Call<'_>, refusal: CallError) -> Result<A, E> {
    call.close(Err(refusal))
}

/// Ends a call that nobody answers.
#[cold]
pub fn unbound<A, E: SeamError>(call: &Call<'_>) -> Result<A, E> {
    refuse(call, call.unbound())
}

/// Sends the call away and reads what comes back.
pub async fn send<T, A, E>(
    call: &Call<'_>,
    way: Way,
    index: usize,
    arguments: &(impl Serialize + Sync),
) -> Result<A, E>
where
    T: Contract + ?Sized,
    A: DeserializeOwned,
    E: SeamError,
{
    let reply = match encode(arguments) {
        Ok(arguments) => {
            call.edge().count_request(arguments.len());
            let (method, retries) = (&T::METHODS[index], call.edge().retries());
            let outgoing = Outgoing {
                contract: T::document,
                version: T::VERSION,
                service: T::NAME,
                method,
                cx: call.cx(),
                arguments,
                retries,
            };
            let sent = call.run(way.transport.call(outgoing)).await;
            sent.and_then(|reply| reply.map_err(CallError::from))
        }
        Err(failure) => Err(failure),
    };
    call.edge().count_answer(reply.as_ref().map_or(0, Reply::size_bytes));
    call.close(reply.and_then(decode_reply))
}

fn decode_reply<A: DeserializeOwned, E: SeamError>(reply: Reply) -> Result<Result<A, E>, CallError> {
    Ok(match reply {
        Reply::Answer(body) => Ok(decode(&body, "answer")?),
        Reply::Refusal(body) => Err(decode(&body, "refusal")?),
    })
}

/// Writes the callee's outcome for the wire.
pub fn encode_reply<A: Serialize, E: SeamError>(outcome: Result<A, E>) -> Result<Reply, CallError> {
    match outcome {
        Ok(answer) => encode(&answer).map(Reply::Answer),
        Err(refusal) => encode(&refusal).map(Reply::Refusal),
    }
}

/// Reads the arguments, a tuple written as a JSON array.
pub fn decode_arguments<A: DeserializeOwned>(arguments: &[u8]) -> Result<A, CallError> {
    decode(arguments, "arguments")
}

/// The contract of `T` as data, from what `add` says of each method.
pub fn describe<T: Contract + ?Sized>(add: impl FnOnce(&mut Shapes)) -> Document {
    crate::contract::describe::<T>(add)
}

/// Reads one part of a call as the type it has and writes it again.
pub fn recode<Arguments, A, E>(part: Part, json: &[u8]) -> Result<Bytes, CallError>
where
    Arguments: Serialize + DeserializeOwned,
    A: Serialize + DeserializeOwned,
    E: SeamError,
{
    match part {
        Part::Arguments => encode(&decode::<Arguments>(json, "arguments")?),
        Part::Answer => encode(&decode::<A>(json, "answer")?),
        Part::Refusal => encode(&decode::<E>(json, "refusal")?),
    }
}

/// Said for an index that is not in the contract; only a hand-written dispatcher can ask for one.
pub fn no_such_method(service: &str, index: usize) -> CallError {
    CallError::protocol(format!("service {service} has no method number {index}"))
}

fn encode(value: &impl Serialize) -> Result<Bytes, CallError> {
    serde_json::to_vec(value)
        .map(Bytes::from)
        .map_err(|error| CallError::protocol(format!("cannot be written as JSON: {error}")))
}

/// The error names the place, never the value: values are a user's data, and errors are logged.
fn decode<A: DeserializeOwned>(body: &[u8], what: &str) -> Result<A, CallError> {
    serde_json::from_slice(body).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        CallError::protocol(format!("{what} cannot be read: {:?} error at {line}:{column}", error.classify()))
    })
}

/// Compiles only for errors that a service method may have.
pub fn error_can_travel<E: SeamError>() {}
