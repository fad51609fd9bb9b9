use std::io::Read;

use kernel::Currency;

use super::details::{Details, Memo};
use super::entry::Entry;
use super::field::{Field, Fields, Item, Tag};
use super::statement::{Message, Statements};
use crate::sink::Tally;
use crate::source::{LONGEST_ITEM, Source};
use crate::{FormatError, RejectCode, RejectedRow, Row, RowKind, RowStatus, Sink, Summary};

/// Reads a whole file into `sink`.
pub(crate) fn read<R: Read>(
    source: Source<R>,
    default_currency: Option<Currency>,
    sink: &mut dyn Sink,
) -> Result<Summary, FormatError> {
    let mut fields = Fields::new(source);
    let mut reader = Reader {
        tally: Tally::new(sink),
        statements: Statements::new(default_currency),
        message: None,
        is_enveloped: false,
        entry: None,
        entry_text: String::with_capacity(256),
        details: String::with_capacity(1024),
    };
    while let Some(item) = fields.next()? {
        match item {
            Item::Field(field) => reader.field(&field)?,
            Item::Envelope => {
                reader.end_message()?;
                reader.is_enveloped = true;
            }
            Item::End => {
                reader.end_entry()?;
                reader.message.iter_mut().for_each(|message| message.is_ended = true);
                reader.is_enveloped = false;
            }
        }
        reader.tally.progress(fields.bytes_read())?;
    }
    reader.tally.progress(fields.bytes_read())?;
    reader.finish(fields.line())
}

struct Reader<'a> {
    tally: Tally<'a>,
    statements: Statements,
    message: Option<Message>,
    /// Inside of an envelope, which says for sure where its message ends.
    is_enveloped: bool,
    entry: Option<Begun>,
    /// The text of its `:61:`.
    entry_text: String,
    /// The text of all `:86:` of the entry in hand.
    details: String,
}

/// A `:61:`, until it is known that no more of its `:86:` comes.
#[derive(Clone, Copy)]
struct Begun {
    line: u64,
    is_too_long: bool,
}

impl Reader<'_> {
    fn field(&mut self, field: &Field<'_>) -> Result<(), FormatError> {
        let text: &str = &field.text;
        match field.tag {
            Tag::Reference => {
                self.end_message()?;
                self.message = Some(Message::default());
            }
            Tag::Account | Tag::AccountWithBank => self.account(text)?,
            Tag::Number | Tag::Forward => self.end_entry()?,
            Tag::Opening | Tag::OpeningPage => {
                self.end_entry()?;
                let is_page = field.tag == Tag::OpeningPage;
                let message = self.message.get_or_insert_default();
                if message.is_closed || message.is_ended {
                    *message = std::mem::take(message).next();
                }
                self.statements.open(message, text, is_page, &mut self.tally)?;
            }
            Tag::Entry => self.begin_entry(field)?,
            Tag::Details => self.details(field),
            Tag::Closing | Tag::ClosingPage => {
                self.end_entry()?;
                let is_page = field.tag == Tag::ClosingPage;
                let message = self.message.get_or_insert_default();
                self.statements.close(message, text, is_page, &mut self.tally)?;
            }
            Tag::Available => {
                self.end_entry()?;
                let message = self.message.get_or_insert_default();
                self.statements.available(message, text, &mut self.tally)?;
            }
            Tag::FloorLimit | Tag::WrittenAt | Tag::Sum => {
                self.end_entry()?;
                let message = self.message.get_or_insert_default();
                message.is_interim = true;
                if let (Tag::FloorLimit, Some(code)) = (field.tag, text.get(..3)) {
                    message.set_currency(code);
                }
            }
        }
        Ok(())
    }

    fn account(&mut self, text: &str) -> Result<(), FormatError> {
        let is_next = self.message.as_ref().is_some_and(Message::has_its_account);
        if is_next {
            self.end_message()?;
        }
        self.message.get_or_insert_default().set_account(text);
        Ok(())
    }

    fn begin_entry(&mut self, field: &Field<'_>) -> Result<(), FormatError> {
        self.end_entry()?;
        let message = self.message.get_or_insert_default();
        self.statements.of(message, &mut self.tally)?;
        self.entry = Some(Begun { line: field.line, is_too_long: field.is_too_long });
        self.entry_text.push_str(&field.text);
        Ok(())
    }

    /// More of what a row tells; elsewhere it is the bank's word about the statement.
    fn details(&mut self, field: &Field<'_>) {
        let Some(entry) = &mut self.entry else { return };
        if field.is_too_long || self.details.len() + field.text.len() > LONGEST_ITEM {
            entry.is_too_long = true;
            return;
        }
        if !self.details.is_empty() {
            self.details.push('\n');
        }
        self.details.push_str(&field.text);
    }

    fn end_entry(&mut self) -> Result<(), FormatError> {
        let Some(entry) = self.entry.take() else { return Ok(()) };
        let message = self.message.get_or_insert_default();
        let (statement, currency) = self.statements.of(message, &mut self.tally)?;
        let read = if entry.is_too_long {
            Err((RejectCode::RowTooLong, "the entry is longer than 64 KiB".to_owned()))
        } else {
            Entry::parse(&self.entry_text, currency)
        };
        match read {
            Ok(read) => {
                self.tally.summary.moved_dates += u64::from(read.value.is_moved || read.posted.is_moved);
                self.tally.row(statement, row(entry.line, &read, &self.details))?;
            }
            Err((code, reason)) => {
                self.tally.rejected(statement, RejectedRow { line: entry.line, code, reason })?;
            }
        }
        self.entry_text.clear();
        self.details.clear();
        Ok(())
    }

    fn end_message(&mut self) -> Result<(), FormatError> {
        self.end_entry()?;
        self.message = None;
        Ok(())
    }

    fn finish(mut self, line: u64) -> Result<Summary, FormatError> {
        let is_cut = |message: &Message| !message.is_closed && !message.is_interim && !message.is_ended;
        if self.is_enveloped || self.message.as_ref().is_some_and(is_cut) {
            return Err(FormatError::TruncatedFile { line });
        }
        self.end_message()?;
        self.statements.finish(&mut self.tally)?;
        Ok(self.tally.summary)
    }
}

fn row(line: u64, entry: &Entry<'_>, details: &str) -> Row {
    let mut details = Details::parse(details);
    entry.supplement.lines().for_each(|line| details.memo.add(line));
    let own = entry.reference.map(str::to_owned);
    let (check_number, own) = if entry.kind == RowKind::Check { (own, None) } else { (None, own) };
    Row {
        external_id: entry.bank_reference.map(str::to_owned),
        name: details.name.or_else(|| entry.behind.map(str::to_owned)),
        memo: Memo::finish(details.memo),
        kind: entry.kind,
        check_number,
        reference: details.reference.or(own),
        status: if entry.is_pending { RowStatus::Pending } else { RowStatus::Booked },
        value_on: Some(entry.value.date),
        ..Row::new(line, entry.posted.date, entry.amount)
    }
}
