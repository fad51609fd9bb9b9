use chrono::NaiveDate;
use kernel::{Currency, Money};

use super::Tag;
use super::date::ofx_date;
use super::token::Value;
use crate::amount::ofx_amount;
use crate::head::HeadDraft;
use crate::{AccountType, BalanceKind, StatementBalance};

/// A statement while it is open.
#[derive(Debug, Default)]
pub(super) struct StatementDraft {
    pub(super) head: HeadDraft,
    /// `DTASOF` of an investment statement.
    as_of: Option<NaiveDate>,
}

impl StatementDraft {
    pub(super) fn begin(account_type: Option<AccountType>) -> Self {
        let mut draft = Self::default();
        draft.head.account.account_type = account_type;
        draft
    }

    /// A value directly in the statement or in its list of transactions.
    pub(super) fn set(&mut self, tag: Tag, value: &Value<'_>) {
        let day = || ofx_date(value.bytes()).map(|date| date.day);
        match tag {
            Tag::DefaultCurrency => self.head.currency = value.some_text(),
            Tag::DateStart => self.head.starts_on = self.head.starts_on.or_else(day),
            Tag::DateEnd => self.head.ends_on = self.head.ends_on.or_else(day),
            Tag::DateAsOf => self.as_of = self.as_of.or_else(day),
            _ => {}
        }
    }

    /// A value in `BANKACCTFROM` or one of its kin.
    pub(super) fn set_account(&mut self, tag: Tag, value: &Value<'_>) {
        match tag {
            Tag::BankId => self.head.account.bank_id = value.some_text(),
            Tag::BranchId => self.head.account.branch_id = value.some_text(),
            Tag::AccountId => self.head.account.account_number = value.some_text(),
            Tag::AccountKind => {
                self.head.account.account_type =
                    account_type(&value.text()).or(self.head.account.account_type)
            }
            _ => {}
        }
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
