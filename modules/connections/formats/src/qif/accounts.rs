use std::collections::HashMap;

use kernel::Currency;

use super::ours::Ours;
use super::record::Record;
use super::row::Notation;
use super::section::{Section, account_type};
use crate::sink::Tally;
use crate::{AccountHint, AccountType, BalanceKind, FormatError, StatementBalance, StatementHead};

/// More accounts than anybody has.
const MOST_ACCOUNTS: usize = 1000;

/// The statements of a file: one for each account, however often its register is taken up again.
pub(super) struct Accounts {
    /// Of accounts that do not name their own, as only those of our exports do.
    currency: Option<Currency>,
    known: HashMap<AccountHint, usize>,
    /// What the last `!Account` said.
    named: Option<Named>,
    /// The register of the rows that come.
    current: Option<Register>,
}

struct Named {
    account: AccountHint,
    /// Its own, in an export of ours.
    currency: Option<Currency>,
    balance: Option<StatementBalance>,
}

/// Where rows go, and how they are meant.
#[derive(Clone, Copy)]
pub(super) struct Register {
    pub(super) statement: usize,
    pub(super) currency: Currency,
    pub(super) is_ours: bool,
}

impl Accounts {
    pub(super) fn new(currency: Option<Currency>) -> Self {
        Self { currency, known: HashMap::new(), named: None, current: None }
    }

    /// A record of `!Account`.
    pub(super) fn name(&mut self, record: &Record<'_>, notation: &Notation, tally: &mut Tally<'_>) {
        self.current = None;
        let Some(name) = record.some(b'N') else { return };
        let account_type = account_type(&record.text(b'T'));
        let ours = Ours::of(record);
        let currency = ours.as_ref().map(|ours| ours.currency);
        let account = AccountHint {
            bank_id: ours.as_ref().map(|_| Ours::bank()),
            account_number: ours.map(|ours| ours.id),
            name: Some(name),
            account_type,
            ..AccountHint::default()
        };
        // The balance of the last statement and its day; programs write nothing or only one of them.
        let stated = |currency| notation.amount(&record.text(b'$'), currency).ok().flatten();
        let amount = currency.or(self.currency).and_then(stated);
        let day = notation.day(&record.text(b'/')).ok();
        let balance = amount.zip(day).map(|(amount, day)| StatementBalance {
            kind: BalanceKind::Ledger,
            amount,
            as_of: Some(day),
        });
        let is_unreadable = record.has(b'$') && record.has(b'/') && balance.is_none();
        tally.summary.unreadable_balances += u64::from(is_unreadable);
        self.named = Some(Named { account, currency, balance });
    }

    /// The end of a list of accounts: its last one is not that of the next register.
    pub(super) fn forget(&mut self) {
        (self.named, self.current) = (None, None);
    }

    /// The header of a register.
    pub(super) fn begin(&mut self) {
        self.current = None;
    }

    /// What the register in hand is called, where it has a name.
    pub(super) fn name_of_current(&self) -> Option<&str> {
        self.named.as_ref()?.account.name.as_deref()
    }

    /// The register of the next row. Refuses with `NeedsCurrency` where nothing says in which currency it is.
    pub(super) fn register(
        &mut self,
        section: Section,
        tally: &mut Tally<'_>,
    ) -> Result<Register, FormatError> {
        if let Some(register) = self.current {
            return Ok(register);
        }
        let own_currency = self.named.as_ref().and_then(|named| named.currency);
        let currency = own_currency.or(self.currency).ok_or(FormatError::NeedsCurrency)?;
        let of_section = match section {
            Section::Transactions(account_type) => account_type,
            Section::Investments => Some(AccountType::Investment),
            Section::Accounts | Section::List => None,
        };
        let mut account = self.named.as_ref().map(|named| named.account.clone()).unwrap_or_default();
        account.account_type = account.account_type.or(of_section);
        let statement = match self.known.get(&account) {
            Some(statement) => *statement,
            None if self.known.len() == MOST_ACCOUNTS => {
                return Err(FormatError::TooManyAccounts { limit: MOST_ACCOUNTS });
            }
            None => {
                let head =
                    StatementHead { account: account.clone(), currency, starts_on: None, ends_on: None };
                let statement = tally.statement(head)?;
                self.known.insert(account, statement);
                statement
            }
        };
        let register = Register { statement, currency, is_ours: own_currency.is_some() };
        self.current = Some(register);
        if let Some(balance) = self.named.as_mut().and_then(|named| named.balance.take()) {
            tally.balance(statement, balance)?;
        }
        Ok(register)
    }
}
