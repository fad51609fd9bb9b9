use std::io::{BufRead, Read};

use quick_xml::Reader;
use quick_xml::errors::Error;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesRef, BytesStart, Event};

use super::feed::Feed;
use super::plain::{Plain, plain};
use super::{Leaf, Place};
use crate::FormatError;
use crate::source::{LONGEST_ITEM, Source};

/// CAMT nests about fifteen deep, an envelope adds a few.
const DEEPEST: usize = 100;

/// What happened next in the document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Begin(Place),
    End(Place),
    /// The text of this place is whole: `Walk::text`.
    Text(Leaf),
    Nothing,
}

/// Goes through a document from place to place.
///
/// Nearly all of a statement is `<Name>`, text and `</Name>`, and those are taken here: the parser, which copies each of
/// them and looks for what it seldom is, takes half as long again for a file. It takes everything else.
pub(super) struct Walk<R> {
    xml: Reader<Feed<R>>,
    /// What the parser puts a token in.
    token: Vec<u8>,
    /// The parser has told a text and waits for what ends it.
    parser_is_amid: bool,
    /// From the root down to where we are.
    path: Vec<Open>,
    /// The names of all that is open, one behind the other.
    names: String,
    /// `<Tag/>` has begun and ends next.
    ends_now: bool,
    text: String,
    is_too_long: bool,
    currency: String,
    line: u64,
}

/// An element that is open.
struct Open {
    place: Place,
    /// Where its name begins among the names.
    name: usize,
    /// It must end at the parser, too, which otherwise keeps its name for ever.
    is_parsers: bool,
}

impl<R: Read> Walk<R> {
    pub(super) fn new(source: Source<R>) -> Self {
        let mut xml = Reader::from_reader(Feed::new(source));
        // Banks forget to escape it more often than not.
        xml.config_mut().allow_dangling_amp = true;
        // It does not see every tag, so that we compare their names.
        xml.config_mut().check_end_names = false;
        xml.config_mut().allow_unmatched_ends = true;
        Self {
            xml,
            token: Vec::new(),
            // It looks for a byte order mark before its first token.
            parser_is_amid: true,
            path: Vec::with_capacity(DEEPEST),
            names: String::new(),
            ends_now: false,
            text: String::new(),
            is_too_long: false,
            currency: String::new(),
            line: 1,
        }
    }

    /// The next step, or `None` at the end of the document.
    pub(super) fn next(&mut self) -> Result<Option<Step>, FormatError> {
        if std::mem::take(&mut self.ends_now) {
            return Ok(Some(self.end()));
        }
        let is_leaf = matches!(self.path.last(), Some(Open { place: Place::Text(_), .. }));
        self.xml.get_mut().begin(!is_leaf)?;
        if let Some(step) = self.plain(is_leaf)? {
            return Ok(Some(step));
        }
        let mut token = std::mem::take(&mut self.token);
        token.clear();
        let event = self.xml.read_event_into(&mut token);
        self.parser_is_amid = matches!(event, Ok(Event::Text(_)));
        let step = match event {
            Ok(Event::Start(tag)) => self.start_of(&tag).map(Some),
            Ok(Event::Empty(tag)) => {
                self.ends_now = true;
                self.start_of(&tag).map(Some)
            }
            Ok(Event::End(tag)) => self.end_of(tag.name().as_ref()).map(Some),
            Ok(Event::DocType(_)) => Err(self.malformed("a document type definition has no place in it")),
            Ok(Event::Eof) if self.path.is_empty() => Ok(None),
            Ok(Event::Eof) => Err(self.truncated()),
            Ok(event) => {
                if is_leaf {
                    self.add(&event);
                }
                Ok(Some(Step::Nothing))
            }
            Err(error) => Err(self.error(error)),
        };
        self.token = token;
        step
    }

    /// The next step if no parser is needed for it.
    fn plain(&mut self, is_leaf: bool) -> Result<Option<Step>, FormatError> {
        if self.parser_is_amid {
            return Ok(None);
        }
        let feed = self.xml.get_ref();
        let Some((token, length)) = plain(feed.view()) else { return Ok(None) };
        let step = match token {
            Plain::Start(name) => {
                let at = self.names.len();
                self.names.push_str(name);
                self.start(at, false)?
            }
            Plain::End(name) => match self.path.last() {
                Some(open) if !open.is_parsers && self.names[open.name..] == *name => self.end(),
                _ => return Ok(None),
            },
            Plain::Text(text) if is_leaf => {
                push(&mut self.text, &mut self.is_too_long, text);
                Step::Nothing
            }
            Plain::Text(_) => Step::Nothing,
        };
        self.xml.get_mut().consume(length);
        Ok(Some(step))
    }

    /// The text that was whole with the last step, without the white space around it.
    pub(super) fn text(&self) -> &str {
        self.text.trim()
    }

    /// There was more of the text than a text may have.
    pub(super) fn is_too_long(&self) -> bool {
        self.is_too_long
    }

    /// The currency of the amount that was whole with the last step; empty if it names none.
    pub(super) fn currency(&self) -> &str {
        &self.currency
    }

    /// Line on which the entry or the detail began that began last.
    pub(super) fn line(&self) -> u64 {
        self.line
    }

    pub(super) fn bytes_read(&self) -> u64 {
        self.xml.get_ref().bytes_read()
    }

    /// An error at the place where we are.
    pub(super) fn malformed(&mut self, what: &'static str) -> FormatError {
        FormatError::MalformedFile { line: self.xml.get_mut().line(), what }
    }

    fn truncated(&mut self) -> FormatError {
        FormatError::TruncatedFile { line: self.xml.get_mut().line() }
    }

    /// A tag that the parser told.
    fn start_of(&mut self, tag: &BytesStart<'_>) -> Result<Step, FormatError> {
        let at = self.names.len();
        self.names.push_str(tag.name().as_ref());
        // An empty one does not end at the parser.
        let step = self.start(at, !self.ends_now)?;
        match step {
            Step::Begin(Place::Text(leaf)) if leaf.is_amount() => self.note_currency(tag),
            Step::Begin(Place::Entry | Place::Detail) => {
                let inside = tag.attributes_raw().bytes().filter(|byte| *byte == b'\n').count();
                self.line -= inside as u64;
            }
            _ => {}
        }
        Ok(step)
    }

    /// An element whose name begins at `name` among the names.
    fn start(&mut self, name: usize, is_parsers: bool) -> Result<Step, FormatError> {
        if self.path.len() == DEEPEST {
            return Err(self.malformed("elements are nested deeper than any bank nests them"));
        }
        let around = self.path.last().map_or(Place::Outside, |open| open.place);
        let local = local_name(&self.names[name..]);
        let place = around.child(local);
        self.path.push(Open { place, name, is_parsers });
        match place {
            Place::Text(leaf) => {
                self.text.clear();
                self.is_too_long = false;
                if leaf.is_amount() {
                    self.currency.clear();
                }
            }
            // Finding a line costs more than most tags do.
            Place::Entry | Place::Detail => self.line = self.xml.get_mut().line(),
            _ => {}
        }
        Ok(Step::Begin(place))
    }

    fn note_currency(&mut self, tag: &BytesStart<'_>) {
        // A repeated attribute is not looked for: the first one counts, and a hostile tag has many.
        let mut attributes = tag.attributes();
        let mut attributes = attributes.with_checks(false).flatten();
        if let Some(currency) = attributes.find(|attribute| attribute.key.local_name().as_ref() == "Ccy") {
            self.currency.push_str(currency.value.trim());
        }
    }

    /// An end tag that the parser told.
    fn end_of(&mut self, name: &str) -> Result<Step, FormatError> {
        match self.path.last() {
            Some(open) if self.names[open.name..] == *name => Ok(self.end()),
            _ => Err(self.malformed("an end tag that no start tag goes with")),
        }
    }

    /// The end of the innermost element.
    fn end(&mut self) -> Step {
        let Some(open) = self.path.pop() else { return Step::Nothing };
        self.names.truncate(open.name);
        match open.place {
            // A choice tells its text twice, with the element inside and with its own end: the same both times.
            Place::Text(leaf) => Step::Text(leaf),
            place => Step::End(place),
        }
    }

    /// Text of the leaf that we are in.
    fn add(&mut self, event: &Event<'_>) {
        match event {
            Event::Text(text) => self.push(&text.xml10_content()),
            Event::CData(text) => self.push(&text.xml10_content()),
            Event::GeneralRef(reference) => self.push_reference(reference),
            _ => {}
        }
        self.is_too_long |= self.xml.get_ref().was_cut;
    }

    fn push(&mut self, text: &str) {
        push(&mut self.text, &mut self.is_too_long, text);
    }

    /// Only the five entities of XML and the numbers of characters stand for something; all others for themselves,
    /// so that nothing ever expands.
    fn push_reference(&mut self, reference: &BytesRef<'_>) {
        let mut one = [0; 4];
        if let Ok(Some(c)) = reference.resolve_char_ref() {
            self.push(c.encode_utf8(&mut one));
        } else if let Some(text) = resolve_predefined_entity(reference) {
            self.push(text);
        } else {
            self.push("&");
            self.push(reference);
            self.push(";");
        }
    }

    fn error(&mut self, error: Error) -> FormatError {
        match error {
            Error::Io(_) if self.xml.get_ref().is_too_long => {
                self.malformed("a tag or a comment is longer than 64 KiB")
            }
            Error::Io(error) => FormatError::Unreadable(std::io::Error::new(error.kind(), error)),
            // What was begun would have to be closed, and there is nothing left.
            Error::Syntax(_) | Error::Encoding(_) if self.xml.get_ref().is_over() => self.truncated(),
            Error::Syntax(_) | Error::IllFormed(_) => self.malformed("a tag that is none"),
            _ => self.malformed("text that is not in the encoding of the file"),
        }
    }
}

/// The name of an element without the prefix of its namespace.
fn local_name(name: &str) -> &str {
    name.rfind(':').map_or(name, |colon| &name[colon + 1..])
}

/// Adds to the text of a leaf, unless that gets too long.
fn push(all: &mut String, is_too_long: &mut bool, text: &str) {
    if all.len() + text.len() > LONGEST_ITEM {
        *is_too_long = true;
    } else if text.bytes().any(may_be_control) {
        // Nothing in a statement is meant to control anything, and no database keeps a NUL.
        all.extend(text.chars().map(|c| if c.is_control() { ' ' } else { c }));
    } else {
        all.push_str(text);
    }
}

/// ASCII's own, and the first byte of those that came later.
fn may_be_control(byte: u8) -> bool {
    byte.is_ascii_control() || byte == 0xc2
}
