use kernel::{Currency, Money};

use super::Tag;
use super::date::OfxDate;
use super::field::{CurrencyFields, DateField, Fault, Part, amount, too_long};
use super::kind::kind;
use super::loan::LoanParts;
use super::token::Value;
use crate::{Correction, CorrectionAction, RejectedRow, Row, RowKind};

/// A transaction while its elements come in. One is kept and used again for every row.
#[derive(Debug, Default)]
pub(super) struct RowDraft {
    line: u64,
    posted: DateField,
    user: DateField,
    available: DateField,
    amount: String,
    kind: RowKind,
    id: Option<String>,
    name: Option<String>,
    payee_name: Option<String>,
    extended_name: Option<String>,
    memo: Option<String>,
    check_number: Option<String>,
    reference: Option<String>,
    currency: CurrencyFields,
    corrected_id: Option<String>,
    corrected_action: Option<CorrectionAction>,
    loan: Option<Box<LoanParts>>,
    is_too_long: bool,
}

impl RowDraft {
    pub(super) fn begin(&mut self, line: u64) {
        let mut amount = std::mem::take(&mut self.amount);
        amount.clear();
        *self = Self { line, amount, ..Self::default() };
    }

    pub(super) fn set(&mut self, part: Part, tag: Tag, value: &Value<'_>) {
        self.is_too_long |= value.is_too_long;
        match part {
            Part::Itself if tag != Tag::Currency => self.set_own(tag, value),
            Part::Payee if tag == Tag::Name => self.payee_name = value.some_text(),
            _ => self.currency.set(part, tag, value),
        }
    }

    fn set_own(&mut self, tag: Tag, value: &Value<'_>) {
        match tag {
            Tag::DatePosted => self.posted = DateField::of(value),
            Tag::DateUser => self.user = DateField::of(value),
            Tag::DateAvailable => self.available = DateField::of(value),
            Tag::Amount => {
                self.amount.clear();
                self.amount.push_str(&value.text());
            }
            Tag::Kind => self.kind = kind(value.bytes()),
            // The first one stands: a vendor's own aggregate behind it may repeat the name.
            Tag::TransactionId => self.id = self.id.take().or_else(|| value.some_text()),
            Tag::Name => self.name = self.name.take().or_else(|| value.some_text()),
            Tag::Memo => self.memo = self.memo.take().or_else(|| value.some_text()),
            Tag::ExtendedName => self.extended_name = value.some_text(),
            Tag::CheckNumber => self.check_number = value.some_text(),
            Tag::Reference => self.reference = value.some_text(),
            Tag::CorrectedId => self.corrected_id = value.some_text(),
            Tag::CorrectedAction => {
                let is_delete = value.bytes().eq_ignore_ascii_case(b"DELETE");
                self.corrected_action =
                    Some(if is_delete { CorrectionAction::Delete } else { CorrectionAction::Replace });
            }
            Tag::PrincipalPart | Tag::InterestPart | Tag::EscrowPart | Tag::InsurancePart => {
                self.loan.get_or_insert_default().set(tag, value);
            }
            _ => {}
        }
    }

    /// The row, or why it is none. Leaves the draft empty.
    pub(super) fn finish(&mut self, statement_currency: Currency) -> Result<Row, RejectedRow> {
        let (posted, amount) = match self.essentials(statement_currency) {
            Ok(both) => both,
            Err((code, reason)) => return Err(RejectedRow { line: self.line, code, reason }),
        };
        let action = self.corrected_action.unwrap_or(CorrectionAction::Replace);
        Ok(Row {
            external_id: self.id.take(),
            occurred_on: self.user.day(),
            posted_at: posted.instant,
            kind: self.kind,
            name: self.name.take().or_else(|| self.payee_name.take()).or_else(|| self.extended_name.take()),
            memo: self.memo.take(),
            check_number: self.check_number.take(),
            original: self.currency.take_original(),
            value_on: self.available.day(),
            reference: self.reference.take(),
            splits: self.loan.take().map_or_else(Vec::new, |parts| parts.splits(amount)),
            corrects: self.corrected_id.take().map(|external_id| Correction { external_id, action }),
            ..Row::new(self.line, posted.day, amount)
        })
    }

    /// What no row can be without: a date and an amount.
    fn essentials(&self, statement_currency: Currency) -> Result<(OfxDate, Money), Fault> {
        if self.is_too_long {
            return Err(too_long());
        }
        let posted = self.posted.needed("posting")?;
        Ok((posted, amount(&self.amount, self.currency.currency(statement_currency)?)?))
    }
}
