use std::io::Read;

use super::headers::position;
use super::preamble::Preamble;
use super::record::{Cells, Record, Records};
use super::suggest::LAST_HEADER_ROW;
use super::{AmountColumns, Column, Mapping, direction};
use crate::FormatError;
use crate::amount::{Way, way_of};

/// A mapping bound to one file: column numbers in place of names.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    pub(super) date: usize,
    pub(super) amount: AmountAt,
    pub(super) fee: Option<usize>,
    pub(super) transaction_date: Option<usize>,
    pub(super) value_date: Option<usize>,
    pub(super) name: Option<usize>,
    pub(super) payer: Option<usize>,
    pub(super) payee: Option<usize>,
    pub(super) memo: Option<usize>,
    pub(super) memo_continued: Vec<usize>,
    pub(super) external_id: Option<usize>,
    pub(super) reference: Option<usize>,
    pub(super) category: Option<usize>,
    pub(super) check_number: Option<usize>,
    pub(super) balance: Option<usize>,
    pub(super) currency: Option<usize>,
    pub(super) account: Option<usize>,
    /// What the account is called, in an export of ours.
    pub(super) account_name: Option<usize>,
    /// The columns of `Mapping::statuses`, in their order.
    pub(super) statuses: Vec<usize>,
    /// How many columns the header names.
    width: Option<usize>,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum AmountAt {
    Signed(usize),
    DebitCredit { debit: usize, credit: usize, debit_is_negative: bool },
    Directed { amount: usize, direction: usize },
}

impl AmountAt {
    /// The columns that hold amounts; the same one twice if there is but one.
    pub(super) fn columns(self) -> [usize; 2] {
        match self {
            Self::Signed(amount) | Self::Directed { amount, .. } => [amount, amount],
            Self::DebitCredit { debit, credit, .. } => [debit, credit],
        }
    }

    /// Whether nothing in the row says which way its money went.
    pub(super) fn is_unsigned(self, cells: &Cells<'_>) -> bool {
        matches!(self, Self::Signed(_)) && matches!(self.way(cells), None | Some(Way::Bare))
    }

    /// What the sign of a row's amount or the word for its direction says; `None` where its column says it, or there is
    /// no amount.
    pub(super) fn way(self, cells: &Cells<'_>) -> Option<Way> {
        match self {
            Self::Signed(amount) => way_of(&cells.text(amount)),
            Self::DebitCredit { .. } => None,
            Self::Directed { amount, direction: at } => {
                match (way_of(&cells.text(amount))?, &*cells.text(at)) {
                    (Way::Left, _) => Some(Way::Left),
                    (_, "") => Some(Way::Bare),
                    (_, word) => Some(
                        direction(word).map_or(Way::Unknown, |came| if came { Way::Came } else { Way::Left }),
                    ),
                }
            }
        }
    }
}

impl Layout {
    /// Reads up to and with the header row. What stands before it is the preamble.
    pub(super) fn find<R: Read>(
        mapping: &Mapping,
        records: &mut Records<R>,
    ) -> Result<(Self, Preamble), FormatError> {
        let mut preamble = Preamble::default();
        if !mapping.has_header {
            return Self::bind(mapping, &[])
                .map(|layout| (layout, preamble))
                .ok_or_else(|| not_found(mapping));
        }
        for _ in 0..LAST_HEADER_ROW {
            let Some((_, record)) = records.next()? else { break };
            let Record::Cells(cells) = record else { continue };
            let cells: Vec<String> = cells.texts().map(|text| text.into_owned()).collect();
            if let Some(layout) = Self::bind(mapping, &cells) {
                // The header of this file, not of the one that the mapping was made for.
                let names = layout.amount.columns().map(|at| cells.get(at).map_or("", String::as_str));
                names.into_iter().for_each(|name| preamble.read_amount_name(name));
                return Ok((layout, preamble));
            }
            preamble.read(&cells);
        }
        Err(not_found(mapping))
    }

    /// `None` if `header` does not have every column that the mapping names.
    fn bind(mapping: &Mapping, header: &[String]) -> Option<Self> {
        let columns = &mapping.columns;
        let place = |column: &Column| position(header, column);
        let optional = |column: &Option<Column>| match column {
            Some(column) => place(column).map(Some),
            None => Some(None),
        };
        let amount = match &columns.amount {
            AmountColumns::Signed(amount) => AmountAt::Signed(position(header, amount)?),
            AmountColumns::DebitCredit { debit, credit, debit_is_negative } => AmountAt::DebitCredit {
                debit: position(header, debit)?,
                credit: position(header, credit)?,
                debit_is_negative: *debit_is_negative,
            },
            AmountColumns::Directed { amount, direction } => AmountAt::Directed {
                amount: position(header, amount)?,
                direction: position(header, direction)?,
            },
        };
        let account_name = mapping.is_ours().then(|| place(&Column::Name("account_name".to_owned())));
        Some(Self {
            date: position(header, &columns.date)?,
            amount,
            fee: optional(&columns.fee)?,
            transaction_date: optional(&columns.transaction_date)?,
            value_date: optional(&columns.value_date)?,
            name: optional(&columns.name)?,
            payer: optional(&columns.payer)?,
            payee: optional(&columns.payee)?,
            memo: optional(&columns.memo)?,
            memo_continued: columns.memo_continued.iter().map(place).collect::<Option<_>>()?,
            external_id: optional(&columns.external_id)?,
            reference: optional(&columns.reference)?,
            category: optional(&columns.category)?,
            check_number: optional(&columns.check_number)?,
            balance: optional(&columns.balance)?,
            currency: optional(&columns.currency)?,
            account: optional(&columns.account)?,
            account_name: account_name.flatten(),
            statuses: mapping.statuses.iter().map(|status| place(&status.column)).collect::<Option<_>>()?,
            width: mapping.has_header.then_some(header.len()),
        })
    }

    /// Whether a record is long enough to be a row.
    pub(super) fn fits(&self, cells: &Cells<'_>) -> bool {
        let [first, second] = self.amount.columns();
        // A credit column at the end may be left out where it is empty.
        cells.len() > self.date && cells.len() > first.min(second)
    }

    /// Whether a delimiter inside a cell that nobody put between quotes has moved the amount of a record, or cut it:
    /// there is more in the record than its header has names for, and not all of it can stand behind the amount.
    pub(super) fn is_shifted(&self, cells: &Cells<'_>) -> bool {
        let Some(width) = self.width.filter(|width| cells.len() > *width) else { return false };
        if (width..cells.len()).all(|at| cells.text(at).is_empty()) {
            return false;
        }
        let [first, second] = self.amount.columns();
        let last = first.max(second);
        let dates = [Some(self.date), self.transaction_date, self.value_date];
        let is_one_word = |at: usize| {
            at == first
                || at == second
                || dates.contains(&Some(at))
                || [self.currency, self.account].contains(&Some(at))
        };
        let is_cut =
            |at: usize| is_digits(&cells.text(at + 1), 1..=2) && !cells.text(at).contains(['.', ',']);
        !(0..last).all(is_one_word) || is_cut(first) || is_cut(second)
    }
}

fn is_digits(text: &str, lengths: std::ops::RangeInclusive<usize>) -> bool {
    lengths.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn not_found(mapping: &Mapping) -> FormatError {
    let columns = mapping.all_columns().map(|column| match column {
        Column::Name(name) => name.clone(),
        Column::Index(index) => format!("#{index}"),
    });
    FormatError::HeaderNotFound { columns: columns.collect() }
}
