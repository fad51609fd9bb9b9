use kernel::Money;

use super::amount::Direction;
use super::detail::{Detail, append};
use super::entry::{Entry, Essentials};
use crate::{Row, RowKind};

/// A row, and what it would be if the bank means the other thing by a reversal.
#[derive(Debug)]
pub(super) struct Draft {
    /// As the bank wrote it.
    pub(super) row: Row,
    /// The counterparty of a reversal whose direction is the one of the entry that it takes back.
    pub(super) name_if_flipped: Option<String>,
}

/// What of an entry a row is for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Share {
    /// Without a sign.
    pub(super) amount: Money,
    pub(super) direction: Direction,
    pub(super) line: u64,
    /// There are other rows for the same entry.
    pub(super) is_part: bool,
}

/// The row of an entry, or of one of its details.
pub(super) fn row(
    entry: &Entry,
    essentials: &Essentials,
    detail: Option<&Detail>,
    share: Share,
    own_account: Option<&str>,
) -> Draft {
    let none = Detail::default();
    let told = detail.unwrap_or(&none);
    let Share { amount, direction, .. } = share;
    let other = |direction| told.parties.counterparty(direction, own_account).map(str::to_owned);
    // A reversal keeps the parties of the payment that it takes back, which went the other way.
    let went = if entry.is_reversal { direction.other() } else { direction };
    let original = told.movement.original(amount.currency(), direction);
    let of_entry = || entry.movement.original(amount.currency(), direction).filter(|_| !share.is_part);
    let row = Row {
        external_id: told.servicer_reference.clone().or_else(|| entry.servicer_reference.clone()),
        occurred_on: told.occurred_on,
        posted_at: essentials.posted.instant,
        kind: kind(entry, told),
        name: other(went),
        memo: memo(entry, told, share),
        check_number: told.check_number.clone(),
        original: original.or_else(of_entry),
        status: essentials.status,
        value_on: essentials.value_on,
        reference: told.end_to_end_id.clone().or_else(|| told.creditor_reference.clone()),
        ..Row::new(share.line, essentials.posted.day, direction.sign(amount))
    };
    let name_if_flipped = if entry.is_reversal { other(direction) } else { None };
    Draft { row, name_if_flipped }
}

fn kind(entry: &Entry, detail: &Detail) -> RowKind {
    let own = detail.movement.code.kind().filter(|kind| *kind != RowKind::Other);
    own.or_else(|| entry.movement.code.kind()).unwrap_or_default()
}

/// What the payer wrote, else what the bank wrote; and what no other field of a row can tell.
fn memo(entry: &Entry, detail: &Detail, share: Share) -> Option<String> {
    let mut memo = String::new();
    let written = [Some(&detail.remittance), detail.information.as_ref(), entry.information.as_ref()];
    if let Some(text) = written.into_iter().flatten().find(|text| !text.is_empty()) {
        append(&mut memo, text);
    }
    let mut charges = &detail.movement.charges;
    if charges.is_empty() && !share.is_part {
        charges = &entry.movement.charges;
    }
    let sum = charges.iter().try_fold(Money::zero(share.amount.currency()), |sum, charge| {
        sum.checked_add(charge.direction.other().sign(charge.amount)).ok()
    });
    if let Some(sum) = sum.filter(|sum| sum.minor() != 0) {
        append(&mut memo, &format!("(charges {sum})"));
    }
    if entry.is_reversal {
        append(&mut memo, "(reversal)");
    }
    (!memo.is_empty()).then_some(memo)
}

impl Draft {
    /// The row if the bank writes the direction of the entry that it takes back.
    pub(super) fn flipped(mut self) -> Row {
        self.row.amount = flip(self.row.amount);
        if let Some(original) = &mut self.row.original {
            original.amount = original.amount.map(flip);
        }
        self.row.name = self.name_if_flipped;
        self.row
    }

    /// Bytes that it holds, roughly.
    pub(super) fn size(&self) -> usize {
        let row = &self.row;
        let texts = [
            &row.external_id,
            &row.name,
            &row.memo,
            &row.check_number,
            &row.reference,
            &self.name_if_flipped,
        ];
        size_of::<Self>() + texts.into_iter().flatten().map(String::len).sum::<usize>()
    }
}

fn flip(amount: Money) -> Money {
    Money::from_minor(-amount.minor(), amount.currency())
}
