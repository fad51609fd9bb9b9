use super::evidence::posted_part;
use super::headers::{Meaning, candidates, fingerprint, is_known, known_names, normal};
use super::profiles::recognise;
use super::record::{Record, Records};
use super::{AmountColumns, Column, Columns, Mapping, date::Written, direction};
use crate::amount::{Bare, is_amount_or_empty, is_negative};
use crate::source::Source;
use crate::survey::HEAD_BYTES;
use crate::{Encoding, FormatError};

pub(super) const DELIMITERS: [char; 4] = [',', ';', '\t', '|'];
pub(super) const QUOTE: char = '"';
/// A header row comes within the first lines, or not at all.
pub(super) const LAST_HEADER_ROW: usize = 100;
const SAMPLED_ROWS: usize = 300;

/// Says from the head of a table how to read it: as one of the layouts that we know, else by a guess.
///
/// What the head leaves open (the order of dates, the decimal mark) is `None` in the mapping: `decide` looks at
/// all rows for it. Refuses with `NoDateColumn` or `NoAmountColumn`.
pub fn suggest(head: &[u8], encoding: &Encoding) -> Result<Mapping, FormatError> {
    if let Some((_, mapping)) = recognise(head, encoding) {
        return Ok(mapping);
    }
    let samples = DELIMITERS.iter().map(|delimiter| Sample::take(head, encoding, *delimiter, QUOTE));
    let samples = samples.collect::<Result<Vec<_>, _>>()?;
    let score = |sample: &&Sample| (sample.known_names, sample.usual_width());
    // `max_by_key` keeps the last of equals; a comma is the better guess.
    let Some(best) = samples.iter().rev().max_by_key(score) else { return Err(FormatError::NoDateColumn) };
    if best.has_apostrophes() {
        return Sample::take(head, encoding, best.delimiter, '\'')?.with_header();
    }
    if best.known_names < 2 {
        let without_header = samples.iter().find_map(Sample::without_header);
        return without_header.ok_or(FormatError::NoDateColumn);
    }
    best.with_header()
}

/// The first records of a file under one delimiter.
struct Sample {
    delimiter: char,
    quote: char,
    header: Vec<String>,
    known_names: usize,
    /// Rows after the header, or all if there is none.
    rows: Vec<Vec<String>>,
}

impl Sample {
    fn take(head: &[u8], encoding: &Encoding, delimiter: char, quote: char) -> Result<Self, FormatError> {
        let rows = head_rows(head, encoding, delimiter, quote)?;
        let known: Vec<_> = rows.iter().take(LAST_HEADER_ROW).map(|row| known_names(row)).collect();
        let best = known.iter().copied().max().unwrap_or(0);
        let mut sample = Self { delimiter, quote, header: vec![], known_names: best, rows };
        if let Some(at) = known.iter().position(|count| *count == best).filter(|_| best >= 2) {
            let rows = sample.rows.split_off(at + 1);
            sample.header = sample.rows.pop().unwrap_or_default();
            sample.rows = rows;
        }
        Ok(sample)
    }

    /// Whether the cells of the header stand between apostrophes instead of quotes.
    fn has_apostrophes(&self) -> bool {
        let is_quoted = |name: &String| name.len() > 2 && name.starts_with('\'') && name.ends_with('\'');
        self.known_names >= 2 && self.header.iter().all(is_quoted)
    }

    /// How many columns most rows have.
    fn usual_width(&self) -> usize {
        let mut widths: Vec<_> = self.rows.iter().map(Vec::len).collect();
        widths.sort_unstable();
        widths.get(widths.len() / 2).copied().unwrap_or(self.header.len())
    }

    fn with_header(&self) -> Result<Mapping, FormatError> {
        let mut taken = vec![];
        let date = self.first(Meaning::Date, &mut taken, is_date).ok_or(FormatError::NoDateColumn)?;
        let amount = self.amounts(&mut taken)?;
        let transaction_date = self.first(Meaning::TransactionDate, &mut taken, is_date);
        let currency = self.first(Meaning::Currency, &mut taken, is_currency);
        let balance = self.first(Meaning::Balance, &mut taken, is_amount);
        let name = self.name(&mut taken);
        let account = self.first(Meaning::Account, &mut taken, |_| true);
        let account = account.filter(|account| !self.is_of_other_side(*account, name));
        let columns = Columns {
            transaction_date: self.optional(transaction_date),
            currency: self.optional(currency),
            balance: self.optional(balance),
            name: self.optional(name),
            memo: self.optional(self.first(Meaning::Memo, &mut taken, |_| true)),
            external_id: self.optional(self.first(Meaning::Id, &mut taken, |_| true)),
            check_number: self.optional(self.first(Meaning::CheckNumber, &mut taken, |_| true)),
            account: self.optional(account),
            ..Columns::new(self.column(date), amount)
        };
        let mut mapping = self.mapping(columns, true);
        mapping.invert_sign = self.is_inverted(&mapping.columns);
        Ok(mapping)
    }

    /// One column of dates, one of amounts with decimals and one of text: a table without header has a meaning
    /// only if there is no choice.
    fn without_header(&self) -> Option<Mapping> {
        let width = self.usual_width();
        let rows: Vec<_> = self.rows.iter().filter(|row| row.len() == width).collect();
        let all = |index: usize, test: fn(&str) -> bool| {
            let cells = || rows.iter().map(|row| row[index].as_str()).filter(|cell| !cell.is_empty());
            cells().count() * 2 >= rows.len() && cells().all(test)
        };
        let only = |test: fn(&str) -> bool| {
            let mut found = (0..width).filter(|index| all(*index, test));
            found.next().filter(|_| found.next().is_none())
        };
        let date = (0..width).find(|index| all(*index, is_date)).filter(|_| rows.len() > 1)?;
        let amount = only(|cell| is_amount(cell) && cell.contains(['.', ',']) && !is_date(cell))?;
        let name = (0..width).filter(|index| *index != date && *index != amount);
        let name = name.max_by_key(|index| self.letters(*index));
        let amount = AmountColumns::Signed(Column::Index(amount));
        let columns = Columns { name: name.map(Column::Index), ..Columns::new(Column::Index(date), amount) };
        Some(self.mapping(columns, false))
    }

    fn mapping(&self, columns: Columns, has_header: bool) -> Mapping {
        Mapping {
            delimiter: self.delimiter,
            quote: self.quote,
            has_header,
            columns,
            statuses: vec![],
            date_order: None,
            decimal_mark: None,
            invert_sign: false,
            bare_is_debit: None,
            // What a file says of its currency is read from that file, as the mapping may be used for others.
            currency: None,
            header_fingerprint: has_header.then(|| fingerprint(&self.header, self.delimiter)),
        }
    }

    /// Debit and credit columns, or one amount with or without a word for its direction.
    fn amounts(&self, taken: &mut Vec<usize>) -> Result<AmountColumns, FormatError> {
        // `Value` may be a day, too, and 20250115 is a number.
        let amount = self.first(Meaning::Amount, taken, |cell| is_amount(cell) && !is_date(cell));
        if let Some(amount) = amount.filter(|amount| self.is_mostly_filled(*amount)) {
            let is_unsigned = |cell: &str| !is_negative(cell) && !cell.contains('+');
            let is_unsigned =
                self.rows.iter().filter_map(|row| row.get(amount)).all(|cell| is_unsigned(cell));
            let direction = if is_unsigned { self.direction(taken) } else { None };
            let amount = self.column(amount);
            return Ok(match direction.filter(|_| !self.rows.is_empty()) {
                Some(direction) => AmountColumns::Directed { amount, direction: self.column(direction) },
                None => AmountColumns::Signed(amount),
            });
        }
        let debit = self.first(Meaning::Debit, taken, is_amount_or_empty);
        let credit = self.first(Meaning::Credit, taken, is_amount_or_empty);
        let (Some(debit), Some(credit)) = (debit, credit) else { return Err(FormatError::NoAmountColumn) };
        Ok(AmountColumns::DebitCredit {
            debit: self.column(debit),
            credit: self.column(credit),
            // Turned round, debits have a minus if they had none before.
            debit_is_negative: self.is_mostly_negative(debit) || self.is_mostly_negative(credit),
        })
    }

    /// The column that says which way the money went: by its name, else one of unknown name by its words for both ways,
    /// or by a mark at each credit.
    fn direction(&self, taken: &mut Vec<usize>) -> Option<usize> {
        let named = self.first(Meaning::Direction, taken, |cell| direction(cell).is_some());
        named.or_else(|| {
            let is_free = |index: &usize| !is_known(&self.header[*index]);
            let free = || (0..self.header.len()).filter(is_free);
            let found = free()
                .find(|index| self.says_both_ways(*index))
                .or_else(|| free().find(|index| self.marks_credits(*index)));
            taken.extend(found);
            found
        })
    }

    fn says_both_ways(&self, index: usize) -> bool {
        let cells = self.rows.iter().filter_map(|row| row.get(index)).filter(|cell| !cell.is_empty());
        let ways: Vec<_> = cells.map(|cell| direction(cell)).collect();
        let says = |way: Option<bool>| ways.iter().filter(|other| **other == way).count();
        says(Some(true)) > 0 && says(Some(false)) > 0 && says(None) * 10 <= ways.len()
    }

    /// Whether a column has `CR` or `+` on some rows and nothing on the others.
    fn marks_credits(&self, index: usize) -> bool {
        let cells = || self.rows.iter().filter_map(|row| row.get(index));
        let is_mark = |cell: &String| cell == "+" || cell.eq_ignore_ascii_case("cr");
        cells().any(is_mark)
            && cells().any(String::is_empty)
            && cells().all(|cell| cell.is_empty() || is_mark(cell))
    }

    /// Whether most amounts of a column have a minus; a dash in place of an amount is none, and neither is a zero.
    fn is_mostly_negative(&self, index: usize) -> bool {
        let is_something = |cell: &&String| is_amount(cell) && cell.contains(|c| matches!(c, '1'..='9'));
        let cells = || self.rows.iter().filter_map(|row| row.get(index)).filter(is_something);
        cells().filter(|cell| is_negative(cell)).count() * 2 > cells().count()
    }

    fn is_mostly_filled(&self, index: usize) -> bool {
        let filled =
            self.rows.iter().filter(|row| row.get(index).is_some_and(|cell| !cell.is_empty())).count();
        filled * 2 >= self.rows.len()
    }

    /// The surest column for `meaning` that is free and whose cells bear it out, footers aside.
    fn first(&self, meaning: Meaning, taken: &mut Vec<usize>, test: fn(&str) -> bool) -> Option<usize> {
        let bears_out = |index: usize| {
            let cells = || self.rows.iter().filter_map(|row| row.get(index)).filter(|cell| !cell.is_empty());
            cells().filter(|cell| test(cell)).count() * 2 >= cells().count()
        };
        let found = candidates(&self.header, meaning)
            .into_iter()
            .find(|index| !taken.contains(index) && bears_out(*index));
        taken.extend(found);
        found
    }

    /// The column of the counterparty, or of the one text that there is: by its name, else the one of unknown name with
    /// most to read in it.
    fn name(&self, taken: &mut Vec<usize>) -> Option<usize> {
        let has_text =
            |index: usize| self.rows.iter().any(|row| row.get(index).is_some_and(|cell| !cell.is_empty()));
        let is_filled = |index: usize| self.rows.is_empty() || has_text(index);
        let named = candidates(&self.header, Meaning::Name).into_iter();
        let found = named.filter(|index| !taken.contains(index)).find(|index| is_filled(*index));
        let found = found.or_else(|| {
            let is_free = |index: &usize| !taken.contains(index) && !is_known(&self.header[*index]);
            let others = (0..self.header.len()).filter(is_free);
            let others = others.filter(|index| self.letters(*index) > self.rows.len());
            others.max_by_key(|index| self.letters(*index))
        });
        taken.extend(found);
        found
    }

    /// Whether a column of account numbers is the counterparty's: it stands behind the name and is not the same in all
    /// rows. `Account` alone is what programs call the owner's.
    fn is_of_other_side(&self, account: usize, name: Option<usize>) -> bool {
        let mut numbers = self.rows.iter().filter_map(|row| row.get(account));
        let first = numbers.next();
        let is_behind = name.is_some_and(|name| name < account) && normal(&self.header[account]) != "account";
        is_behind && numbers.any(|number| Some(number) != first)
    }

    /// How many letters a column has: numbers, dates and account numbers have few.
    fn letters(&self, index: usize) -> usize {
        let cells = self.rows.iter().filter_map(|row| row.get(index));
        cells.map(|cell| cell.chars().filter(|c| c.is_alphabetic()).count()).sum()
    }

    /// By name, so that the mapping outlives a new column; by number where the name is not unique.
    fn column(&self, index: usize) -> Column {
        let name = &self.header[index];
        let is_unique = self.header.iter().filter(|other| *other == name).count() == 1;
        if is_unique { Column::Name(name.clone()) } else { Column::Index(index) }
    }

    fn optional(&self, index: Option<usize>) -> Option<Column> {
        index.map(|index| self.column(index))
    }

    /// Card exports with the owner's view turned round: payments to the card are negative there, be it in a column of
    /// their own, and nearly all else is positive.
    fn is_inverted(&self, columns: &Columns) -> bool {
        let place = |column: &Column| super::headers::position(&self.header, column);
        let amount = match &columns.amount {
            AmountColumns::Signed(amount) => place(amount),
            AmountColumns::DebitCredit { debit, credit, .. } => {
                let (debit, credit) = (place(debit), place(credit));
                return credit.is_some_and(|at| self.is_mostly_negative(at))
                    && !debit.is_some_and(|at| self.is_mostly_negative(at));
            }
            AmountColumns::Directed { .. } => None,
        };
        let Some(amount) = amount else { return false };
        let is_negative = |row: &&Vec<String>| row.get(amount).is_some_and(|cell| is_negative(cell));
        let says_so = |cell: &String| {
            let text = cell.to_lowercase();
            let says = |words: &str| text.contains(words);
            (says("payment") && (says("thank you") || says("received")))
                || says("internet transfer from account ending")
        };
        let is_payment = |row: &&Vec<String>| row.iter().any(says_so);
        let payments = || self.rows.iter().filter(is_payment);
        let others = || self.rows.iter().filter(|row| !is_payment(row));
        payments().count() > 0
            && payments().all(|row| is_negative(&row))
            && others().filter(is_negative).count() * 4 < others().count()
    }
}

/// The first records of a file, taken with this delimiter and this quote.
pub(super) fn head_rows(
    head: &[u8],
    encoding: &Encoding,
    delimiter: char,
    quote: char,
) -> Result<Vec<Vec<String>>, FormatError> {
    let mut records = Records::new(Source::new(head, encoding.codec()), delimiter, quote);
    let mut rows = vec![];
    while rows.len() < SAMPLED_ROWS {
        let Some((_, record)) = records.next()? else { break };
        if let Record::Cells(cells) = record {
            rows.push(cells.texts().map(|text| text.into_owned()).collect());
        }
    }
    // The head of a longer file ends inside a row.
    if head.len() >= HEAD_BYTES && rows.len() < SAMPLED_ROWS {
        rows.pop();
    }
    Ok(rows)
}

pub(super) fn is_date(cell: &str) -> bool {
    Written::parse(posted_part(cell)).is_some()
}

fn is_currency(cell: &str) -> bool {
    kernel::Currency::parse(cell).is_ok()
}

pub(super) fn is_amount(cell: &str) -> bool {
    !Bare::of(cell).number.is_empty() && is_amount_or_empty(cell)
}
