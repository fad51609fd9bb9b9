use std::io::{self, Read};

use memchr::memchr_iter;

/// No value, tag or line of a statement is longer; what is, is rejected.
pub(crate) const LONGEST_ITEM: usize = 64 * 1024;
/// What a reader may look at in one go: the longest item and the tag that ends it.
const VIEW: usize = LONGEST_ITEM + 4 * 1024;
const BUFFER: usize = 256 * 1024;
/// Least room in which the decoder promises to make progress.
const ROOM: usize = 16;
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// The file as a sliding view over its bytes: however large the file, this is all of it that is in memory.
///
/// Bytes are as in the file where tags and delimiters can be found in them directly, else UTF-8
/// (`Source::codec` says which).
pub(crate) struct Source<R> {
    input: Input<R>,
    buffer: Box<[u8]>,
    start: usize,
    end: usize,
    at_end: bool,
    lines: LineCount,
}

/// Counts line feeds in one sweep per question instead of one per token.
struct LineCount {
    line: u64,
    counted_to: usize,
}

enum Input<R> {
    Raw { from: R, bytes_read: u64, codec: &'static encoding_rs::Encoding },
    Decoded(Box<Decoded<R>>),
}

impl<R: Read> Source<R> {
    pub(crate) fn new(from: R, codec: &'static encoding_rs::Encoding) -> Self {
        let input = if crate::encoding::keeps_ascii(codec) {
            Input::Raw { from, bytes_read: 0, codec }
        } else {
            Input::Decoded(Box::new(Decoded::new(from, codec)))
        };
        let buffer = vec![0; BUFFER].into_boxed_slice();
        let lines = LineCount { line: 1, counted_to: 0 };
        Self { input, buffer, start: 0, end: 0, at_end: false, lines }
    }

    /// The same view in UTF-8 whatever the file is in, for readers that want text; before anything is read of it.
    /// Bytes of a UTF-8 file that break its rules stay as they are.
    pub(crate) fn into_utf8(self) -> Self {
        let input = match self.input {
            Input::Raw { from, codec, .. } if codec != encoding_rs::UTF_8 => {
                Input::Decoded(Box::new(Decoded::new(from, codec)))
            }
            input => input,
        };
        Self { input, ..self }
    }

    /// How the bytes of a view become text.
    pub(crate) fn codec(&self) -> &'static encoding_rs::Encoding {
        match &self.input {
            Input::Raw { codec, .. } => codec,
            Input::Decoded(_) => encoding_rs::UTF_8,
        }
    }

    /// Makes sure that `view` holds a whole item, or all that is left of the file.
    pub(crate) fn fill(&mut self) -> io::Result<()> {
        if self.end - self.start >= VIEW || self.at_end {
            return Ok(());
        }
        let is_first = self.bytes_read() == 0;
        self.lines.count(&self.buffer[..self.start], self.start);
        self.buffer.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        self.lines.counted_to = 0;
        while self.buffer.len() - self.end >= ROOM {
            match self.input.read(&mut self.buffer[self.end..]) {
                Ok(0) => {
                    self.at_end = true;
                    break;
                }
                Ok(count) => self.end += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        if is_first && self.view().starts_with(BYTE_ORDER_MARK) {
            self.consume(BYTE_ORDER_MARK.len());
        }
        Ok(())
    }

    /// The bytes that come next: at least `LONGEST_ITEM` after `fill`, unless the file ends before.
    pub(crate) fn view(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    /// Whether the file ends where the view ends.
    pub(crate) fn at_end(&self) -> bool {
        self.at_end
    }

    /// Moves past the first `count` bytes of the view.
    pub(crate) fn consume(&mut self, count: usize) {
        self.start = (self.start + count).min(self.end);
    }

    /// Line of the byte at `offset` in the view, from 1.
    pub(crate) fn line(&mut self, offset: usize) -> u64 {
        let position = (self.start + offset).min(self.end);
        self.lines.count(&self.buffer[..position], position);
        self.lines.line
    }

    /// Bytes of the file taken so far.
    pub(crate) fn bytes_read(&self) -> u64 {
        match &self.input {
            Input::Raw { bytes_read, .. } => *bytes_read,
            Input::Decoded(decoded) => decoded.bytes_read,
        }
    }
}

impl LineCount {
    fn count(&mut self, bytes: &[u8], position: usize) {
        if let Some(new) = bytes.get(self.counted_to..position) {
            self.line += memchr_iter(b'\n', new).count() as u64;
            self.counted_to = position;
        }
    }
}

impl<R: Read> Input<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Raw { from, bytes_read, .. } => {
                let count = from.read(into)?;
                *bytes_read += count as u64;
                Ok(count)
            }
            Self::Decoded(decoded) => decoded.read(into),
        }
    }
}

/// A file in an encoding whose bytes cannot be searched for ASCII, as UTF-8.
struct Decoded<R> {
    from: R,
    decoder: encoding_rs::Decoder,
    raw: Vec<u8>,
    bytes_read: u64,
    at_end: bool,
    is_finished: bool,
}

impl<R: Read> Decoded<R> {
    const CHUNK: usize = 16 * 1024;

    fn new(from: R, codec: &'static encoding_rs::Encoding) -> Self {
        let decoder = codec.new_decoder_with_bom_removal();
        Self { from, decoder, raw: Vec::new(), bytes_read: 0, at_end: false, is_finished: false }
    }

    /// Fills some of `into`, which must have `ROOM`; 0 at the end of the file.
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.is_finished {
            return Ok(0);
        }
        loop {
            if self.raw.is_empty() && !self.at_end {
                self.raw.resize(Self::CHUNK, 0);
                let read = self.from.read(&mut self.raw);
                self.raw.truncate(*read.as_ref().unwrap_or(&0));
                let count = read?;
                self.bytes_read += count as u64;
                self.at_end = count == 0;
            }
            let (result, used, written, _) = self.decoder.decode_to_utf8(&self.raw, into, self.at_end);
            self.raw.drain(..used);
            // A decoder that has seen the end must not be asked again.
            self.is_finished = self.at_end && result == encoding_rs::CoderResult::InputEmpty;
            if written > 0 || self.is_finished {
                return Ok(written);
            }
        }
    }
}
