use std::borrow::Cow;
use std::io::{self, Read};

use memchr::{memchr, memchr_iter, memchr2};

use crate::encoding::decode;
use crate::source::{LONGEST_ITEM, Source};

/// The lines of a table, cut into cells. One is used for all records, so that a row costs no allocation.
///
/// Cells stay bytes of the source until they are asked for.
pub(super) struct Records<R> {
    source: Source<R>,
    delimiter: u8,
    quote: u8,
    /// `\n`, or `\r` in files of the old Macintosh.
    line_end: Option<u8>,
    cells: Vec<Cell>,
    line: u64,
    pending: (usize, u64),
}

#[derive(Clone, Copy, Debug)]
struct Cell {
    start: usize,
    end: usize,
    /// A quote inside it is doubled.
    has_doubled_quote: bool,
}

/// One record, or why the line is none.
pub(super) enum Record<'a> {
    Cells(Cells<'a>),
    /// A line longer than any bank writes.
    TooLong,
    /// A quote that opens and never closes. Only its line is lost: the next record begins on the next line.
    UnbalancedQuote,
}

/// The cells of one record.
#[derive(Clone, Copy)]
pub(super) struct Cells<'a> {
    view: &'a [u8],
    cells: &'a [Cell],
    quote: u8,
    codec: &'static encoding_rs::Encoding,
}

impl<R: Read> Records<R> {
    pub(super) fn new(source: Source<R>, delimiter: char, quote: char) -> Self {
        let byte = |c: char| u8::try_from(c).unwrap_or(b',');
        let cells = Vec::with_capacity(32);
        let (delimiter, quote) = (byte(delimiter), byte(quote));
        Self { source, delimiter, quote, line_end: None, cells, line: 1, pending: (0, 0) }
    }

    /// The next record that is not blank, with the line it begins on; `None` at the end of the file.
    pub(super) fn next(&mut self) -> io::Result<Option<(u64, Record<'_>)>> {
        let shape = loop {
            let (length, lines) = std::mem::take(&mut self.pending);
            self.source.consume(length);
            self.line += lines;
            self.source.fill()?;
            if self.source.view().is_empty() {
                return Ok(None);
            }
            let shape = self.cut();
            match shape {
                Shape::Cells if self.is_blank() => {}
                shape => break shape,
            }
        };
        let record = match shape {
            Shape::Cells => Record::Cells(Cells {
                view: self.source.view(),
                cells: &self.cells,
                quote: self.quote,
                codec: self.source.codec(),
            }),
            Shape::TooLong => {
                self.skip_line()?;
                Record::TooLong
            }
            Shape::UnbalancedQuote => Record::UnbalancedQuote,
        };
        Ok(Some((self.line, record)))
    }

    pub(super) fn bytes_read(&self) -> u64 {
        self.source.bytes_read()
    }

    /// Cuts the record at the beginning of the view and notes in `pending` how long it is.
    fn cut(&mut self) -> Shape {
        let view = self.source.view();
        let line_end = *self.line_end.get_or_insert_with(|| line_end(view));
        let limit = view.len().min(LONGEST_ITEM);
        let is_last = self.source.at_end() && limit == view.len();
        match cut(&view[..limit], self.delimiter, self.quote, line_end, is_last, &mut self.cells) {
            Cut::Record { length, lines } => {
                self.pending = (length, lines);
                Shape::Cells
            }
            Cut::OpenQuote => match memchr(line_end, &view[..limit]) {
                Some(end) => {
                    self.pending = (end + 1, 1);
                    Shape::UnbalancedQuote
                }
                None if is_last => {
                    self.pending = (limit, 0);
                    Shape::UnbalancedQuote
                }
                None => Shape::TooLong,
            },
            Cut::NoEnd => Shape::TooLong,
        }
    }

    /// Moves to the next line, however far it is.
    fn skip_line(&mut self) -> io::Result<()> {
        let line_end = self.line_end.unwrap_or(b'\n');
        loop {
            self.source.fill()?;
            let view = self.source.view();
            let found = memchr(line_end, view);
            let length = found.map_or(view.len(), |end| end + 1);
            if found.is_some() || length == 0 {
                // The line number that is given out is that of the record, so the step is kept for the next.
                self.pending = (length, 1);
                return Ok(());
            }
            self.source.consume(length);
        }
    }

    fn is_blank(&self) -> bool {
        let view = self.source.view();
        self.cells.iter().all(|cell| view[cell.start..cell.end].trim_ascii().is_empty())
    }
}

#[derive(Clone, Copy)]
enum Shape {
    Cells,
    TooLong,
    UnbalancedQuote,
}

enum Cut {
    Record {
        length: usize,
        lines: u64,
    },
    /// A quote opens and nothing closes it.
    OpenQuote,
    /// No line ends in sight.
    NoEnd,
}

/// Cuts one record (RFC 4180, leniently: a quote inside an unquoted cell is a character like any other, and
/// text around quotes makes them characters too).
fn cut(view: &[u8], delimiter: u8, quote: u8, line_end: u8, is_last: bool, cells: &mut Vec<Cell>) -> Cut {
    cells.clear();
    let mut at = 0;
    let mut lines = 1;
    loop {
        let begin = at;
        let stop_after = |at: usize| memchr2(delimiter, line_end, &view[at..]).map(|found| at + found);
        let padding = view[at..].iter().take_while(|byte| **byte == b' ').count();
        let mut quoted = None;
        let mut stop = None;
        if view.get(at + padding) == Some(&quote) {
            let start = at + padding + 1;
            let mut has_doubled_quote = false;
            let Some(end) = closing_quote(view, start, quote, &mut has_doubled_quote) else {
                return Cut::OpenQuote;
            };
            stop = stop_after(end + 1);
            let behind = &view[end + 1..stop.unwrap_or(view.len())];
            // Text behind the closing quote: then neither is a quote, and no line gets lost between them.
            if behind.trim_ascii().is_empty() {
                lines += memchr_iter(line_end, &view[start..end]).count() as u64;
                quoted = Some(Cell { start, end, has_doubled_quote });
            }
        }
        if quoted.is_none() {
            stop = stop_after(begin);
        }
        let end = match stop {
            Some(end) => end,
            None if is_last => view.len(),
            None => return Cut::NoEnd,
        };
        cells.push(quoted.unwrap_or(Cell { start: begin, end, has_doubled_quote: false }));
        let Some(stop) = stop else { return Cut::Record { length: end, lines: lines - 1 } };
        if view[stop] == line_end {
            return Cut::Record { length: stop + 1, lines };
        }
        at = stop + 1;
    }
}

/// Where the quote closes that opened before `from`. A doubled quote is a character.
fn closing_quote(view: &[u8], from: usize, quote: u8, has_doubled: &mut bool) -> Option<usize> {
    let mut at = from;
    loop {
        let found = at + memchr(quote, view.get(at..)?)?;
        if view.get(found + 1) != Some(&quote) {
            return Some(found);
        }
        *has_doubled = true;
        at = found + 2;
    }
}

fn line_end(view: &[u8]) -> u8 {
    if memchr(b'\n', view).is_none() && memchr(b'\r', view).is_some() { b'\r' } else { b'\n' }
}

impl<'a> Cells<'a> {
    pub(super) fn len(&self) -> usize {
        self.cells.len()
    }

    /// The cell at `index` as text without the white space around it; empty if the record is shorter.
    pub(super) fn text(&self, index: usize) -> Cow<'a, str> {
        let Some(cell) = self.cells.get(index) else { return Cow::Borrowed("") };
        let text = decode(self.view[cell.start..cell.end].trim_ascii(), self.codec);
        if !cell.has_doubled_quote {
            return text;
        }
        let quote = char::from(self.quote).to_string();
        Cow::Owned(text.replace(&quote.repeat(2), &quote))
    }

    /// All cells, in order.
    pub(super) fn texts(&self) -> impl Iterator<Item = Cow<'a, str>> + use<'a> {
        let cells = *self;
        (0..cells.len()).map(move |index| cells.text(index))
    }
}
