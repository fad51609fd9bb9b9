use std::io::Read;

use kernel::Currency;

use super::amount::Fault;
use super::batch;
use super::entry::Entry;
use super::row::Draft;
use super::statement::Statement;
use super::walk::{Step, Walk};
use super::{Leaf, Place};
use crate::sink::Tally;
use crate::source::Source;
use crate::{FormatError, RejectCode, RejectedRow, Sink, Summary};

/// Reads a whole CAMT document into `sink`.
pub(crate) fn read<R: Read>(
    source: Source<R>,
    default_currency: Option<Currency>,
    sink: &mut dyn Sink,
) -> Result<Summary, FormatError> {
    let mut walk = Walk::new(source);
    let mut reader = Reader::new(default_currency, sink);
    while let Some(step) = walk.next()? {
        match step {
            Step::Nothing => {}
            Step::Begin(place) => reader.begin(place, walk.line()),
            Step::Text(leaf) => reader.text(leaf, &walk),
            Step::End(place) => reader.end(place)?,
        }
        reader.tally.progress(walk.bytes_read())?;
    }
    reader.tally.progress(walk.bytes_read())?;
    if !reader.has_message {
        return Err(walk.malformed("there is no CAMT message in it"));
    }
    Ok(std::mem::take(&mut reader.tally.summary))
}

/// What is open around the next step.
struct Reader<'a> {
    default_currency: Option<Currency>,
    tally: Tally<'a>,
    has_message: bool,
    statement: Option<Statement>,
    entry: Option<Entry>,
    /// The rows of the entry that ended last.
    rows: Vec<Draft>,
}

impl<'a> Reader<'a> {
    fn new(default_currency: Option<Currency>, sink: &'a mut dyn Sink) -> Self {
        Self {
            default_currency,
            tally: Tally::new(sink),
            has_message: false,
            statement: None,
            entry: None,
            rows: Vec::new(),
        }
    }

    fn begin(&mut self, place: Place, line: u64) {
        match (place, &mut self.statement, &mut self.entry) {
            (Place::Message, ..) => self.has_message = true,
            (Place::Statement, ..) => self.statement = Some(Statement::default()),
            (Place::Balance, Some(statement), _) => statement.begin_balance(),
            (Place::Entry, ..) => self.entry = Some(Entry::begin(line)),
            (Place::Detail, _, Some(entry)) => entry.begin_detail(line),
            (Place::Charges, _, Some(entry)) => entry.begin_charges(),
            (Place::Charge, _, Some(entry)) => entry.begin_charge(),
            _ => {}
        }
    }

    fn text<R: Read>(&mut self, leaf: Leaf, walk: &Walk<R>) {
        let (text, default) = (walk.text(), self.default_currency);
        if walk.is_too_long() {
            // What is cut must not be taken for the whole: a number that lost its end is another number.
            self.entry.iter_mut().for_each(Entry::note_too_long);
            return;
        }
        match (&mut self.statement, &mut self.entry) {
            (Some(statement), Some(entry)) if leaf.is_amount() => {
                if leaf == Leaf::Amount {
                    statement.note_currency(walk.currency());
                }
                entry.set_amount(leaf, text, walk.currency(), statement.head.currency(default));
            }
            (_, Some(entry)) => entry.set(leaf, text),
            (Some(statement), None) if leaf == Leaf::BalanceAmount => {
                statement.set_balance(text, walk.currency(), default);
            }
            (Some(statement), None) => statement.set(leaf, text),
            (None, None) => {}
        }
    }

    fn end(&mut self, place: Place) -> Result<(), FormatError> {
        match (place, &mut self.statement, &mut self.entry) {
            (Place::Statement, Some(statement), _) => {
                statement.end(self.default_currency, &mut self.tally)?;
                self.statement = None;
            }
            (Place::Balance, Some(statement), _) => statement.end_balance(self.default_currency),
            (Place::Entry, ..) => self.end_entry()?,
            (Place::Detail, _, Some(entry)) => entry.end_detail(),
            (Place::Charges, _, Some(entry)) => entry.end_charges(),
            (Place::Charge, _, Some(entry)) => entry.end_charge(),
            _ => {}
        }
        Ok(())
    }

    fn end_entry(&mut self) -> Result<(), FormatError> {
        let (Some(statement), Some(mut entry)) = (&mut self.statement, self.entry.take()) else {
            return Ok(());
        };
        let (number, currency) = statement.head.give_out(self.default_currency, &mut self.tally)?;
        let essentials = match entry.essentials() {
            Ok(essentials) => essentials,
            Err(Fault { code, reason }) => {
                if code != RejectCode::InformationOnly {
                    statement.reversals.note_rejected();
                }
                return self.tally.rejected(number, RejectedRow { line: entry.line, code, reason });
            }
        };
        batch::rows(&entry, &essentials, statement.account_number(), &mut self.rows);
        for draft in self.rows.drain(..) {
            if entry.is_reversal {
                for row in statement.reversals.hold(draft, currency) {
                    self.tally.row(number, row)?;
                }
            } else {
                statement.reversals.note(&draft.row, currency);
                self.tally.row(number, draft.row)?;
            }
        }
        Ok(())
    }
}
