use std::borrow::Cow;
use std::io::Read;

use super::section::Section;
use crate::FormatError;
use crate::encoding::decode;
use crate::lines::Lines;
use crate::source::{LONGEST_ITEM, Source};

/// What comes next in a file.
pub(super) enum Item<'a> {
    /// A header line: other records follow.
    Section(Section),
    /// `!Option:AutoSwitch`, `!Clear:AutoSwitch` and their like.
    Switch,
    Record(Record<'a>),
}

/// The lines up to a `^`, each a letter and what it says.
pub(super) struct Record<'a> {
    /// Its first line in the file, from 1.
    pub(super) line: u64,
    pub(super) is_too_long: bool,
    lines: &'a [(u8, usize, usize)],
    bytes: &'a [u8],
    codec: &'static encoding_rs::Encoding,
}

/// The records of a file. One is in memory at a time.
pub(super) struct Records<R> {
    lines: Lines<R>,
    bytes: Vec<u8>,
    cut: Vec<(u8, usize, usize)>,
}

impl<R: Read> Records<R> {
    pub(super) fn new(source: Source<R>) -> Self {
        Self { lines: Lines::new(source), bytes: Vec::with_capacity(512), cut: Vec::with_capacity(16) }
    }

    /// The next header or record; `None` at the end of the file, which must not come amid a record.
    pub(super) fn next(&mut self) -> Result<Option<Item<'_>>, FormatError> {
        self.bytes.clear();
        self.cut.clear();
        let (mut first, mut is_too_long) = (0, false);
        loop {
            let Some(line) = self.lines.peek()? else {
                if self.cut.is_empty() && !is_too_long {
                    return Ok(None);
                }
                return Err(FormatError::TruncatedFile { line: self.lines.line() });
            };
            let text = line.bytes.trim_ascii();
            let is_empty = self.cut.is_empty() && !is_too_long;
            match text.first() {
                None => {}
                Some(b'^') if is_empty => {}
                Some(b'^') => {
                    self.lines.advance()?;
                    break;
                }
                Some(b'!') if is_empty => {
                    let section = Section::parse(&String::from_utf8_lossy(text));
                    self.lines.advance()?;
                    return Ok(Some(section.map_or(Item::Switch, Item::Section)));
                }
                // The mark behind the last record of a section was forgotten.
                Some(b'!') => break,
                Some(letter) => {
                    if is_empty {
                        first = line.number;
                    }
                    if line.is_too_long || self.bytes.len() + text.len() > LONGEST_ITEM {
                        is_too_long = true;
                    } else {
                        let start = self.bytes.len();
                        self.bytes.extend_from_slice(text[1..].trim_ascii());
                        self.cut.push((*letter, start, self.bytes.len()));
                    }
                }
            }
            self.lines.advance()?;
        }
        let codec = self.lines.codec();
        let (lines, bytes) = (&self.cut[..], &self.bytes[..]);
        Ok(Some(Item::Record(Record { line: first, is_too_long, lines, bytes, codec })))
    }

    pub(super) fn bytes_read(&self) -> u64 {
        self.lines.bytes_read()
    }
}

impl<'a> Record<'a> {
    pub(super) fn has(&self, letter: u8) -> bool {
        self.lines.iter().any(|(other, ..)| *other == letter)
    }

    /// What the first line with this letter says; empty where there is none.
    pub(super) fn text(&self, letter: u8) -> Cow<'a, str> {
        let found = self.lines.iter().find(|(other, ..)| *other == letter);
        found.map_or(Cow::Borrowed(""), |(_, start, end)| decode(&self.bytes[*start..*end], self.codec))
    }

    pub(super) fn some(&self, letter: u8) -> Option<String> {
        Some(self.text(letter)).filter(|text| !text.is_empty()).map(Cow::into_owned)
    }

    /// All lines in order.
    pub(super) fn lines(&self) -> impl Iterator<Item = (u8, Cow<'a, str>)> {
        self.lines.iter().map(|(letter, start, end)| (*letter, decode(&self.bytes[*start..*end], self.codec)))
    }
}
