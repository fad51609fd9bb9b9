use std::borrow::Cow;
use std::io::{self, Read};

use crate::encoding::decode;
use crate::lines::Lines;
use crate::source::{LONGEST_ITEM, Source};

/// The fields that mean something to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tag {
    /// `:20:` begins a message.
    Reference,
    /// `:25:`
    Account,
    /// `:25P:`, with the BIC of the bank on a line of its own.
    AccountWithBank,
    /// `:28:`, `:28C:`
    Number,
    /// `:60F:`
    Opening,
    /// `:60M:`
    OpeningPage,
    /// `:61:`
    Entry,
    /// `:86:`
    Details,
    /// `:62F:`
    Closing,
    /// `:62M:`
    ClosingPage,
    /// `:64:`
    Available,
    /// `:65:`
    Forward,
    /// `:34F:` of an interim report.
    FloorLimit,
    /// `:13D:` of an interim report.
    WrittenAt,
    /// `:90D:`, `:90C:` of an interim report.
    Sum,
}

/// What comes next in a file.
pub(super) enum Item<'a> {
    Field(Field<'a>),
    /// A SWIFT envelope opens: a message must end with its closing mark.
    Envelope,
    /// The mark behind a message.
    End,
}

/// A tag and what stands behind it up to the next one, its lines kept apart by `\n`.
pub(super) struct Field<'a> {
    pub(super) tag: Tag,
    pub(super) line: u64,
    pub(super) text: Cow<'a, str>,
    pub(super) is_too_long: bool,
}

/// The fields of a file. One value is in memory at a time.
pub(super) struct Fields<R> {
    lines: Lines<R>,
    value: Vec<u8>,
}

impl<R: Read> Fields<R> {
    pub(super) fn new(source: Source<R>) -> Self {
        Self { lines: Lines::new(source), value: Vec::with_capacity(512) }
    }

    /// The next field or mark, or `None` at the end of the file.
    pub(super) fn next(&mut self) -> io::Result<Option<Item<'_>>> {
        loop {
            let Some(line) = self.lines.peek()? else { return Ok(None) };
            let (number, is_too_long) = (line.number, line.is_too_long);
            match start_of(line.bytes) {
                Start::Tag(tag, from) => {
                    self.value.clear();
                    self.value.extend_from_slice(line.bytes[from..].trim_ascii_end());
                    self.lines.advance()?;
                    let is_too_long = self.take_continuation()? || is_too_long;
                    let text = decode(&self.value, self.lines.codec());
                    return Ok(Some(Item::Field(Field { tag, line: number, text, is_too_long })));
                }
                Start::End(length) => {
                    self.lines.advance_by(length);
                    return Ok(Some(Item::End));
                }
                Start::Envelope(length) => {
                    self.lines.advance_by(length);
                    return Ok(Some(Item::Envelope));
                }
                // What stands between messages, and headers that some banks put before them.
                Start::Text => self.lines.advance()?,
            }
        }
    }

    pub(super) fn line(&self) -> u64 {
        self.lines.line()
    }

    pub(super) fn bytes_read(&self) -> u64 {
        self.lines.bytes_read()
    }

    /// Appends the lines that belong to the value; true if there is more than a value may have.
    fn take_continuation(&mut self) -> io::Result<bool> {
        let mut is_too_long = false;
        while let Some(line) = self.lines.peek()? {
            if !matches!(start_of(line.bytes), Start::Text) {
                break;
            }
            if line.is_too_long || self.value.len() + line.bytes.len() >= LONGEST_ITEM {
                is_too_long = true;
            } else {
                self.value.push(b'\n');
                self.value.extend_from_slice(line.bytes);
            }
            self.lines.advance()?;
        }
        Ok(is_too_long)
    }
}

enum Start {
    /// And where its value begins.
    Tag(Tag, usize),
    /// Length of the mark.
    End(usize),
    /// Length up to its block of text, or to the end of the line.
    Envelope(usize),
    Text,
}

fn start_of(line: &[u8]) -> Start {
    // The common case of a line that only goes on.
    if line.first().is_some_and(u8::is_ascii_alphanumeric) {
        return Start::Text;
    }
    if let Some((tag, from)) = tag_of(line) {
        return Start::Tag(tag, from);
    }
    let junk = line.iter().take_while(|byte| is_junk(**byte)).count();
    match &line[junk..] {
        [b'-'] => Start::End(line.len()),
        [b'-', b'}', ..] => Start::End(junk + 2),
        [b'-', rest @ ..] if rest.trim_ascii().is_empty() => Start::End(line.len()),
        // Block 5 stands behind the message.
        [b'{', b'1'..=b'4', b':', ..] => {
            let text = memchr::memmem::find(line, b"{4:");
            Start::Envelope(text.map_or(line.len(), |at| at + 3))
        }
        _ => Start::Text,
    }
}

/// The tag at the beginning of a line and where its value begins. White space, control characters and the `$` that
/// parts messages in a batch may stand before it.
pub(super) fn tag_of(line: &[u8]) -> Option<(Tag, usize)> {
    let junk = line.iter().take_while(|byte| is_junk(**byte)).count();
    let rest = line[junk..].strip_prefix(b":")?;
    let length = rest.iter().take(4).position(|byte| *byte == b':')?;
    // Others are left to the text before them: a time of day at the beginning of a line looks like a tag.
    let tag = match &rest[..length] {
        b"20" => Tag::Reference,
        b"25" => Tag::Account,
        b"25P" => Tag::AccountWithBank,
        b"28" | b"28C" => Tag::Number,
        b"60F" => Tag::Opening,
        b"60M" => Tag::OpeningPage,
        b"61" => Tag::Entry,
        b"86" => Tag::Details,
        b"62F" => Tag::Closing,
        b"62M" => Tag::ClosingPage,
        b"64" => Tag::Available,
        b"65" => Tag::Forward,
        b"34F" => Tag::FloorLimit,
        b"13D" => Tag::WrittenAt,
        b"90D" | b"90C" => Tag::Sum,
        _ => return None,
    };
    Some((tag, junk + length + 2))
}

fn is_junk(byte: u8) -> bool {
    byte <= b' ' || matches!(byte, b'$' | 0x7f)
}
