use std::borrow::Cow;
use std::io::{self, Read};

use memchr::{memchr, memmem};

use super::Tag;
use crate::encoding::decode;
use crate::source::{LONGEST_ITEM, Source};

/// A tag and the text behind it: all there is to OFX, in SGML and in XML alike.
///
/// Leaves need no end tag in SGML, so an element that has text is a leaf and its end tag, if it comes, says
/// nothing new; one that has none is an aggregate or an empty leaf.
#[derive(Debug)]
pub(super) struct Token<'a> {
    pub(super) tag: Tag,
    /// As written, for elements that we do not know.
    pub(super) name: &'a [u8],
    pub(super) is_end: bool,
    /// `<TAG/>`: an element that is over at once.
    pub(super) is_closed: bool,
    pub(super) value: Value<'a>,
}

/// The text behind a start tag, not decoded yet: most of it is never looked at.
#[derive(Clone, Copy, Debug)]
pub(super) struct Value<'a> {
    bytes: &'a [u8],
    codec: &'static encoding_rs::Encoding,
    /// There is more of it than a value may have.
    pub(super) is_too_long: bool,
}

/// A longer name is no tag.
const LONGEST_TAG: usize = 1024;

/// What lies at the beginning of a view, in bytes from there.
struct Shape {
    name: (usize, usize),
    is_end: bool,
    is_closed: bool,
    value: (usize, usize),
    is_too_long: bool,
}

pub(super) struct Tokens<R> {
    source: Source<R>,
    /// Length of the token that was given out last: it stays in view until the next one is asked for.
    pending: usize,
}

impl<R: Read> Tokens<R> {
    pub(super) fn new(source: Source<R>) -> Self {
        Self { source, pending: 0 }
    }

    /// The next token, or `None` at the end of the file.
    pub(super) fn next(&mut self) -> io::Result<Option<Token<'_>>> {
        self.source.consume(self.pending);
        self.pending = 0;
        loop {
            self.source.fill()?;
            let view = self.source.view();
            let Some(at) = memchr(b'<', view) else {
                if self.source.at_end() {
                    return Ok(None);
                }
                let all = view.len();
                self.source.consume(all);
                continue;
            };
            match view.get(at + 1) {
                Some(b'!' | b'?') => self.skip_markup(at)?,
                Some(next) if next.is_ascii_alphabetic() || *next == b'/' => {
                    self.source.consume(at);
                    self.source.fill()?;
                    if let Some(shape) = shape(self.source.view()) {
                        return Ok(Some(self.token(shape)));
                    }
                    self.source.consume(1);
                }
                // The view may end right behind the bracket while the file does not.
                None if !self.source.at_end() => self.source.consume(at),
                _ => self.source.consume(at + 1),
            }
        }
    }

    /// Moves on to where the list of securities seems to begin; false if there is none.
    pub(super) fn skip_to_list(&mut self) -> io::Result<bool> {
        loop {
            self.source.fill()?;
            let view = self.source.view();
            if let Some(at) = crate::survey::find_list(view) {
                self.source.consume(at);
                return Ok(true);
            }
            if self.source.at_end() {
                return Ok(false);
            }
            // Keep what could be the beginning of its name.
            let all = view.len();
            self.source.consume(all.saturating_sub(crate::survey::LIST.len()));
        }
    }

    /// Line on which the token begins that `next` gave last.
    pub(super) fn line(&mut self) -> u64 {
        self.source.line(0)
    }

    pub(super) fn bytes_read(&self) -> u64 {
        self.source.bytes_read()
    }

    fn token(&mut self, shape: Shape) -> Token<'_> {
        self.pending = shape.value.1;
        let view = self.source.view();
        let name = &view[shape.name.0..shape.name.1];
        let bytes = view[shape.value.0..shape.value.1].trim_ascii();
        let value = Value { bytes, codec: self.source.codec(), is_too_long: shape.is_too_long };
        Token { tag: Tag::named(name), name, is_end: shape.is_end, is_closed: shape.is_closed, value }
    }

    /// Skips the comment, declaration or processing instruction at `at`, however long.
    fn skip_markup(&mut self, at: usize) -> io::Result<()> {
        self.source.consume(at);
        self.source.fill()?;
        let view = self.source.view();
        let end: &[u8] = match view {
            [b'<', b'!', b'-', b'-', ..] => b"-->",
            view if view.starts_with(CDATA) => b"]]>",
            _ => b">",
        };
        loop {
            let view = self.source.view();
            if let Some(found) = memmem::find(view, end) {
                self.source.consume(found + end.len());
                return Ok(());
            }
            // Keep what could be the beginning of the end.
            let all = view.len();
            let done = if self.source.at_end() { all } else { all.saturating_sub(end.len()) };
            self.source.consume(done);
            if self.source.at_end() && self.source.view().is_empty() {
                return Ok(());
            }
            self.source.fill()?;
        }
    }
}

const CDATA: &[u8] = b"<![CDATA[";

/// Takes apart a view that begins with `<` and a letter or slash; `None` if that is no tag after all.
fn shape(view: &[u8]) -> Option<Shape> {
    let close = memchr(b'>', &view[..view.len().min(LONGEST_TAG)])?;
    let inside = &view[1..close];
    if inside.contains(&b'<') {
        return None;
    }
    let is_end = inside.first() == Some(&b'/');
    let is_closed = inside.last() == Some(&b'/') && inside.len() > 1;
    let start = 1 + usize::from(is_end);
    let stop = view[start..close].iter().position(|byte| byte.is_ascii_whitespace() || *byte == b'/');
    let stop = stop.map_or(close, |length| start + length);
    // An XML writer may put its namespace prefix before every name.
    let start = memchr(b':', &view[start..stop]).map_or(start, |colon| start + colon + 1);
    let after = close + 1;
    let (value, is_too_long) =
        if is_end || is_closed { ((after, after), false) } else { text_behind(view, after) };
    Some(Shape { name: (start, stop), is_end, is_closed, value, is_too_long })
}

/// From `after` to the next tag. A `<` that begins no tag belongs to the text, and so does a CDATA section.
fn text_behind(view: &[u8], after: usize) -> ((usize, usize), bool) {
    let limit = view.len().min(after + LONGEST_ITEM);
    let mut from = after;
    while let Some(found) = memchr(b'<', &view[from..limit]) {
        let at = from + found;
        match view.get(at + 1) {
            Some(next) if next.is_ascii_alphabetic() || matches!(next, b'/' | b'?') => {
                return ((after, at), false);
            }
            Some(b'!') if view[at..].starts_with(CDATA) => match memmem::find(&view[at..limit], b"]]>") {
                Some(end) => from = at + end + 3,
                None => return ((after, limit), limit < view.len()),
            },
            Some(b'!') => return ((after, at), false),
            _ => from = at + 1,
        }
    }
    ((after, limit), limit < view.len())
}

impl<'a> Value<'a> {
    pub(super) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// The bytes as they stand in the file, without the white space around them.
    pub(super) fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// The value as text: decoded, entities and CDATA sections resolved, no white space around it.
    pub(super) fn text(&self) -> Cow<'a, str> {
        let text = decode(self.bytes, self.codec);
        if memchr::memchr2(b'&', b'<', self.bytes).is_none() {
            return text;
        }
        Cow::Owned(resolved(&text).trim().to_owned())
    }

    /// The text, or `None` if there is none.
    pub(super) fn some_text(&self) -> Option<String> {
        if self.bytes.is_empty() {
            return None;
        }
        let text = self.text();
        let text = text.trim();
        (!text.is_empty()).then(|| text.to_owned())
    }
}

fn resolved(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find("<![CDATA[") {
        let (before, section) = rest.split_at(start);
        unescape(before, &mut out);
        let section = &section[CDATA.len()..];
        let (literal, after) = section.split_once("]]>").unwrap_or((section, ""));
        out.push_str(literal);
        rest = after;
    }
    unescape(rest, &mut out);
    out
}

/// Replaces the entities of XML and those of HTML that banks use. An ampersand that begins none stays: banks
/// forget to escape it more often than not.
fn unescape(text: &str, out: &mut String) {
    let mut rest = text;
    while let Some(start) = rest.find('&') {
        out.push_str(&rest[..start]);
        let after = &rest[start + 1..];
        let name = after.bytes().take(10).position(|byte| byte == b';').map(|end| &after[..end]);
        match name.and_then(|name| Some((name, entity(name)?))) {
            Some((name, c)) => {
                out.push(c);
                rest = &after[name.len() + 1..];
            }
            None => {
                out.push('&');
                rest = after;
            }
        }
    }
    out.push_str(rest);
}

fn entity(name: &str) -> Option<char> {
    if let Some(number) = name.strip_prefix('#') {
        let code = match number.strip_prefix(['x', 'X']) {
            Some(hex) => u32::from_str_radix(hex, 16).ok()?,
            None => number.parse().ok()?,
        };
        return char::from_u32(code).filter(|c| !c.is_control() || c.is_whitespace());
    }
    Some(match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        "nbsp" => '\u{a0}',
        "euro" => '€',
        "pound" => '£',
        "copy" => '©',
        "reg" => '®',
        "auml" => 'ä',
        "ouml" => 'ö',
        "uuml" => 'ü',
        "Auml" => 'Ä',
        "Ouml" => 'Ö',
        "Uuml" => 'Ü',
        "szlig" => 'ß',
        "agrave" => 'à',
        "acirc" => 'â',
        "aacute" => 'á',
        "ccedil" => 'ç',
        "egrave" => 'è',
        "eacute" => 'é',
        "ecirc" => 'ê',
        "iacute" => 'í',
        "ntilde" => 'ñ',
        "oacute" => 'ó',
        "ocirc" => 'ô',
        "uacute" => 'ú',
        _ => return None,
    })
}
