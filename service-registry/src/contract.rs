//! What `#[service]` knows of a trait: its name, its version, its methods and the shapes of their types.

mod accept;
mod compare;
mod document;
mod offer;
mod shape;
mod shapes;

use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::context::CallContext;
use crate::error::CallError;
use crate::transport::Reply;
pub use compare::{Agreement, Difference, compare};
pub use document::{Argument, Document, MethodShape, Types};
pub use offer::{ContractState, Offer};
#[cfg(feature = "testing")]
pub(crate) use shape::{choices, largest, resolve, smallest, words};
pub use shapes::Shapes;
pub(crate) use shapes::describe;

/// Time one hop has when its method does not say otherwise.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(3);

/// Implemented by `#[service]` for `dyn Trait`; never by hand.
pub trait Contract: Send + Sync + 'static {
    const NAME: &'static str;
    const VERSION: u32;
    /// In the order of the trait; an index into this list is how generated code names a method.
    const METHODS: &'static [Method];

    /// Reads `arguments` (a JSON array), calls the method with this index and writes its answer.
    fn dispatch<'a>(
        &'a self,
        method: usize,
        cx: &'a CallContext,
        arguments: &'a [u8],
    ) -> BoxFuture<'a, Result<Reply, CallError>>;

    /// The contract as data. Made when it is first asked for, and then kept.
    fn document() -> &'static Document;

    /// Reads one part of a call and writes it again: what comes out equals what went in, or a type loses
    /// something on the wire. For tests.
    fn recode(method: usize, part: Part, json: &[u8]) -> Result<Bytes, CallError>;
}

/// What crosses the wire in one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    Arguments,
    Answer,
    Refusal,
}

/// One method of a contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Method {
    pub name: &'static str,
    pub class: Class,
    /// Whether the callee keeps its answers beside their effects and knows a repeat by its call id, so that what
    /// acts once may be repeated after a lost answer.
    pub dedupe: bool,
    /// Whether callers go on where a callee does not have it yet: calls of it fail, all others work.
    pub optional: bool,
    /// The names of its arguments, after the context.
    pub arguments: &'static [&'static str],
    /// Longest time one call may take, whatever its caller still has.
    pub timeout: Duration,
}

impl Method {
    /// Whether a caller elsewhere repeats this after a lost answer, so that the first answer is worth keeping.
    pub(crate) fn repeats_may_come(&self) -> bool {
        self.class == Class::Idempotent || self.dedupe
    }
}

/// What a repeat of a call does, and so who may repeat it when.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// Changes nothing: may be repeated at will.
    Read,
    /// Carries its own id: a repeat has no second effect.
    Idempotent,
    /// A repeat could act twice: repeated only when nothing was sent, or where the callee knows repeats.
    Once,
}

/// What a service's error type must be able to do: hold a [`CallError`] and travel.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the error of a service method",
    note = "it must be `From<CallError> + Clone + Serialize + DeserializeOwned + JsonSchema + Send + Sync + 'static`: add a variant `Call(#[from] CallError)` and derive the rest"
)]
pub trait SeamError:
    From<CallError> + Clone + Serialize + DeserializeOwned + JsonSchema + Send + Sync + 'static
{
}

impl<E> SeamError for E where
    E: From<CallError> + Clone + Serialize + DeserializeOwned + JsonSchema + Send + Sync + 'static
{
}
