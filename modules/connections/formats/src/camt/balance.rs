use chrono::NaiveDate;
use kernel::{Currency, Money};

use super::amount::{Direction, Fault};
use crate::{BalanceKind, StatementBalance};

/// A balance while its elements come in.
#[derive(Debug, Default)]
pub(super) struct BalanceDraft {
    pub(super) kind: Option<Kind>,
    pub(super) amount: Option<Result<Money, Fault>>,
    pub(super) direction: Option<Direction>,
    pub(super) as_of: Option<NaiveDate>,
}

/// The balances that mean something to us (`ExternalBalanceType1Code`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// `OPBD`: what is booked before the first entry.
    Opening,
    /// `PRCD`: what was booked at the end of the statement before.
    Previous,
    /// `CLBD`: what is booked after the last entry.
    Closing,
    /// `ITBD`: what is booked so far.
    Interim,
    /// `CLAV`: what can be spent after the last entry.
    Available,
    /// `ITAV`: what can be spent so far.
    InterimAvailable,
}

impl Kind {
    pub(super) fn parse(code: &str) -> Option<Self> {
        Some(match code {
            "OPBD" => Self::Opening,
            "PRCD" => Self::Previous,
            "CLBD" => Self::Closing,
            "ITBD" => Self::Interim,
            "CLAV" => Self::Available,
            "ITAV" => Self::InterimAvailable,
            _ => return None,
        })
    }
}

/// The balances of a statement. Which of them count is known only when all are there.
#[derive(Debug, Default)]
pub(super) struct Balances {
    all: [Option<(Money, Option<NaiveDate>)>; 6],
    pub(super) unreadable: u64,
}

impl Balances {
    /// Takes a balance that is whole.
    pub(super) fn add(&mut self, balance: BalanceDraft, currency: Currency) {
        let (Some(kind), Some(amount)) = (balance.kind, balance.amount) else { return };
        let amount = amount.ok().filter(|amount| amount.currency() == currency);
        let (Some(amount), Some(direction)) = (amount, balance.direction) else {
            self.unreadable += 1;
            return;
        };
        let place = &mut self.all[kind as usize];
        // A statement opens once; a later interim balance is nearer to the end.
        if place.is_none() || !matches!(kind, Kind::Opening | Kind::Previous) {
            *place = Some((direction.sign(amount), balance.as_of));
        }
    }

    /// What was booked before the first entry.
    pub(super) fn opening(&self) -> Option<StatementBalance> {
        self.first_of(BalanceKind::Opening, Kind::Opening, Kind::Previous)
    }

    /// What is booked after the last one.
    pub(super) fn closing(&self) -> Option<StatementBalance> {
        self.first_of(BalanceKind::Ledger, Kind::Closing, Kind::Interim)
    }

    /// All that count, in the order of time.
    pub(super) fn stated(&self) -> impl Iterator<Item = StatementBalance> {
        let available = self.first_of(BalanceKind::Available, Kind::Available, Kind::InterimAvailable);
        [self.opening(), self.closing(), available].into_iter().flatten()
    }

    fn first_of(&self, kind: BalanceKind, best: Kind, next: Kind) -> Option<StatementBalance> {
        let (amount, as_of) = self.all[best as usize].or(self.all[next as usize])?;
        Some(StatementBalance { kind, amount, as_of })
    }
}
