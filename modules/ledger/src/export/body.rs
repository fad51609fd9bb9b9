//! The pieces of a file on their way to its reader.

use bytes::Bytes;
use sea_orm::DbErr;
use tokio::sync::mpsc;

use super::STALL;

/// A piece is sent once it has grown to this: large enough to be cheap, small enough for many at once.
const PIECE_BYTES: usize = 64 * 1024;

/// Why a file ended before its end. Whoever gets this instead of a piece cuts the connection, so that the reader
/// sees that something is missing.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BrokenOff {
    /// The database could not be read on.
    #[error("the ledger could not be read on")]
    Database(#[from] DbErr),
    /// The reader went away.
    #[error("nobody reads the file any more")]
    Gone,
    /// The reader is too slow.
    #[error("the file took too long to be read")]
    TooLong,
}

/// Where the pieces go.
pub(super) struct Chunks(mpsc::Sender<Result<Bytes, BrokenOff>>);

impl Chunks {
    pub(super) fn new(sender: mpsc::Sender<Result<Bytes, BrokenOff>>) -> Self {
        Self(sender)
    }

    /// Sends what was written, if it is enough for a piece.
    pub(super) async fn send_if_full(&self, out: &mut String) -> Result<(), BrokenOff> {
        if out.len() >= PIECE_BYTES { self.send(out).await } else { Ok(()) }
    }

    /// Sends what was written.
    pub(super) async fn send(&self, out: &mut String) -> Result<(), BrokenOff> {
        if out.is_empty() {
            return Ok(());
        }
        let piece = Bytes::from(std::mem::take(out));
        match tokio::time::timeout(STALL, self.0.send(Ok(piece))).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(BrokenOff::Gone),
            Err(_) => Err(BrokenOff::TooLong),
        }
    }

    /// Tells the reader that the file is not whole.
    pub(super) async fn break_off(&self, why: BrokenOff) {
        // A reader that went away, or takes nothing, need not be told.
        let _ = tokio::time::timeout(STALL, self.0.send(Err(why))).await;
    }
}
