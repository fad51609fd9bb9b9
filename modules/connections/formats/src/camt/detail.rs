use kernel::{Currency, Money};

use super::Leaf;
use super::amount::{Direction, Fault};
use super::date::camt_date;
use super::kind::{BankCode, Code};
use super::party::Parties;
use crate::OriginalCurrency;
use crate::source::LONGEST_ITEM;

/// More charges than any payment has.
const MOST_CHARGES: usize = 1000;

/// What an entry and each of its details say alike: how much, which way, why.
#[derive(Clone, Debug, Default)]
pub(super) struct Movement {
    pub(super) amount: Option<Result<Money, Fault>>,
    pub(super) direction: Option<Direction>,
    pub(super) code: BankCode,
    pub(super) charges: Vec<Charge>,
    instructed: Option<Money>,
    transaction: Option<Money>,
    counter: Option<Money>,
    exchange: Exchange,
}

/// A charge that the bank took with the payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Charge {
    /// Without a sign.
    pub(super) amount: Money,
    pub(super) direction: Direction,
    /// It is part of the amount beside it already.
    pub(super) is_included: bool,
}

#[derive(Clone, Debug, Default)]
struct Exchange {
    source: Option<Currency>,
    unit: Option<Currency>,
    rate: Option<String>,
}

impl Movement {
    pub(super) fn set_amount(&mut self, leaf: Leaf, amount: Result<Money, Fault>) {
        match leaf {
            Leaf::Amount => self.amount = Some(amount),
            Leaf::InstructedAmount => self.instructed = amount.ok(),
            Leaf::TransactionAmount => self.transaction = amount.ok(),
            Leaf::CounterAmount => self.counter = amount.ok(),
            _ => {}
        }
    }

    pub(super) fn set(&mut self, leaf: Leaf, text: &str) {
        match leaf {
            Leaf::Direction => self.direction = Direction::parse(text),
            Leaf::CodeDomain => self.code.domain = Code::of(text),
            Leaf::CodeFamily => self.code.family = Code::of(text),
            Leaf::CodeSubFamily => self.code.sub_family = Code::of(text),
            // The first exchange is the one of the amount that the payer named.
            Leaf::SourceCurrency => {
                self.exchange.source = self.exchange.source.or_else(|| Currency::parse(text).ok());
            }
            Leaf::UnitCurrency => {
                self.exchange.unit = self.exchange.unit.or_else(|| Currency::parse(text).ok())
            }
            Leaf::Rate => {
                self.exchange.rate.get_or_insert_with(|| text.to_owned());
            }
            _ => {}
        }
    }

    /// The amount in this currency, by whichever name the bank gives it: version 02 has no `TxDtls/Amt`, and where
    /// there is one it may be in the currency of the payer.
    pub(super) fn amount_in(&self, currency: Currency) -> Option<Money> {
        let named = self.amount.as_ref().and_then(|amount| amount.as_ref().ok()).copied();
        let all = [named, self.transaction, self.counter, self.instructed];
        all.into_iter().flatten().find(|amount| amount.currency() == currency)
    }

    /// What the amount was before the bank converted it into `currency`.
    pub(super) fn original(&self, currency: Currency, direction: Direction) -> Option<OriginalCurrency> {
        let named = self.amount.as_ref().and_then(|amount| amount.as_ref().ok()).copied();
        let all = [self.instructed, self.transaction, named, self.counter];
        let amount = all.into_iter().flatten().find(|amount| amount.currency() != currency);
        let of = amount.map(Money::currency).or(self.exchange.source.filter(|of| *of != currency))?;
        let Exchange { source, unit, rate } = &self.exchange;
        // The rate is in the currency for one unit of `UnitCcy`; the other way round it is not what we keep.
        let is_ours = unit.or(*source) == Some(of);
        let rate = rate.clone().filter(|_| is_ours);
        let amount = amount.map(|amount| direction.sign(amount));
        (amount.is_some() || rate.is_some()).then_some(OriginalCurrency { currency: of, rate, amount })
    }

    /// Takes a charge; false where there are too many.
    pub(super) fn add_charge(&mut self, charge: Charge) -> bool {
        let has_room = self.charges.len() < MOST_CHARGES;
        if has_room {
            self.charges.push(charge);
        }
        has_room
    }

    /// What the bank took on top of the amount, or gave; `None` if it is in another currency.
    pub(super) fn charges_in(&self, currency: Currency) -> Option<i128> {
        self.charges.iter().filter(|charge| !charge.is_included).try_fold(0, |sum, charge| {
            let is_ours = charge.amount.currency() == currency;
            is_ours.then(|| sum + i128::from(charge.direction.sign(charge.amount).minor()))
        })
    }
}

/// `TxDtls`: one payment of an entry.
#[derive(Clone, Debug, Default)]
pub(super) struct Detail {
    pub(super) line: u64,
    pub(super) movement: Movement,
    pub(super) parties: Parties,
    pub(super) servicer_reference: Option<String>,
    pub(super) end_to_end_id: Option<String>,
    pub(super) creditor_reference: Option<String>,
    pub(super) check_number: Option<String>,
    pub(super) occurred_on: Option<chrono::NaiveDate>,
    /// What the payer wrote.
    pub(super) remittance: String,
    /// What the bank wrote.
    pub(super) information: Option<String>,
    /// Something of it was longer than anything a bank writes.
    pub(super) is_too_long: bool,
}

impl Detail {
    pub(super) fn set(&mut self, leaf: Leaf, text: &str) {
        let owned = || Some(text.to_owned());
        match leaf {
            Leaf::ServicerReference => self.servicer_reference = reference(text),
            Leaf::EndToEndId => self.end_to_end_id = reference(text),
            Leaf::CheckNumber => self.check_number = owned(),
            Leaf::TransactedOn => {
                self.occurred_on = self.occurred_on.or(camt_date(text).map(|date| date.day))
            }
            Leaf::PartyName(role) => self.parties.set_name(role, owned()),
            Leaf::PartyAccount(role) => self.parties.set_account(role, owned()),
            Leaf::Unstructured | Leaf::AddedRemittance => {
                self.is_too_long |= self.remittance.len() + text.len() > LONGEST_ITEM;
                if !self.is_too_long {
                    append(&mut self.remittance, text);
                }
            }
            Leaf::CreditorReference => {
                self.creditor_reference = self.creditor_reference.take().or_else(|| reference(text));
            }
            Leaf::DetailInformation => self.information = owned(),
            _ => self.movement.set(leaf, text),
        }
    }

    /// Bytes that it holds, roughly.
    pub(super) fn size(&self) -> usize {
        let texts =
            [&self.servicer_reference, &self.end_to_end_id, &self.creditor_reference, &self.check_number];
        let texts = texts.into_iter().chain([&self.information]).flatten().map(String::len).sum::<usize>();
        let charges = self.movement.charges.len() * size_of::<Charge>();
        size_of::<Self>() + texts + charges + self.remittance.len() + self.parties.size()
    }
}

/// A reference; banks that have none say so in words.
pub(super) fn reference(text: &str) -> Option<String> {
    let is_none =
        ["NOTPROVIDED", "NOT PROVIDED", "NONREF", "NONE"].iter().any(|none| text.eq_ignore_ascii_case(none));
    (!is_none).then(|| text.to_owned())
}

/// Texts that follow each other are lines of one text.
pub(super) fn append(text: &mut String, more: &str) {
    if !text.is_empty() {
        text.push(' ');
    }
    text.push_str(more);
}
