use std::io::{self, Read};

use memchr::memchr;

use crate::source::{LONGEST_ITEM, Source};

/// A file line by line, for formats in which a line means something.
///
/// The line that is looked at stays until `advance`, so that a reader may see where an item ends without taking
/// what follows.
pub(crate) struct Lines<R> {
    source: Source<R>,
    /// `\n`, or `\r` in files of the old Macintosh.
    line_end: Option<u8>,
    line: u64,
    seen: Option<Seen>,
}

/// What `peek` found, in bytes of the view.
#[derive(Clone, Copy)]
struct Seen {
    /// Without its end.
    length: usize,
    /// With its end.
    whole: usize,
    is_too_long: bool,
}

/// One line without its end.
#[derive(Clone, Copy)]
pub(crate) struct Line<'a> {
    pub(crate) bytes: &'a [u8],
    /// Of the file, from 1.
    pub(crate) number: u64,
    /// There is more of it than an item may have; `bytes` are its beginning.
    pub(crate) is_too_long: bool,
}

impl<R: Read> Lines<R> {
    pub(crate) fn new(source: Source<R>) -> Self {
        Self { source, line_end: None, line: 1, seen: None }
    }

    /// The line that comes next; `None` at the end of the file.
    pub(crate) fn peek(&mut self) -> io::Result<Option<Line<'_>>> {
        let seen = match self.seen {
            Some(seen) => seen,
            None => {
                self.source.fill()?;
                if self.source.view().is_empty() {
                    return Ok(None);
                }
                let seen = self.look();
                self.seen = Some(seen);
                seen
            }
        };
        let bytes = &self.source.view()[..seen.length];
        Ok(Some(Line { bytes, number: self.line, is_too_long: seen.is_too_long }))
    }

    /// Moves past the line that was looked at, however long it is.
    pub(crate) fn advance(&mut self) -> io::Result<()> {
        let Some(seen) = self.seen.take() else { return Ok(()) };
        if seen.is_too_long {
            return self.skip_line();
        }
        self.source.consume(seen.whole);
        self.line += 1;
        Ok(())
    }

    /// Moves past the first `count` bytes of the line that was looked at; its rest is the next line.
    pub(crate) fn advance_by(&mut self, count: usize) {
        if let Some(seen) = self.seen.take() {
            self.source.consume(count.min(seen.length));
        }
    }

    pub(crate) fn codec(&self) -> &'static encoding_rs::Encoding {
        self.source.codec()
    }

    /// The number of the line that comes next.
    pub(crate) fn line(&self) -> u64 {
        self.line
    }

    pub(crate) fn bytes_read(&self) -> u64 {
        self.source.bytes_read()
    }

    fn look(&mut self) -> Seen {
        let view = self.source.view();
        let line_end = *self.line_end.get_or_insert_with(|| line_end(view));
        let limit = view.len().min(LONGEST_ITEM);
        match memchr(line_end, &view[..limit]) {
            Some(end) => {
                let length = end - usize::from(end > 0 && view[end - 1] == b'\r');
                Seen { length, whole: end + 1, is_too_long: false }
            }
            None => {
                let is_too_long = limit < view.len() || !self.source.at_end();
                Seen { length: limit, whole: limit, is_too_long }
            }
        }
    }

    fn skip_line(&mut self) -> io::Result<()> {
        let line_end = self.line_end.unwrap_or(b'\n');
        loop {
            self.source.fill()?;
            let view = self.source.view();
            let found = memchr(line_end, view);
            let length = found.map_or(view.len(), |end| end + 1);
            self.source.consume(length);
            if found.is_some() || length == 0 {
                self.line += 1;
                return Ok(());
            }
        }
    }
}

fn line_end(view: &[u8]) -> u8 {
    if memchr(b'\n', view).is_none() && memchr(b'\r', view).is_some() { b'\r' } else { b'\n' }
}
