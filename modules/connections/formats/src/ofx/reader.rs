use std::io::Read;

use kernel::Currency;

use super::Tag;
use super::row::{Part, RowDraft};
use super::statement::{BalanceDraft, StatementDraft};
use super::token::{Token, Tokens};
use crate::sink::Tally;
use crate::source::Source;
use crate::{AccountType, BalanceKind, BankRefusal, FormatError, RejectCode, RejectedRow, Sink, Summary};

/// Reads a whole OFX document into `sink`.
pub(crate) fn read<R: Read>(
    source: Source<R>,
    default_currency: Option<Currency>,
    sink: &mut dyn Sink,
) -> Result<Summary, FormatError> {
    let mut tokens = Tokens::new(source);
    let mut reader = Reader::new(default_currency, sink);
    let mut step = Step::default();
    while let Some(token) = tokens.next()? {
        reader.note(&token, &mut step);
        // Only a row needs its line, and finding it costs more than most tokens do.
        match std::mem::take(&mut step) {
            Step::Nothing => {}
            Step::BeginRow(kind) => reader.begin_row(kind, tokens.line())?,
            Step::BeginTrade(name) => {
                reader.trade = Some(Trade { name, line: tokens.line(), is_real: false })
            }
            Step::End(tag) => reader.end(tag)?,
            Step::BeginStatement(account_type) => reader.begin_statement(account_type)?,
            Step::BeginBalance(kind) => reader.begin_balance(kind)?,
            Step::Cash => reader.end_balance()?,
        }
        reader.tally.progress(tokens.bytes_read())?;
    }
    reader.tally.progress(tokens.bytes_read())?;
    reader.finish(tokens.line())
}

/// What has to be done about a token once its bytes are let go.
#[derive(Debug, Default)]
enum Step {
    #[default]
    Nothing,
    BeginRow(RowOf),
    BeginTrade(Vec<u8>),
    BeginStatement(Option<AccountType>),
    BeginBalance(BalanceKind),
    /// A balance that is a leaf is whole.
    Cash,
    End(Tag),
}

/// Which aggregate a row stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum RowOf {
    Booked,
    Pending,
}

/// A child of `INVTRANLIST`; real once an `INVTRAN` is seen in it, as an empty element may stand there too.
struct Trade {
    name: Vec<u8>,
    line: u64,
    is_real: bool,
}

#[derive(Default)]
struct Status {
    code: String,
    message: String,
    is_error: bool,
}

/// What surrounds the next token. OFX nests in known ways, so that it takes these few places instead of a stack,
/// and no depth of nesting costs memory.
struct Reader<'a> {
    default_currency: Option<Currency>,
    tally: Tally<'a>,
    is_whole: bool,
    in_sign_on: bool,
    status: Option<Status>,
    statement: Option<StatementDraft>,
    in_account: bool,
    balance: Option<BalanceDraft>,
    row: RowDraft,
    row_of: Option<RowOf>,
    part: Part,
    in_investments: bool,
    trade: Option<Trade>,
}

impl<'a> Reader<'a> {
    fn new(default_currency: Option<Currency>, sink: &'a mut dyn Sink) -> Self {
        Self {
            default_currency,
            tally: Tally::new(sink),
            is_whole: false,
            in_sign_on: false,
            status: None,
            statement: None,
            in_account: false,
            balance: None,
            row: RowDraft::default(),
            row_of: None,
            part: Part::Itself,
            in_investments: false,
            trade: None,
        }
    }

    /// Takes in what the token says, and tells what is to be done about it.
    fn note(&mut self, token: &Token<'_>, step: &mut Step) {
        if token.is_end {
            let ends_trade = self.trade.as_ref().is_some_and(|trade| trade.name == token.name);
            *step = match token.tag {
                Tag::Unknown if !ends_trade => Step::Nothing,
                tag => Step::End(tag),
            };
        } else if self.row_of.is_some() && !begins_something(token.tag) {
            self.note_in_row(token);
        } else if token.value.is_empty() || is_aggregate(token.tag) {
            self.note_aggregate(token, step);
        } else {
            self.note_leaf(token, step);
        }
    }

    fn note_in_row(&mut self, token: &Token<'_>) {
        let part = match token.tag {
            Tag::Payee => Part::Payee,
            Tag::AccountTo => Part::AccountTo,
            Tag::Currency => Part::Currency,
            Tag::OriginalCurrency => Part::OriginalCurrency,
            _ => Part::Itself,
        };
        if part != Part::Itself && token.value.is_empty() {
            self.part = if token.is_closed { Part::Itself } else { part };
        } else {
            self.row.set(self.part, token.tag, &token.value);
        }
    }

    fn note_aggregate(&mut self, token: &Token<'_>, step: &mut Step) {
        match token.tag {
            Tag::Ofx => self.is_whole = token.is_closed,
            tag if token.is_closed && tag != Tag::Unknown => {}
            Tag::SignOn => self.in_sign_on = true,
            Tag::Status => self.status = Some(Status::default()),
            Tag::BankStatement => *step = Step::BeginStatement(None),
            Tag::CardStatement => *step = Step::BeginStatement(Some(AccountType::CreditCard)),
            Tag::InvestmentStatement => *step = Step::BeginStatement(Some(AccountType::Investment)),
            Tag::LoanStatement => *step = Step::BeginStatement(Some(AccountType::Loan)),
            Tag::AccountFrom => self.in_account = true,
            Tag::LedgerBalance => *step = Step::BeginBalance(BalanceKind::Ledger),
            Tag::AvailableBalance => *step = Step::BeginBalance(BalanceKind::Available),
            Tag::InvestmentList => self.in_investments = true,
            Tag::Trade => self.trade.iter_mut().for_each(|trade| trade.is_real = true),
            Tag::Transaction | Tag::LoanTransaction => *step = Step::BeginRow(RowOf::Booked),
            Tag::Pending => *step = Step::BeginRow(RowOf::Pending),
            Tag::Unknown if self.in_investments && self.trade.is_none() && !token.is_closed => {
                *step = Step::BeginTrade(token.name.to_vec());
            }
            _ => {}
        }
    }

    fn note_leaf(&mut self, token: &Token<'_>, step: &mut Step) {
        let (tag, value) = (token.tag, &token.value);
        if let Some(status) = &mut self.status {
            match tag {
                Tag::Code => status.code = value.text().into_owned(),
                Tag::Message => status.message = value.text().into_owned(),
                Tag::Severity => status.is_error = value.bytes().eq_ignore_ascii_case(b"ERROR"),
                _ => {}
            }
        } else if let Some(balance) = &mut self.balance {
            balance.set(tag, value);
        } else if let Some(statement) = &mut self.statement {
            if self.in_account {
                statement.set_account(tag, value);
            } else if tag == Tag::AvailableCash {
                let (amount, as_of) = (value.some_text(), statement.as_of());
                self.balance = Some(BalanceDraft { kind: BalanceKind::Available, amount, as_of });
                *step = Step::Cash;
            } else {
                statement.set(tag, value);
            }
        }
    }

    fn end(&mut self, tag: Tag) -> Result<(), FormatError> {
        match tag {
            Tag::Ofx => {
                self.end_statement()?;
                self.is_whole = true;
            }
            Tag::SignOn => self.in_sign_on = false,
            Tag::Status => self.end_status()?,
            Tag::AccountFrom => self.in_account = false,
            Tag::Payee | Tag::AccountTo | Tag::Currency | Tag::OriginalCurrency => self.part = Part::Itself,
            Tag::LedgerBalance | Tag::AvailableBalance => self.end_balance()?,
            Tag::Transaction | Tag::Pending | Tag::LoanTransaction => self.end_row()?,
            Tag::InvestmentList => {
                self.end_trade()?;
                self.in_investments = false;
            }
            Tag::Unknown => self.end_trade()?,
            Tag::BankStatement | Tag::CardStatement | Tag::InvestmentStatement | Tag::LoanStatement => {
                self.end_statement()?;
            }
            _ => {}
        }
        Ok(())
    }

    fn begin_statement(&mut self, account_type: Option<AccountType>) -> Result<(), FormatError> {
        self.end_status()?;
        self.end_statement()?;
        self.statement = Some(StatementDraft::begin(account_type));
        Ok(())
    }

    fn end_statement(&mut self) -> Result<(), FormatError> {
        self.end_row()?;
        self.end_trade()?;
        self.end_balance()?;
        self.in_account = false;
        self.in_investments = false;
        if let Some(mut statement) = self.statement.take() {
            statement.give_out(self.default_currency, &mut self.tally)?;
        }
        Ok(())
    }

    fn begin_row(&mut self, kind: RowOf, line: u64) -> Result<(), FormatError> {
        // A bank that forgets an end tag still means two rows.
        self.end_row()?;
        self.row_of = Some(kind);
        self.row.begin(line);
        Ok(())
    }

    fn end_row(&mut self) -> Result<(), FormatError> {
        let Some(kind) = self.row_of.take() else { return Ok(()) };
        self.part = Part::Itself;
        let (statement, currency) = self.current_statement()?;
        match kind {
            RowOf::Booked => match self.row.finish(currency) {
                Ok(row) => self.tally.row(statement, row),
                Err(rejected) => self.tally.rejected(statement, rejected),
            },
            RowOf::Pending => {
                let reason = "the row is pending: it will come again once it is booked";
                self.tally.rejected(statement, self.row.refused(RejectCode::UnsupportedPendingRow, reason))
            }
        }
    }

    fn end_trade(&mut self) -> Result<(), FormatError> {
        let Some(trade) = self.trade.take().filter(|trade| trade.is_real) else { return Ok(()) };
        let (statement, _) = self.current_statement()?;
        let name = crate::error::sanitised(&String::from_utf8_lossy(&trade.name), 20);
        let rejected = RejectedRow {
            line: trade.line,
            code: RejectCode::UnsupportedInvestmentRow,
            reason: format!("investment transactions ({name}) are not supported"),
        };
        self.tally.rejected(statement, rejected)
    }

    fn begin_balance(&mut self, kind: BalanceKind) -> Result<(), FormatError> {
        self.end_row()?;
        self.end_balance()?;
        self.balance = Some(BalanceDraft::begin(kind));
        Ok(())
    }

    fn end_balance(&mut self) -> Result<(), FormatError> {
        let Some(balance) = self.balance.take() else { return Ok(()) };
        let (statement, currency) = self.current_statement()?;
        match balance.finish(currency) {
            None => Ok(()),
            Some(Ok(balance)) => self.tally.balance(statement, balance),
            Some(Err(_)) => {
                self.tally.summary.unreadable_balances += 1;
                Ok(())
            }
        }
    }

    /// A refused sign-on ends it all; a refused statement leaves the others.
    fn end_status(&mut self) -> Result<(), FormatError> {
        let Some(status) = self.status.take().filter(|status| status.is_error) else { return Ok(()) };
        let refusal = BankRefusal::new(&status.code, &status.message);
        if self.in_sign_on {
            return Err(refusal.into());
        }
        // A hostile file could repeat it for ever.
        if self.tally.summary.refusals.len() < 100 {
            self.tally.summary.refusals.push(refusal);
        }
        Ok(())
    }

    fn current_statement(&mut self) -> Result<(usize, Currency), FormatError> {
        // Rows outside of any statement are against the format, but they are there.
        let statement = self.statement.get_or_insert_default();
        statement.give_out(self.default_currency, &mut self.tally)
    }

    fn finish(mut self, line: u64) -> Result<Summary, FormatError> {
        if !self.is_whole {
            return Err(FormatError::TruncatedFile { line });
        }
        match self.tally.summary.refusals.first() {
            Some(refusal) if self.tally.summary.statements == 0 => Err(refusal.clone().into()),
            _ => Ok(std::mem::take(&mut self.tally.summary)),
        }
    }
}

/// Tags that never are leaves: text behind one is a slip, and no reason to lose a row.
fn is_aggregate(tag: Tag) -> bool {
    use Tag::{AccountFrom, InvestmentList, InvestmentStatement, Ofx, SignOn, Status, Trade};
    begins_something(tag)
        || matches!(tag, AccountFrom | InvestmentList | InvestmentStatement | Ofx | SignOn | Status | Trade)
}

/// Tags that cannot stand in a transaction: they end it where its end tag is missing.
fn begins_something(tag: Tag) -> bool {
    use Tag::{
        AvailableBalance, BankStatement, CardStatement, LedgerBalance, LoanTransaction, Pending, Transaction,
    };
    matches!(
        tag,
        Transaction
            | Pending
            | LoanTransaction
            | BankStatement
            | CardStatement
            | LedgerBalance
            | AvailableBalance
    )
}
