use std::collections::HashMap;

use kernel::Currency;

use super::balance::Balance;
use crate::sink::Tally;
use crate::{AccountHint, BalanceKind, FormatError, StatementBalance, StatementHead};

/// Statements that may wait for their next page at once.
const MOST_WAITING: usize = 1000;

/// A message while it is open.
#[derive(Default)]
pub(super) struct Message {
    account: Option<AccountHint>,
    currency: Option<Currency>,
    statement: Option<(usize, Currency)>,
    /// The closing balance was there.
    pub(super) is_closed: bool,
    /// The mark behind it was there. It can be a line of a text as well: only what begins another message ends this one.
    pub(super) is_ended: bool,
    /// It is an interim report, which has no closing balance.
    pub(super) is_interim: bool,
}

impl Message {
    /// The first account of a message is its own; another one is text that lost its tag.
    pub(super) fn set_account(&mut self, text: &str) {
        if self.account.is_none() {
            let (account, currency) = account(text);
            self.account = Some(account);
            self.currency = self.currency.or(currency);
        }
    }

    /// Whether another account begins another message.
    pub(super) fn has_its_account(&self) -> bool {
        (self.is_closed || self.is_ended) && self.account.is_some()
    }

    /// What follows where the next statement of an account begins without a word in between.
    pub(super) fn next(self) -> Self {
        Self { account: self.account.filter(|_| !self.is_ended), ..Self::default() }
    }

    /// The currency that the message is in, where it says so outside of its balances.
    pub(super) fn set_currency(&mut self, code: &str) {
        self.currency = Currency::parse(code).ok().or(self.currency);
    }
}

/// The statements of a file: those that are open, and those whose next page may come.
pub(super) struct Statements {
    default_currency: Option<Currency>,
    waiting: HashMap<(AccountHint, Currency), Waiting>,
}

struct Waiting {
    statement: usize,
    /// Where its last page ended.
    balance: StatementBalance,
}

impl Statements {
    pub(super) fn new(default_currency: Option<Currency>) -> Self {
        Self { default_currency, waiting: HashMap::new() }
    }

    /// Number and currency of the statement that the message is, or continues.
    pub(super) fn of(
        &mut self,
        message: &mut Message,
        tally: &mut Tally<'_>,
    ) -> Result<(usize, Currency), FormatError> {
        if let Some(statement) = message.statement {
            return Ok(statement);
        }
        let currency = message.currency.or(self.default_currency).ok_or(FormatError::NeedsCurrency)?;
        let account = message.account.clone().unwrap_or_default();
        let head = StatementHead { account, currency, starts_on: None, ends_on: None };
        let statement = (tally.statement(head)?, currency);
        message.statement = Some(statement);
        Ok(statement)
    }

    /// The first balance of a message. A page of a statement that is known goes on with it.
    pub(super) fn open(
        &mut self,
        message: &mut Message,
        text: &str,
        is_page: bool,
        tally: &mut Tally<'_>,
    ) -> Result<(), FormatError> {
        let Some(balance) = Balance::parse(text) else {
            tally.summary.unreadable_balances += 1;
            return Ok(());
        };
        set_currency(message, &balance)?;
        if let (true, None, Some(currency)) = (is_page, message.statement, message.currency) {
            let key = (message.account.clone().unwrap_or_default(), currency);
            if let Some(waiting) = self.waiting.remove(&key) {
                message.statement = Some((waiting.statement, currency));
                return Ok(());
            }
        }
        self.state(message, &balance, BalanceKind::Opening, tally)
    }

    /// The last balance of a message. That of a page counts only if no other page follows.
    pub(super) fn close(
        &mut self,
        message: &mut Message,
        text: &str,
        is_page: bool,
        tally: &mut Tally<'_>,
    ) -> Result<(), FormatError> {
        message.is_closed = true;
        let Some(balance) = Balance::parse(text) else {
            tally.summary.unreadable_balances += 1;
            return Ok(());
        };
        set_currency(message, &balance)?;
        if !is_page || self.waiting.len() >= MOST_WAITING {
            return self.state(message, &balance, BalanceKind::Ledger, tally);
        }
        let (statement, currency) = self.of(message, tally)?;
        let Some(balance) = stated(&balance, currency, BalanceKind::Ledger, tally) else { return Ok(()) };
        let key = (message.account.clone().unwrap_or_default(), currency);
        if let Some(other) = self.waiting.insert(key, Waiting { statement, balance }) {
            tally.balance(other.statement, other.balance)?;
        }
        Ok(())
    }

    pub(super) fn available(
        &mut self,
        message: &mut Message,
        text: &str,
        tally: &mut Tally<'_>,
    ) -> Result<(), FormatError> {
        match Balance::parse(text) {
            Some(balance) => {
                set_currency(message, &balance)?;
                self.state(message, &balance, BalanceKind::Available, tally)
            }
            None => {
                tally.summary.unreadable_balances += 1;
                Ok(())
            }
        }
    }

    /// Tells the balances of pages that nothing followed.
    pub(super) fn finish(self, tally: &mut Tally<'_>) -> Result<(), FormatError> {
        let mut waiting: Vec<_> = self.waiting.into_values().collect();
        waiting.sort_by_key(|waiting| waiting.statement);
        waiting.into_iter().try_for_each(|Waiting { statement, balance }| tally.balance(statement, balance))
    }

    fn state(
        &mut self,
        message: &mut Message,
        balance: &Balance<'_>,
        kind: BalanceKind,
        tally: &mut Tally<'_>,
    ) -> Result<(), FormatError> {
        let (statement, currency) = self.of(message, tally)?;
        match stated(balance, currency, kind, tally) {
            Some(balance) => tally.balance(statement, balance),
            None => Ok(()),
        }
    }
}

/// A statement is in the currency of its first balance.
fn set_currency(message: &mut Message, balance: &Balance<'_>) -> Result<(), FormatError> {
    if message.statement.is_none() {
        let unknown = |_| FormatError::unknown_currency(balance.currency);
        message.currency = Some(Currency::parse(balance.currency).map_err(unknown)?);
    }
    Ok(())
}

fn stated(
    balance: &Balance<'_>,
    currency: Currency,
    kind: BalanceKind,
    tally: &mut Tally<'_>,
) -> Option<StatementBalance> {
    let is_same = balance.currency.eq_ignore_ascii_case(currency.code());
    let amount = balance.money(currency).filter(|_| is_same);
    if amount.is_none() {
        tally.summary.unreadable_balances += 1;
    }
    tally.summary.moved_dates += u64::from(amount.is_some() && balance.day.is_moved);
    amount.map(|amount| StatementBalance { kind, amount, as_of: Some(balance.day.date) })
}

/// `BANK/ACCOUNT`, or an account alone, with the currency behind it where banks put it to tell apart the accounts
/// of one number; the BIC on a line of its own (`:25P:`).
fn account(text: &str) -> (AccountHint, Option<Currency>) {
    let (first, second) = text.split_once('\n').unwrap_or((text, ""));
    let (bank, number, currency) = match first.split_once('/') {
        Some((number, code)) if Currency::parse(code).is_ok() => (second, number, Currency::parse(code).ok()),
        Some((bank, number)) => {
            let (number, currency) = without_currency(number);
            (bank, number, currency)
        }
        None => {
            let (number, currency) = without_currency(first);
            (second, number, currency)
        }
    };
    let some = |text: &str| Some(text.trim()).filter(|text| !text.is_empty()).map(str::to_owned);
    let hint = AccountHint { bank_id: some(bank), account_number: some(number), ..AccountHint::default() };
    (hint, currency)
}

/// Letters right behind the digits of a number are its currency, if there is one of that name.
fn without_currency(number: &str) -> (&str, Option<Currency>) {
    let number = number.trim();
    let parted = number.split_at_checked(number.len().saturating_sub(3));
    let parted = parted.filter(|(digits, _)| digits.ends_with(|c: char| c.is_ascii_digit() || c == ' '));
    let read = |(digits, code)| Currency::parse(code).ok().map(|currency| (digits, Some(currency)));
    parted.and_then(read).unwrap_or((number, None))
}
