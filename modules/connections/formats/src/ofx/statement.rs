use chrono::NaiveDate;
use kernel::{Currency, Money};

use super::Tag;
use super::date::ofx_date;
use super::token::Value;
use crate::amount::ofx_amount;
use crate::sink::Tally;
use crate::{AccountHint, AccountType, BalanceKind, FormatError, StatementBalance, StatementHead};

/// A statement while it is open: its head is given out with the first thing that belongs to it.
#[derive(Debug, Default)]
pub(super) struct StatementDraft {
    account: AccountHint,
    currency: Option<String>,
    starts_on: Option<NaiveDate>,
    ends_on: Option<NaiveDate>,
    /// `DTASOF` of an investment statement.
    as_of: Option<NaiveDate>,
    given_out: Option<(usize, Currency)>,
}

impl StatementDraft {
    pub(super) fn begin(account_type: Option<AccountType>) -> Self {
        let account = AccountHint { account_type, ..AccountHint::default() };
        Self { account, ..Self::default() }
    }

    /// A value directly in the statement or in its list of transactions.
    pub(super) fn set(&mut self, tag: Tag, value: &Value<'_>) {
        let day = || ofx_date(value.bytes()).map(|date| date.day);
        match tag {
            Tag::DefaultCurrency => self.currency = value.some_text(),
            Tag::DateStart => self.starts_on = self.starts_on.or_else(day),
            Tag::DateEnd => self.ends_on = self.ends_on.or_else(day),
            Tag::DateAsOf => self.as_of = self.as_of.or_else(day),
            _ => {}
        }
    }

    /// A value in `BANKACCTFROM` or one of its kin.
    pub(super) fn set_account(&mut self, tag: Tag, value: &Value<'_>) {
        match tag {
            Tag::BankId => self.account.bank_id = value.some_text(),
            Tag::BranchId => self.account.branch_id = value.some_text(),
            Tag::AccountId => self.account.account_number = value.some_text(),
            Tag::AccountKind => {
                self.account.account_type = account_type(&value.text()).or(self.account.account_type)
            }
            _ => {}
        }
    }

    /// Number and currency of the statement, after its head was given to the sink.
    pub(super) fn give_out(
        &mut self,
        default_currency: Option<Currency>,
        tally: &mut Tally<'_>,
    ) -> Result<(usize, Currency), FormatError> {
        if let Some(given) = self.given_out {
            return Ok(given);
        }
        let currency = match &self.currency {
            Some(code) => Currency::parse(code).map_err(|_| FormatError::unknown_currency(code))?,
            None => default_currency.ok_or(FormatError::NeedsCurrency)?,
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

    pub(super) fn as_of(&self) -> Option<NaiveDate> {
        self.as_of
    }
}

/// A balance while its elements come in.
#[derive(Debug)]
pub(super) struct BalanceDraft {
    pub(super) kind: BalanceKind,
    pub(super) amount: Option<String>,
    pub(super) as_of: Option<NaiveDate>,
}

impl BalanceDraft {
    pub(super) fn begin(kind: BalanceKind) -> Self {
        Self { kind, amount: None, as_of: None }
    }

    pub(super) fn set(&mut self, tag: Tag, value: &Value<'_>) {
        match tag {
            Tag::BalanceAmount => self.amount = value.some_text(),
            Tag::DateAsOf => self.as_of = ofx_date(value.bytes()).map(|date| date.day),
            _ => {}
        }
    }

    /// The balance; `None` if the bank left it empty, an error if it cannot be read.
    pub(super) fn finish(self, currency: Currency) -> Option<Result<StatementBalance, Unreadable>> {
        let amount: Result<Money, _> = ofx_amount(&self.amount?, currency).map_err(|_| Unreadable);
        Some(amount.map(|amount| StatementBalance { kind: self.kind, amount, as_of: self.as_of }))
    }
}

/// A balance that is stated but is no amount.
#[derive(Debug)]
pub(super) struct Unreadable;

fn account_type(name: &str) -> Option<AccountType> {
    Some(match name.to_ascii_uppercase().as_str() {
        "CHECKING" => AccountType::Checking,
        "SAVINGS" => AccountType::Savings,
        "MONEYMRKT" => AccountType::MoneyMarket,
        "CREDITLINE" => AccountType::CreditLine,
        "CD" => AccountType::CertificateOfDeposit,
        "CREDITCARD" => AccountType::CreditCard,
        _ => return None,
    })
}
