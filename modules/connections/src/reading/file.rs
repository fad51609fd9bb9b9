use std::io::{self, Read, Seek, SeekFrom};

use kernel::ImportId;
use platform::SealKey;
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

use crate::store::ConnectionStore;

/// Bytes of a file in one row; only the last row has fewer. More: fewer transactions; less: less memory for each file.
pub(crate) const CHUNK: usize = 512 * 1024;

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
        Reader { file: self, chunk: Vec::new(), number: None, at: 0 }
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

    fn piece(&self, number: u64) -> io::Result<Vec<u8>> {
        if self.stop.is_cancelled() {
            return Err(io::Error::other("nobody waits for the file any more"));
        }
        let number = i32::try_from(number).map_err(io::Error::other)?;
        let sealed =
            self.runtime.block_on(self.store.chunk(self.import, number)).map_err(io::Error::other)?;
        let sealed = sealed.ok_or_else(missing)?;
        self.sealing_key.open(&chunk_place(self.import, number), sealed).map_err(io::Error::other)
    }
}

/// A place in an uploaded file.
pub(crate) struct Reader<'a> {
    file: &'a UploadedFile,
    chunk: Vec<u8>,
    /// Which piece `chunk` is, once there is one.
    number: Option<u64>,
    at: u64,
}

impl Read for Reader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.at >= self.file.size_bytes {
            return Ok(0);
        }
        let (number, offset) = (self.at / CHUNK as u64, (self.at % CHUNK as u64) as usize);
        if self.number != Some(number) {
            self.chunk = self.file.piece(number)?;
            self.number = Some(number);
        }
        // A piece that is missing is no end: the file would look truncated, and be blamed for it.
        let rest = self.chunk.get(offset..).filter(|rest| !rest.is_empty()).ok_or_else(missing)?;
        let count = rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        self.at += count as u64;
        Ok(count)
    }
}

impl Seek for Reader<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let to = match to {
            SeekFrom::Start(to) => Some(to),
            SeekFrom::End(by) => self.file.size_bytes.checked_add_signed(by),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
        };
        self.at = to.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.at)
    }
}

fn missing() -> io::Error {
    io::Error::other("a piece of the uploaded file is gone")
}
