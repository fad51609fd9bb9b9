use std::time::Duration;

/// What the ledger has to be told by the process that it runs in.
#[derive(Clone, Copy, Debug)]
pub struct LedgerSettings {
    /// How long rows wait after their batch was last begun. Whoever stages them discards them in their own time, so this
    /// is for those who never came back: shorter than that time, previews are gone that people still look at; longer,
    /// what nobody wants piles up.
    pub waiting_kept: Duration,
}

impl LedgerSettings {
    /// The settings where imports keep their previews for so long.
    pub const fn for_previews(kept: Duration) -> Self {
        Self { waiting_kept: kept.saturating_mul(2) }
    }
}
