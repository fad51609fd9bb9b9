use std::collections::HashMap;

use chrono::NaiveDate;
use kernel::{Currency, Money};

use crate::sink::Tally;
use crate::{AccountHint, BalanceKind, FormatError, RejectedRow, Row, StatementBalance, StatementHead};

/// More accounts than any bank puts in a file; a wrong account column has one in every row.
const MOST_ACCOUNTS: usize = 1000;

/// The statements of a table: one for each account and currency, opened when their first row comes.
pub(super) struct Statements {
    /// What the preamble says of the file's account.
    account: AccountHint,
    file_currency: Option<Currency>,
    numbers: HashMap<(Option<String>, Currency), usize>,
    /// What the last row belonged to: the next one mostly does too.
    current: Option<(Option<String>, Currency, usize)>,
    closings: Vec<Closing>,
    /// Rejected rows that came before any row was read, so that nobody knows whose they are.
    early: Vec<RejectedRow>,
    /// What one of them says of its currency.
    early_currency: Option<Currency>,
}

/// Whose a row is.
#[derive(Clone, Copy, Default)]
pub(super) struct Owner<'a> {
    /// The account as its column has it.
    pub(super) account: Option<&'a str>,
    /// What the account is called.
    pub(super) name: Option<&'a str>,
}

/// After so many rejected rows there will be no other.
const MOST_EARLY: usize = 1000;

impl Statements {
    pub(super) fn new(account: AccountHint, file_currency: Option<Currency>) -> Self {
        Self {
            account,
            file_currency,
            numbers: HashMap::new(),
            current: None,
            closings: vec![],
            early: vec![],
            early_currency: None,
        }
    }

    pub(super) fn file_currency(&self) -> Option<Currency> {
        self.file_currency
    }

    /// Gives out a row and takes note of the balance behind it, `Err` if there is one that cannot be read.
    pub(super) fn row(
        &mut self,
        owner: Owner<'_>,
        row: Row,
        balance: Result<Option<Money>, ()>,
        tally: &mut Tally<'_>,
    ) -> Result<(), FormatError> {
        let account = owner.account.or(self.account.account_number.as_deref()).map(str::to_owned);
        let statement = self.number(account, owner.name, row.amount.currency(), tally)?;
        match balance {
            Ok(Some(balance)) => self.closings[statement].add(row.posted_on, row.amount, balance),
            Ok(None) => {}
            Err(()) => tally.summary.unreadable_balances += 1,
        }
        tally.row(statement, row)
    }

    /// Gives out a rejected row. It belongs to the statement of the row before it, as nothing that it says of
    /// itself is sure: the account column of a footer may say "Total". Where there is none before it, it waits for
    /// the first that comes: banks put the rows that they have not booked yet first.
    pub(super) fn reject(
        &mut self,
        currency: Option<Currency>,
        row: RejectedRow,
        tally: &mut Tally<'_>,
    ) -> Result<(), FormatError> {
        if let Some((_, _, statement)) = &self.current {
            return tally.rejected(*statement, row);
        }
        self.early_currency = self.early_currency.or(currency);
        self.early.push(row);
        if self.early.len() < MOST_EARLY { Ok(()) } else { self.open_unnamed(tally) }
    }

    /// Opens a statement of whatever the file says of its account, for want of a row that says more.
    fn open_unnamed(&mut self, tally: &mut Tally<'_>) -> Result<(), FormatError> {
        let currency = self.file_currency.or(self.early_currency).ok_or(FormatError::NeedsCurrency)?;
        self.number(self.account.account_number.clone(), None, currency, tally).map(drop)
    }

    /// Opens the one statement of a file without rows, and states the closing balances.
    pub(super) fn finish(mut self, tally: &mut Tally<'_>) -> Result<(), FormatError> {
        if self.current.is_none() && (self.file_currency.is_some() || !self.early.is_empty()) {
            self.open_unnamed(tally)?;
        }
        for (statement, closing) in self.closings.iter().enumerate() {
            if let Some((as_of, amount)) = closing.balance() {
                let balance = StatementBalance { kind: BalanceKind::Ledger, amount, as_of: Some(as_of) };
                tally.balance(statement, balance)?;
            }
        }
        Ok(())
    }

    fn number(
        &mut self,
        account: Option<String>,
        name: Option<&str>,
        currency: Currency,
        tally: &mut Tally<'_>,
    ) -> Result<usize, FormatError> {
        if let Some((current, of, statement)) = &self.current
            && *current == account
            && *of == currency
        {
            return Ok(*statement);
        }
        let key = (account.clone(), currency);
        let statement = match self.numbers.get(&key) {
            Some(statement) => *statement,
            None if self.numbers.len() == MOST_ACCOUNTS => {
                return Err(FormatError::TooManyAccounts { limit: MOST_ACCOUNTS });
            }
            None => {
                let name = name.map(str::to_owned).or_else(|| self.account.name.clone());
                let account = AccountHint { account_number: account.clone(), name, ..self.account.clone() };
                let head = StatementHead { account, currency, starts_on: None, ends_on: None };
                let statement = tally.statement(head)?;
                for row in self.early.drain(..) {
                    tally.rejected(statement, row)?;
                }
                self.numbers.insert(key, statement);
                self.closings.push(Closing::default());
                statement
            }
        };
        self.current = Some((account, currency, statement));
        Ok(statement)
    }
}

/// Finds out which row's running balance is the last one: tables run forwards or backwards.
#[derive(Debug, Default)]
struct Closing {
    first: Option<Stop>,
    second: Option<Stop>,
    last: Option<Stop>,
}

#[derive(Clone, Copy, Debug)]
struct Stop {
    day: NaiveDate,
    amount: Money,
    balance: Money,
}

impl Closing {
    fn add(&mut self, day: NaiveDate, amount: Money, balance: Money) {
        let stop = Stop { day, amount, balance };
        match (self.first, self.second) {
            (None, _) => self.first = Some(stop),
            (Some(_), None) => self.second = Some(stop),
            _ => {}
        }
        self.last = Some(stop);
    }

    /// The latest balance and its day; `None` where all rows are of one day and do not add up either way.
    fn balance(&self) -> Option<(NaiveDate, Money)> {
        let (first, last) = (self.first?, self.last?);
        let latest = match first.day.cmp(&last.day) {
            std::cmp::Ordering::Less => last,
            std::cmp::Ordering::Greater => first,
            std::cmp::Ordering::Equal => match self.second {
                None => first,
                Some(second) if first.balance.checked_add(second.amount) == Ok(second.balance) => last,
                Some(second) if second.balance.checked_add(first.amount) == Ok(first.balance) => first,
                Some(_) => return None,
            },
        };
        Some((latest.day, latest.balance))
    }
}
