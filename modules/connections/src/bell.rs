use tokio::sync::Notify;

/// Wakes runners of this process at once. Those of others look by themselves, so a missed bell loses nothing.
#[derive(Debug, Default)]
pub(crate) struct Bell {
    /// There may be an import to be taken.
    pub(crate) work: Notify,
    /// An import in the hands of a runner may not be wanted any more.
    pub(crate) stirred: Notify,
}

impl Bell {
    pub(crate) fn ring(&self) {
        self.stirred.notify_waiters();
        self.work.notify_one();
    }
}
