use kernel::Currency;

use super::Leaf;
use super::amount::{Direction, amount};
use super::balance::{BalanceDraft, Balances, Kind};
use super::date::camt_date;
use super::reversal::Reversals;
use crate::head::HeadDraft;
use crate::sink::Tally;
use crate::{AccountType, FormatError};

/// A statement while it is open.
#[derive(Debug, Default)]
pub(super) struct Statement {
    pub(super) head: HeadDraft,
    balance: BalanceDraft,
    pub(super) balances: Balances,
    pub(super) reversals: Reversals,
}

impl Statement {
    /// A text of the statement, its account or its balances.
    pub(super) fn set(&mut self, leaf: Leaf, text: &str) {
        if text.is_empty() {
            return;
        }
        let (owned, day) = (|| Some(text.to_owned()), || camt_date(text).map(|date| date.day));
        match leaf {
            Leaf::StartsOn => self.head.starts_on = day(),
            Leaf::EndsOn => self.head.ends_on = day(),
            Leaf::AccountNumber => {
                self.head.account.account_number = self.head.account.account_number.take().or_else(owned)
            }
            Leaf::AccountKind => self.head.account.account_type = account_type(text),
            Leaf::AccountCurrency => self.head.currency = owned(),
            Leaf::Bic => self.head.account.bank_id = owned(),
            Leaf::BankNumber => self.head.account.bank_id = self.head.account.bank_id.take().or_else(owned),
            Leaf::BalanceKind => self.balance.kind = Kind::parse(text),
            Leaf::BalanceDirection => self.balance.direction = Direction::parse(text),
            Leaf::BalanceOn => self.balance.as_of = day(),
            _ => {}
        }
    }

    pub(super) fn begin_balance(&mut self) {
        self.balance = BalanceDraft::default();
    }

    pub(super) fn set_balance(&mut self, text: &str, code: &str, default: Option<Currency>) {
        self.note_currency(code);
        self.balance.amount = Some(amount(text, code, self.head.currency(default)));
    }

    pub(super) fn end_balance(&mut self, default: Option<Currency>) {
        let balance = std::mem::take(&mut self.balance);
        if let Some(currency) = self.head.currency(default) {
            self.balances.add(balance, currency);
        }
    }

    /// An account that does not name its currency has that of its first amount.
    pub(super) fn note_currency(&mut self, code: &str) {
        if self.head.currency.is_none() && !code.is_empty() {
            self.head.currency = Some(code.to_owned());
        }
    }

    pub(super) fn account_number(&self) -> Option<&str> {
        self.head.account.account_number.as_deref()
    }

    /// Gives out what had to wait for the end: reversals and balances.
    pub(super) fn end(
        &mut self,
        default: Option<Currency>,
        tally: &mut Tally<'_>,
    ) -> Result<(), FormatError> {
        // A notification of nothing may leave out the currency, too.
        if self.head.currency.is_none() && self.head.currency(default).is_none() {
            return Ok(());
        }
        let (statement, _) = self.head.give_out(default, tally)?;
        for row in self.reversals.decide(&self.balances) {
            tally.row(statement, row)?;
        }
        for balance in self.balances.stated() {
            tally.balance(statement, balance)?;
        }
        tally.summary.unreadable_balances += self.balances.unreadable;
        Ok(())
    }
}

/// `ExternalCashAccountType1Code`
fn account_type(code: &str) -> Option<AccountType> {
    Some(match code {
        "CACC" | "TRAN" => AccountType::Checking,
        "SVGS" => AccountType::Savings,
        "MOMA" => AccountType::MoneyMarket,
        "CARD" => AccountType::CreditCard,
        "LOAN" => AccountType::Loan,
        _ => return None,
    })
}
