use kernel::Currency;

use super::Leaf;
use super::amount::{Direction, amount};
use super::balance::{BalanceDraft, Balances, Kind};
use super::date::camt_date;
use super::reversal::Reversals;
use crate::sink::Tally;
use crate::{AccountHint, AccountType, FormatError, StatementHead};

/// A statement while it is open: its head is given out with the first row, or with its end.
#[derive(Debug, Default)]
pub(super) struct Statement {
    account: AccountHint,
    currency: Option<String>,
    starts_on: Option<chrono::NaiveDate>,
    ends_on: Option<chrono::NaiveDate>,
    balance: BalanceDraft,
    pub(super) balances: Balances,
    pub(super) reversals: Reversals,
    given_out: Option<(usize, Currency)>,
}

impl Statement {
    /// A text of the statement, its account or its balances.
    pub(super) fn set(&mut self, leaf: Leaf, text: &str) {
        if text.is_empty() {
            return;
        }
        let (owned, day) = (|| Some(text.to_owned()), || camt_date(text).map(|date| date.day));
        match leaf {
            Leaf::StartsOn => self.starts_on = day(),
            Leaf::EndsOn => self.ends_on = day(),
            Leaf::AccountNumber => {
                self.account.account_number = self.account.account_number.take().or_else(owned)
            }
            Leaf::AccountKind => self.account.account_type = account_type(text),
            Leaf::AccountCurrency => self.currency = owned(),
            Leaf::Bic => self.account.bank_id = owned(),
            Leaf::BankNumber => self.account.bank_id = self.account.bank_id.take().or_else(owned),
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
        self.balance.amount = Some(amount(text, code, self.currency(default)));
    }

    pub(super) fn end_balance(&mut self, default: Option<Currency>) {
        let balance = std::mem::take(&mut self.balance);
        if let Some(currency) = self.currency(default) {
            self.balances.add(balance, currency);
        }
    }

    /// An account that does not name its currency has that of its first amount.
    pub(super) fn note_currency(&mut self, code: &str) {
        if self.currency.is_none() && !code.is_empty() {
            self.currency = Some(code.to_owned());
        }
    }

    /// The currency of the statement, as far as it is known.
    pub(super) fn currency(&self, default: Option<Currency>) -> Option<Currency> {
        match (&self.given_out, &self.currency) {
            (Some((_, currency)), _) => Some(*currency),
            (None, Some(code)) => Currency::parse(code).ok(),
            (None, None) => default,
        }
    }

    pub(super) fn account_number(&self) -> Option<&str> {
        self.account.account_number.as_deref()
    }

    /// Number and currency of the statement, after its head was given to the sink.
    pub(super) fn give_out(
        &mut self,
        default: Option<Currency>,
        tally: &mut Tally<'_>,
    ) -> Result<(usize, Currency), FormatError> {
        if let Some(given) = self.given_out {
            return Ok(given);
        }
        let currency = match &self.currency {
            Some(code) => Currency::parse(code).map_err(|_| FormatError::unknown_currency(code))?,
            None => default.ok_or(FormatError::NeedsCurrency)?,
        };
        let head = StatementHead {
            account: self.account.clone(),
            currency,
            starts_on: self.starts_on,
            ends_on: self.ends_on,
        };
        let given = (tally.statement(head)?, currency);
        self.given_out = Some(given);
        Ok(given)
    }

    /// Gives out what had to wait for the end: reversals and balances.
    pub(super) fn end(
        &mut self,
        default: Option<Currency>,
        tally: &mut Tally<'_>,
    ) -> Result<(), FormatError> {
        // A notification of nothing may leave out the currency, too.
        if self.currency.is_none() && self.currency(default).is_none() {
            return Ok(());
        }
        let (statement, _) = self.give_out(default, tally)?;
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
