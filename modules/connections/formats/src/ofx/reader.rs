use std::io::Read;

use kernel::Currency;

use super::Tag;
use super::field::Part;
use super::investment::TradeDraft;
use super::position::PositionDraft;
use super::row::RowDraft;
use super::securities::Securities;
use super::statement::{BalanceDraft, StatementDraft};
use super::token::{Token, Tokens};
use super::trade_kind::TradeKind;
use crate::sink::Tally;
use crate::source::Source;
use crate::{AccountType, BalanceKind, FormatError, Sink, Summary};

/// Reads a whole OFX document into `sink`.
pub(crate) fn read<R: Read>(
    source: Source<R>,
    default_currency: Option<Currency>,
    securities: &Securities,
    sink: &mut dyn Sink,
) -> Result<Summary, FormatError> {
    let mut tokens = Tokens::new(source);
    let mut reader = Reader::new(default_currency, securities, sink);
    let mut step = Step::default();
    while let Some(token) = tokens.next()? {
        reader.note(&token, &mut step);
        // Only a row needs its line, and finding it costs more than most tokens do.
        match std::mem::take(&mut step) {
            Step::Nothing => {}
            Step::BeginRow(kind) => reader.begin_row(kind, tokens.line())?,
            Step::BeginUnknown(name) => {
                reader.unknown = Some(UnknownRow { name, line: tokens.line(), is_real: false })
            }
            Step::End(tag) => reader.end(tag)?,
            Step::EndRows => reader.end_rows()?,
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
    BeginUnknown(Vec<u8>),
    BeginStatement(Option<AccountType>),
    BeginBalance(BalanceKind),
    /// A balance that is a leaf is whole.
    Cash,
    End(Tag),
    /// What begins stands behind the rows, whether or not the last one was closed.
    EndRows,
}

/// Which aggregate a row stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RowOf {
    Booked,
    Pending,
    Trade(TradeKind),
    Position,
}

/// A child of `INVTRANLIST` that OFX does not have; real once an `INVTRAN` is seen in it, as an empty element of a
/// vendor may stand there too.
pub(super) struct UnknownRow {
    pub(super) name: Vec<u8>,
    pub(super) line: u64,
    pub(super) is_real: bool,
}

#[derive(Default)]
pub(super) struct Status {
    pub(super) code: String,
    pub(super) message: String,
    pub(super) is_error: bool,
}

/// What surrounds the next token. OFX nests in known ways, so that it takes these few places instead of a stack,
/// and no depth of nesting costs memory.
pub(super) struct Reader<'a> {
    pub(super) default_currency: Option<Currency>,
    pub(super) securities: &'a Securities,
    pub(super) tally: Tally<'a>,
    pub(super) is_whole: bool,
    pub(super) in_sign_on: bool,
    pub(super) status: Option<Status>,
    pub(super) statement: Option<StatementDraft>,
    pub(super) in_account: bool,
    pub(super) balance: Option<BalanceDraft>,
    pub(super) row_of: Option<RowOf>,
    pub(super) row: RowDraft,
    pub(super) trade: TradeDraft,
    pub(super) position: PositionDraft,
    pub(super) part: Part,
    pub(super) in_investments: bool,
    pub(super) unknown: Option<UnknownRow>,
    /// In an aggregate whose values are not about the statement.
    pub(super) in_aside: bool,
}

impl<'a> Reader<'a> {
    fn new(default_currency: Option<Currency>, securities: &'a Securities, sink: &'a mut dyn Sink) -> Self {
        Self {
            default_currency,
            securities,
            tally: Tally::new(sink),
            is_whole: false,
            in_sign_on: false,
            status: None,
            statement: None,
            in_account: false,
            balance: None,
            row_of: None,
            row: RowDraft::default(),
            trade: TradeDraft::default(),
            position: PositionDraft::default(),
            part: Part::Itself,
            in_investments: false,
            unknown: None,
            in_aside: false,
        }
    }

    /// Takes in what the token says, and tells what is to be done about it.
    fn note(&mut self, token: &Token<'_>, step: &mut Step) {
        if token.is_end {
            let ends_unknown = self.unknown.as_ref().is_some_and(|unknown| unknown.name == token.name);
            *step = match token.tag {
                Tag::Unknown if !ends_unknown => Step::Nothing,
                tag => Step::End(tag),
            };
        } else if self.row_of.is_some() && !self.begins_something(token.tag) {
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
            return;
        }
        match self.row_of {
            Some(RowOf::Trade(_)) => self.trade.set(self.part, token.tag, &token.value),
            Some(RowOf::Position) => self.position.set(self.part, token.tag, &token.value),
            _ => self.row.set(self.part, token.tag, &token.value),
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
            Tag::InvestmentTransaction => {
                self.unknown.iter_mut().for_each(|unknown| unknown.is_real = true);
            }
            Tag::Transaction | Tag::LoanTransaction => *step = Step::BeginRow(RowOf::Booked),
            Tag::Pending => *step = Step::BeginRow(RowOf::Pending),
            Tag::Trade(kind) if self.in_investments => *step = Step::BeginRow(RowOf::Trade(kind)),
            Tag::Position => *step = Step::BeginRow(RowOf::Position),
            Tag::PositionList | Tag::InvestmentBalance => *step = Step::EndRows,
            Tag::Aside => {
                self.in_aside = true;
                *step = Step::EndRows;
            }
            Tag::Unknown if self.in_investments && self.unknown.is_none() && !token.is_closed => {
                *step = Step::BeginUnknown(token.name.to_vec());
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
            } else if tag == Tag::AvailableCash && !self.in_aside {
                // Nothing that the rows must add up to: funds into which cash is swept count in it, margin does not,
                // and a pension plan buys with money that it never held.
                let (amount, as_of) = (value.some_text(), statement.as_of());
                self.balance = Some(BalanceDraft { kind: BalanceKind::Available, amount, as_of });
                *step = Step::Cash;
            } else if !self.in_aside {
                statement.set(tag, value);
            }
        }
    }

    /// Whether the tag cannot stand in a row: there it ends the row, where its end tag is missing.
    fn begins_something(&self, tag: Tag) -> bool {
        begins_something(tag) || (matches!(tag, Tag::Trade(_)) && self.in_investments)
    }
}

/// Tags that never are leaves: text behind one is a slip, and no reason to lose a row.
fn is_aggregate(tag: Tag) -> bool {
    use Tag::{AccountFrom, InvestmentList, InvestmentTransaction, Ofx, SignOn, Status, Trade};
    begins_something(tag)
        || matches!(
            tag,
            AccountFrom | InvestmentList | InvestmentTransaction | Ofx | SignOn | Status | Trade(_)
        )
}

/// Tags that cannot stand in any row.
fn begins_something(tag: Tag) -> bool {
    use Tag::{
        Aside, AvailableBalance, BankStatement, CardStatement, InvestmentBalance, InvestmentStatement,
        LedgerBalance, LoanStatement, LoanTransaction, Pending, Position, PositionList, Transaction,
    };
    matches!(
        tag,
        Transaction
            | Pending
            | LoanTransaction
            | BankStatement
            | CardStatement
            | InvestmentStatement
            | LoanStatement
            | LedgerBalance
            | AvailableBalance
            | Position
            | PositionList
            | InvestmentBalance
            | Aside
    )
}
