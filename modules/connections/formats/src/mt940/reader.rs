use std::io::Read;

use kernel::Currency;

use super::details::{Details, Memo};
use super::entry::{Entry, Refusal};
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
    };
    while let Some(item) = fields.next()? {
        match item {
            Item::Field(field) => reader.field(&field)?,
            Item::Envelope => {
                reader.end_message()?;
                reader.is_enveloped = true;
            }
            Item::End => {
                reader.end_message()?;
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
    entry: Option<Draft>,
}

/// A `:61:`, until it is known that no more of its `:86:` comes.
struct Draft {
    line: u64,
    row: Result<Row, Refusal>,
    /// What `:61:` itself tells of the name.
    name: Option<String>,
    supplement: String,
    details: String,
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
                // A new day without a word in between.
                if self.message.as_ref().is_some_and(|message| message.is_closed) {
                    self.message = None;
                }
                let is_page = field.tag == Tag::OpeningPage;
                let message = self.message.get_or_insert_default();
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
        let is_next = self.message.as_ref().is_some_and(|message| message.is_closed && message.has_account());
        if is_next {
            self.end_message()?;
        }
        self.message.get_or_insert_default().set_account(text);
        Ok(())
    }

    fn begin_entry(&mut self, field: &Field<'_>) -> Result<(), FormatError> {
        self.end_entry()?;
        let message = self.message.get_or_insert_default();
        let (_, currency) = self.statements.of(message, &mut self.tally)?;
        self.entry = Some(Draft::begin(field, currency, &mut self.tally.summary));
        Ok(())
    }

    /// More of what a row tells; elsewhere it is the bank's word about the statement.
    fn details(&mut self, field: &Field<'_>) {
        let Some(entry) = &mut self.entry else { return };
        if field.is_too_long || entry.details.len() + field.text.len() > LONGEST_ITEM {
            entry.row = Err(too_long());
            return;
        }
        if !entry.details.is_empty() {
            entry.details.push('\n');
        }
        entry.details.push_str(&field.text);
    }

    fn end_entry(&mut self) -> Result<(), FormatError> {
        let Some(entry) = self.entry.take() else { return Ok(()) };
        let message = self.message.get_or_insert_default();
        let (statement, _) = self.statements.of(message, &mut self.tally)?;
        match entry.finish() {
            Ok(row) => self.tally.row(statement, row),
            Err(rejected) => self.tally.rejected(statement, rejected),
        }
    }

    fn end_message(&mut self) -> Result<(), FormatError> {
        self.end_entry()?;
        self.message = None;
        Ok(())
    }

    fn finish(mut self, line: u64) -> Result<Summary, FormatError> {
        let is_cut = |message: &Message| !message.is_closed && !message.is_interim;
        if self.is_enveloped || self.message.as_ref().is_some_and(is_cut) {
            return Err(FormatError::TruncatedFile { line });
        }
        self.end_message()?;
        self.statements.finish(&mut self.tally)?;
        Ok(self.tally.summary)
    }
}

impl Draft {
    fn begin(field: &Field<'_>, currency: Currency, summary: &mut Summary) -> Self {
        let entry = if field.is_too_long { Err(too_long()) } else { Entry::parse(&field.text, currency) };
        let mut draft = Self {
            line: field.line,
            row: Err((RejectCode::MissingDate, String::new())),
            name: None,
            supplement: String::new(),
            details: String::with_capacity(256),
        };
        draft.row = entry.map(|entry| {
            summary.moved_dates += u64::from(entry.value.is_moved || entry.posted.is_moved);
            draft.name = entry.behind.map(str::to_owned);
            draft.supplement.push_str(entry.supplement);
            row(field.line, &entry)
        });
        draft
    }

    fn finish(self) -> Result<Row, RejectedRow> {
        let mut row = self.row.map_err(|(code, reason)| RejectedRow { line: self.line, code, reason })?;
        let mut details = Details::parse(&self.details);
        row.name = details.name.or(self.name);
        row.reference = details.reference.or(row.reference);
        self.supplement.lines().for_each(|line| details.memo.add(line));
        row.memo = Memo::finish(details.memo);
        Ok(row)
    }
}

fn row(line: u64, entry: &Entry<'_>) -> Row {
    let reference = entry.reference.map(str::to_owned);
    let (check_number, reference) =
        if entry.kind == RowKind::Check { (reference, None) } else { (None, reference) };
    Row {
        external_id: entry.bank_reference.map(str::to_owned),
        kind: entry.kind,
        check_number,
        reference,
        status: if entry.is_pending { RowStatus::Pending } else { RowStatus::Booked },
        value_on: Some(entry.value.date),
        ..Row::new(line, entry.posted.date, entry.amount)
    }
}

fn too_long() -> Refusal {
    (RejectCode::RowTooLong, "the entry is longer than 64 KiB".into())
}
