use kernel::Currency;

use super::balance::Balances;
use super::row::Draft;
use crate::{Row, RowStatus};

/// Reversals of one statement that are kept until it is over. More of them are not, and do not occur.
const MOST_BYTES: usize = 16 * 1024 * 1024;

/// Finds out what a bank means by a reversal.
///
/// ISO 20022 says that `CdtDbtInd` is the direction of the reversal itself ("if CRDT and ReversalIndicator is Yes,
/// the original operation was a debit"). Other banks, German savings banks among them, write the direction of the
/// entry that is taken back (OCA/bank-statement-import#375). Both are in use and a file does not say which it follows,
/// but its balances do: they are the end that the rows must come to. Where a statement has no two balances, or fits
/// neither way, the direction is flipped.
#[derive(Debug, Default)]
pub(super) struct Reversals {
    held: Vec<Draft>,
    bytes: usize,
    /// There were too many to wait for the balances.
    is_flipping: bool,
    /// Σ of the booked rows that are no reversals, in minor units.
    plain: i128,
    /// Σ of the booked reversals as they are written.
    written: i128,
    /// A row was rejected or is in another currency: the rows cannot add up.
    is_inexact: bool,
}

impl Reversals {
    /// Takes note of a row that is no reversal.
    pub(super) fn note(&mut self, row: &Row, currency: Currency) {
        self.plain += self.counted(row, currency);
    }

    /// Takes note of a row that was rejected though it may have moved something.
    pub(super) fn note_rejected(&mut self) {
        self.is_inexact = true;
    }

    /// Keeps a reversal until `decide`, or gives back what cannot be kept any longer.
    pub(super) fn hold(&mut self, draft: Draft, currency: Currency) -> Vec<Row> {
        self.written += self.counted(&draft.row, currency);
        self.bytes += draft.size();
        self.held.push(draft);
        self.is_flipping |= self.bytes > MOST_BYTES;
        if self.is_flipping { self.flip() } else { Vec::new() }
    }

    /// The reversals, now that the statement is over.
    pub(super) fn decide(&mut self, balances: &Balances) -> Vec<Row> {
        if self.is_as_written(balances) {
            return self.held.drain(..).map(|draft| draft.row).collect();
        }
        self.flip()
    }

    fn is_as_written(&self, balances: &Balances) -> bool {
        let (Some(opening), Some(closing)) = (balances.opening(), balances.closing()) else { return false };
        let end = i128::from(opening.amount.minor()) + self.plain + self.written;
        !self.is_inexact && self.written != 0 && end == i128::from(closing.amount.minor())
    }

    fn flip(&mut self) -> Vec<Row> {
        self.held.drain(..).map(Draft::flipped).collect()
    }

    fn counted(&mut self, row: &Row, currency: Currency) -> i128 {
        if row.status != RowStatus::Booked {
            return 0;
        }
        self.is_inexact |= row.amount.currency() != currency;
        i128::from(row.amount.minor())
    }
}
