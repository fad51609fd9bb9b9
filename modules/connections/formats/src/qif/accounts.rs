use std::collections::HashMap;

use kernel::Currency;

use super::record::Record;
use super::row::Notation;
use super::section::{Section, account_type};
use crate::sink::Tally;
use crate::{AccountHint, AccountType, BalanceKind, FormatError, StatementBalance, StatementHead};

/// More accounts than anybody has.
const MOST_ACCOUNTS: usize = 1000;

/// The statements of a file: one for each account, however often its register is taken up again.
pub(super) struct Accounts {
    currency: Currency,
    known: HashMap<AccountHint, usize>,
    /// What the last `!Account` said.
    named: Option<Named>,
    /// The statement of the rows that come.
    current: Option<usize>,
}

struct Named {
    account: AccountHint,
    balance: Option<StatementBalance>,
}

impl Accounts {
    pub(super) fn new(currency: Currency) -> Self {
        Self { currency, known: HashMap::new(), named: None, current: None }
    }

    /// A record of `!Account`.
    pub(super) fn name(&mut self, record: &Record<'_>, notation: &Notation, tally: &mut Tally<'_>) {
        self.current = None;
        let Some(name) = record.some(b'N') else { return };
        let account_type = account_type(&record.text(b'T'));
        let account = AccountHint { name: Some(name), account_type, ..AccountHint::default() };
        // The balance of the last statement and its day; programs write nothing or only one of them.
        let amount = notation.amount(&record.text(b'$'), self.currency).ok().flatten();
        let day = notation.day(&record.text(b'/')).ok();
        let balance = amount.zip(day).map(|(amount, day)| StatementBalance {
            kind: BalanceKind::Ledger,
            amount,
            as_of: Some(day),
        });
        let is_unreadable = record.has(b'$') && record.has(b'/') && balance.is_none();
        tally.summary.unreadable_balances += u64::from(is_unreadable);
        self.named = Some(Named { account, balance });
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

    /// The statement of the next row.
    pub(super) fn statement(
        &mut self,
        section: Section,
        tally: &mut Tally<'_>,
    ) -> Result<usize, FormatError> {
        if let Some(statement) = self.current {
            return Ok(statement);
        }
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
                let head = StatementHead {
                    account: account.clone(),
                    currency: self.currency,
                    starts_on: None,
                    ends_on: None,
                };
                let statement = tally.statement(head)?;
                self.known.insert(account, statement);
                statement
            }
        };
        self.current = Some(statement);
        if let Some(balance) = self.named.as_mut().and_then(|named| named.balance.take()) {
            tally.balance(statement, balance)?;
        }
        Ok(statement)
    }
}
