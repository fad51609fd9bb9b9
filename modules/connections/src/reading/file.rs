use std::io::{self, Read};

use kernel::ImportId;
use platform::SealKey;
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

use crate::store::ConnectionStore;

/// What a sealed piece of a file is bound to, so that it opens nowhere else.
pub(crate) fn chunk_place(import: ImportId, number: i32) -> String {
    format!("upload_chunks|{import}|{number}")
}

/// An uploaded file, for a thread that may wait: fetches and opens one piece after the other.
pub(crate) struct UploadedFile {
    pub(crate) store: ConnectionStore,
    pub(crate) sealing_key: SealKey,
    pub(crate) import: ImportId,
    pub(crate) size_bytes: u64,
    /// Cancelled when nobody waits for what we read any more.
    pub(crate) stop: CancellationToken,
    /// Where queries run.
    pub(crate) runtime: Handle,
}

impl UploadedFile {
    /// From the first byte on.
    pub(crate) fn open(&self) -> Reader<'_> {
        Reader { file: self, number: 0, chunk: Vec::new(), at: 0, given: 0 }
    }

    /// The beginning of the file: what tables are told by. The first piece is never smaller than that, unless it
    /// is all.
    pub(crate) async fn head(&self) -> io::Result<Vec<u8>> {
        let sealed = self.store.chunk(self.import, 0).await.map_err(io::Error::other)?;
        let sealed = sealed.ok_or_else(|| io::Error::other("the uploaded file is gone"))?;
        let place = chunk_place(self.import, 0);
        let mut head = self.sealing_key.open(&place, sealed).map_err(io::Error::other)?;
        head.truncate(connections_formats::HEAD_BYTES);
        Ok(head)
    }

    fn chunk(&self, number: i32) -> io::Result<Option<Vec<u8>>> {
        let sealed =
            self.runtime.block_on(self.store.chunk(self.import, number)).map_err(io::Error::other)?;
        let Some(sealed) = sealed else { return Ok(None) };
        self.sealing_key.open(&chunk_place(self.import, number), sealed).map(Some).map_err(io::Error::other)
    }
}

/// A place in an uploaded file.
pub(crate) struct Reader<'a> {
    file: &'a UploadedFile,
    number: i32,
    chunk: Vec<u8>,
    at: usize,
    given: u64,
}

impl Read for Reader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.at == self.chunk.len() && self.given < self.file.size_bytes {
            if self.file.stop.is_cancelled() {
                return Err(io::Error::other("nobody waits for the file any more"));
            }
            // A piece that is missing is no end: the file would look truncated, and be blamed for it.
            let missing = || io::Error::other("a piece of the uploaded file is gone");
            self.chunk =
                self.file.chunk(self.number)?.filter(|chunk| !chunk.is_empty()).ok_or_else(missing)?;
            self.number += 1;
            self.at = 0;
        }
        let count = (self.chunk.len() - self.at).min(buffer.len());
        buffer[..count].copy_from_slice(&self.chunk[self.at..self.at + count]);
        self.at += count;
        self.given += count as u64;
        Ok(count)
    }
}
