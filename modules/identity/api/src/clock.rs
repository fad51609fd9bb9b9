use std::fmt;
use std::sync::Arc;

use kernel::Instant;

/// Tells the time. Given in, so that what must happen after an hour can be seen to happen at once.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> Instant + Send + Sync>);

impl Clock {
    /// A clock that asks `tell` each time.
    pub fn new(tell: impl Fn() -> Instant + Send + Sync + 'static) -> Self {
        Self(Arc::new(tell))
    }

    /// The present moment by this clock.
    pub fn now(&self) -> Instant {
        (self.0)()
    }
}

impl Default for Clock {
    /// The system's clock.
    fn default() -> Self {
        Self::new(kernel::now)
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clock")
    }
}
