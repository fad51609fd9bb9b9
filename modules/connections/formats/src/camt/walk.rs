use std::io::Read;

use quick_xml::Reader;
use quick_xml::errors::Error;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesRef, BytesStart, Event};

use super::feed::Feed;
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
pub(super) struct Walk<R> {
    xml: Reader<Feed<R>>,
    /// What the parser puts a token in.
    token: Vec<u8>,
    /// From the root down to where we are.
    path: Vec<Place>,
    /// `<Tag/>` has begun and ends next.
    ends_now: bool,
    text: String,
    is_too_long: bool,
    currency: String,
    line: u64,
}

impl<R: Read> Walk<R> {
    pub(super) fn new(source: Source<R>) -> Self {
        let mut xml = Reader::from_reader(Feed::new(source));
        // Banks forget to escape it more often than not.
        xml.config_mut().allow_dangling_amp = true;
        Self {
            xml,
            token: Vec::new(),
            path: Vec::with_capacity(DEEPEST),
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
        let leaf = match self.path.last() {
            Some(Place::Text(leaf)) => Some(*leaf),
            _ => None,
        };
        self.xml.get_mut().begin(leaf.is_none())?;
        let mut token = std::mem::take(&mut self.token);
        token.clear();
        let step = match self.xml.read_event_into(&mut token) {
            Ok(Event::Start(tag)) => self.start(&tag).map(Some),
            Ok(Event::Empty(tag)) => {
                self.ends_now = true;
                self.start(&tag).map(Some)
            }
            Ok(Event::End(_)) => Ok(Some(self.end())),
            Ok(Event::DocType(_)) => Err(self.malformed("a document type definition has no place in it")),
            Ok(Event::Eof) if self.path.is_empty() => Ok(None),
            Ok(Event::Eof) => Err(self.truncated()),
            Ok(event) => {
                if leaf.is_some() {
                    self.add(&event);
                }
                Ok(Some(Step::Nothing))
            }
            Err(error) => Err(self.error(error)),
        };
        self.token = token;
        step
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

    fn start(&mut self, tag: &BytesStart<'_>) -> Result<Step, FormatError> {
        if self.path.len() == DEEPEST {
            return Err(self.malformed("elements are nested deeper than any bank nests them"));
        }
        let around = self.path.last().copied().unwrap_or(Place::Outside);
        let place = around.child(tag.local_name().as_ref());
        self.path.push(place);
        match place {
            Place::Text(leaf) => {
                self.text.clear();
                self.is_too_long = false;
                if leaf.is_amount() {
                    self.note_currency(tag);
                }
            }
            // Finding a line costs more than most tags do.
            Place::Entry | Place::Detail => {
                let inside = tag.attributes_raw().bytes().filter(|byte| *byte == b'\n').count();
                self.line = self.xml.get_mut().line() - inside as u64;
            }
            _ => {}
        }
        Ok(Step::Begin(place))
    }

    fn note_currency(&mut self, tag: &BytesStart<'_>) {
        self.currency.clear();
        // A repeated attribute is not looked for: the first one counts, and a hostile tag has many.
        let mut attributes = tag.attributes();
        let mut attributes = attributes.with_checks(false).flatten();
        if let Some(currency) = attributes.find(|attribute| attribute.key.local_name().as_ref() == "Ccy") {
            self.currency.push_str(currency.value.trim());
        }
    }

    fn end(&mut self) -> Step {
        match self.path.pop() {
            // A choice tells its text twice, with the element inside and with its own end: the same both times.
            Some(Place::Text(leaf)) => Step::Text(leaf),
            Some(place) => Step::End(place),
            None => Step::Nothing,
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
        if self.text.len() + text.len() > LONGEST_ITEM {
            self.is_too_long = true;
        } else if text.bytes().any(may_be_control) {
            // Nothing in a statement is meant to control anything, and no database keeps a NUL.
            self.text.extend(text.chars().map(|c| if c.is_control() { ' ' } else { c }));
        } else {
            self.text.push_str(text);
        }
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
            Error::Syntax(_) => self.malformed("a tag that is none"),
            Error::IllFormed(_) => self.malformed("an end tag that no start tag goes with"),
            _ => self.malformed("text that is not in the encoding of the file"),
        }
    }
}

/// ASCII's own, and the first byte of those that came later.
fn may_be_control(byte: u8) -> bool {
    byte.is_ascii_control() || byte == 0xc2
}
