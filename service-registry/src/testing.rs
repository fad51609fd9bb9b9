//! For tests: a binding as far away as another process without one, and (feature `testing`) a network that fails.

#[cfg(feature = "testing")]
mod contract;
#[cfg(feature = "testing")]
mod faults;

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;

use crate::client::ServiceClient;
use crate::contract::{Contract, Part};
use crate::dispatch::{Dispatch, Dispatcher};
use crate::error::CallError;
use crate::permissions::Permissions;
use crate::service::ServiceDescriptor;
use crate::transport::{Outgoing, Reply, Transport, Unanswered};
#[cfg(feature = "testing")]
pub use contract::{Change, WRITE, change, contract_holds, shapes_are_true};
#[cfg(feature = "testing")]
pub use faults::{Fault, FaultPlan, FaultProxy};

/// Local, but serialised: every argument and answer goes through JSON and back, in a task of its own, with
/// a context made from nothing but what a wire carries.
///
/// A value that is not the same after the wire as before, or (feature `testing`) not as its contract says, ends the call with [`CallError::Protocol`]:
/// `encode(decode(x))` must be `x`, byte for byte.
pub struct Serialised {
    callee: Arc<dyn Dispatch>,
    caller: Option<(&'static str, Permissions)>,
}

impl Serialised {
    pub fn new(callee: Arc<dyn Dispatch>) -> Self {
        Self { callee, caller: None }
    }

    /// Refuses, as a wire does, every call that `caller` has not listed among its own.
    pub fn of(caller: &ServiceDescriptor, callee: Arc<dyn Dispatch>) -> Self {
        let listed = Permissions::of(&[*caller], &[]);
        Self { callee, caller: Some((caller.name, listed)) }
    }

    /// A client of `service` over this binding.
    pub fn client<T: Contract + ?Sized>(service: Arc<T>) -> ServiceClient<T> {
        ServiceClient::remote(Arc::new(Self::new(Arc::new(Dispatcher::new(service)))))
    }

    fn check_listed(&self, method: &str) -> Result<(), CallError> {
        let service = self.callee.service();
        match &self.caller {
            Some((caller, listed)) if !listed.allow(caller, service, method) => {
                Err(CallError::refused(format!("{caller} has not listed that it calls {service}.{method}")))
            }
            _ => Ok(()),
        }
    }

    fn check_same(&self, method: &str, part: Part, json: &Bytes) -> Result<(), CallError> {
        #[cfg(feature = "testing")]
        self.check_shape(method, part, json)?;
        match self.callee.recode(method, part, json)? == *json {
            true => Ok(()),
            false => {
                let service = self.callee.service();
                Err(CallError::protocol(format!("{part:?} of {service}.{method} changes on the wire")))
            }
        }
    }
}

#[async_trait]
impl Transport for Serialised {
    async fn call(&self, call: Outgoing<'_>) -> Result<Reply, Unanswered> {
        let method = call.method.name;
        self.check_listed(method)?;
        self.check_same(method, Part::Arguments, &call.arguments)?;
        let cx = call.cx.carried();
        let (callee, callee_cx, arguments) = (Arc::clone(&self.callee), cx.clone(), call.arguments.clone());
        let work = async move { callee.dispatch("test", method, callee_cx, arguments).await };
        let task = AbortOnDrop(tokio::spawn(work));
        let reply = task.finish().await?;
        match &reply {
            Reply::Answer(json) => self.check_same(method, Part::Answer, json)?,
            Reply::Refusal(json) => self.check_same(method, Part::Refusal, json)?,
        }
        if cx.was_replayed() {
            call.cx.mark_replayed();
        }
        Ok(reply)
    }
}

#[cfg(feature = "testing")]
impl Serialised {
    /// What is written must be as the contract says.
    fn check_shape(&self, method: &str, part: Part, json: &Bytes) -> Result<(), CallError> {
        let value = serde_json::from_slice(json).map_err(|error| CallError::protocol(error.to_string()))?;
        let problem = contract::part_misfit(self.callee.contract(), method, part, &value);
        problem.map_or(Ok(()), |problem| Err(CallError::protocol(format!("contract of {method}: {problem}"))))
    }
}

/// A callee ends when its caller goes away, as it does when a connection breaks.
struct AbortOnDrop(tokio::task::JoinHandle<Result<Reply, CallError>>);

impl AbortOnDrop {
    async fn finish(mut self) -> Result<Reply, CallError> {
        (&mut self.0).await.map_err(|error| CallError::failed(format!("the callee's task ended: {error}")))?
    }
}

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}
