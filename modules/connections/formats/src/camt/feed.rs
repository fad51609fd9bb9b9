use std::io::{self, BufRead, Read};

use memchr::memchr2;

use crate::source::{LONGEST_ITEM, Source};

/// A file as the XML parser wants it, a token at a time: the parser keeps a token in memory until it ends, so here
/// it ends.
pub(super) struct Feed<R> {
    source: Source<R>,
    /// What is left of the longest token.
    left: usize,
    /// A text can be cut, as its end is where the next tag begins. A tag, a comment or a CDATA section cannot: what
    /// follows would be taken for a part of it.
    is_markup: bool,
    /// The last token is a text that was cut.
    pub(super) was_cut: bool,
    /// A tag would have had to be cut.
    pub(super) is_too_long: bool,
}

impl<R: Read> Feed<R> {
    pub(super) fn new(source: Source<R>) -> Self {
        Self { source, left: LONGEST_ITEM, is_markup: false, was_cut: false, is_too_long: false }
    }

    /// Makes ready for the next token; where white space between tags means nothing, behind it.
    pub(super) fn begin(&mut self, skips_space: bool) -> io::Result<()> {
        self.left = LONGEST_ITEM;
        self.was_cut = false;
        loop {
            self.source.fill()?;
            let view = self.source.view();
            let all = view.len();
            let first =
                if skips_space { view.iter().position(|byte| !byte.is_ascii_whitespace()) } else { Some(0) };
            self.source.consume(first.unwrap_or(all));
            if first.is_some() || all == 0 {
                self.is_markup = self.source.view().first() == Some(&b'<');
                return Ok(());
            }
        }
    }

    /// As much of what comes next as may belong to the token that `begin` made ready for.
    pub(super) fn view(&self) -> &[u8] {
        &self.source.view()[..self.allowed()]
    }

    /// Line of the next byte.
    pub(super) fn line(&mut self) -> u64 {
        self.source.line(0)
    }

    pub(super) fn bytes_read(&self) -> u64 {
        self.source.bytes_read()
    }

    /// Whether nothing is left of the file.
    pub(super) fn is_over(&self) -> bool {
        self.source.at_end() && self.source.view().is_empty()
    }

    /// How much of the view may be given out, whole characters only.
    #[inline]
    fn allowed(&self) -> usize {
        let view = self.source.view();
        if view.len() <= self.left {
            return view.len();
        }
        (0..=self.left).rev().find(|&length| view[length] & 0xc0 != 0x80).unwrap_or(0)
    }

    /// Sees to it that something may be given out, unless the file is over.
    #[cold]
    fn go_on(&mut self) -> io::Result<()> {
        self.source.fill()?;
        if self.allowed() > 0 || self.source.view().is_empty() {
            return Ok(());
        }
        if self.is_markup {
            self.is_too_long = true;
            return Err(io::Error::other("a token is too long"));
        }
        self.skip_text()
    }

    /// Goes to where a text ends that is too long to be kept.
    fn skip_text(&mut self) -> io::Result<()> {
        self.was_cut = true;
        loop {
            let view = self.source.view();
            let (all, end) = (view.len(), memchr2(b'<', b'&', view));
            self.source.consume(end.unwrap_or(all));
            self.source.fill()?;
            if end.is_some() || self.source.view().is_empty() {
                self.left = 1;
                return Ok(());
            }
        }
    }
}

impl<R: Read> BufRead for Feed<R> {
    #[inline]
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        // `begin` has filled the view with more than a token may have, so that there is mostly nothing to do.
        let mut allowed = self.allowed();
        if allowed == 0 {
            self.go_on()?;
            allowed = self.allowed();
        }
        Ok(&self.source.view()[..allowed])
    }

    #[inline]
    fn consume(&mut self, count: usize) {
        self.left = self.left.saturating_sub(count);
        self.source.consume(count);
    }
}

impl<R: Read> Read for Feed<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let view = self.fill_buf()?;
        let count = view.len().min(into.len());
        into[..count].copy_from_slice(&view[..count]);
        self.consume(count);
        Ok(count)
    }
}
