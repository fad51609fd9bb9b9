//! Everything that a service trait may use, in one.

use service_registry::{CallContext, CallError, Class, Contract, async_trait, service};

#[derive(Clone, Debug, serde::Serialize, serde::Deserialize, schemars::JsonSchema, thiserror::Error)]
pub enum PostError {
    #[error(transparent)]
    Call(#[from] CallError),
}

type Result<T, E> = std::result::Result<T, E>;

/// Letters.
#[service(name = "post-office", version = 2)]
pub trait Post: Send + Sync {
    /// All letters.
    #[read(timeout_ms = 500)]
    async fn letters(
        &self,
        cx: &CallContext,
        of: Option<String>,
        most: u32,
    ) -> Result<Vec<String>, PostError>;

    #[idempotent]
    async fn send(
        &self,
        cx: &service_registry::CallContext,
        letter: (String, Vec<u8>),
    ) -> Result<(), PostError>;

    #[once(dedupe, timeout_ms = 700)]
    async fn open(&self, cx: &CallContext) -> Result<(), PostError>;

    #[allow(clippy::unused_async)]
    async fn close(&self, cx: &CallContext) -> Result<(), PostError>;
}

struct Office;

#[async_trait]
impl Post for Office {
    async fn letters(&self, _: &CallContext, of: Option<String>, _: u32) -> Result<Vec<String>, PostError> {
        Ok(of.into_iter().collect())
    }

    async fn send(&self, _: &CallContext, _: (String, Vec<u8>)) -> Result<(), PostError> {
        Ok(())
    }

    async fn open(&self, _: &CallContext) -> Result<(), PostError> {
        Ok(())
    }

    async fn close(&self, _: &CallContext) -> Result<(), PostError> {
        Ok(())
    }
}

fn main() {
    let methods = <dyn Post as Contract>::METHODS;
    let classes: Vec<Class> = methods.iter().map(|method| method.class).collect();
    assert_eq!(classes, [Class::Read, Class::Idempotent, Class::Once, Class::Once]);
    assert_eq!(methods.iter().filter(|method| method.dedupe).map(|method| method.name).collect::<Vec<_>>(), ["open"]);
    assert_eq!(methods[0].timeout.as_millis(), 500);
    assert_eq!((<dyn Post as Contract>::NAME, <dyn Post as Contract>::VERSION), ("post-office", 2));
    let _ = service_registry::ServiceClient::<dyn Post>::local(std::sync::Arc::new(Office));
}
