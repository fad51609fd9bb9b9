//! Transactions of investment statements (children of `INVTRANLIST`).

use kernel::{Currency, Money};

use super::Tag;
use super::field::{CurrencyFields, DateField, Fault, Part, amount, decimal, too_long};
use super::securities::{Securities, Security};
use super::token::Value;
use super::trade_kind::TradeKind;
use super::trade_name::trade_name;
use crate::amount::ofx_amount;
use crate::decimal::Decimal;
use crate::{RejectedRow, Row, Split, Trade, TradeAction};

/// More than this is no sum of charges.
const MOST_CHARGES: usize = 8;

/// A transaction while its elements come in.
#[derive(Debug, Default)]
pub(super) struct TradeDraft {
    pub(super) kind: TradeKind,
    line: u64,
    external_id: Option<String>,
    traded: DateField,
    settled: DateField,
    related_id: Option<String>,
    memo: Option<String>,
    pub(super) security_id: Option<String>,
    security_id_type: Option<String>,
    units: Option<String>,
    unit_price: Option<String>,
    total: Option<String>,
    charges: Vec<String>,
    currency: CurrencyFields,
    /// What the kind says of itself (`BUYTYPE`, `SELLTYPE`, `INCOMETYPE`, `OPTACTION`, `TFERACTION` and the like).
    pub(super) word: Option<String>,
    pub(super) sub_account_from: Option<String>,
    pub(super) sub_account_to: Option<String>,
    old_units: Option<String>,
    new_units: Option<String>,
    pub(super) numerator: Option<String>,
    pub(super) denominator: Option<String>,
    fraction_cash: Option<String>,
    is_short: bool,
    is_too_long: bool,
}

impl TradeDraft {
    pub(super) fn begin(kind: TradeKind, line: u64) -> Self {
        Self { kind, line, ..Self::default() }
    }

    pub(super) fn set(&mut self, part: Part, tag: Tag, value: &Value<'_>) {
        self.is_too_long |= value.is_too_long;
        if part != Part::Itself || tag == Tag::Currency {
            return self.currency.set(part, tag, value);
        }
        let field = match tag {
            Tag::DateTraded => return self.traded = DateField::of(value),
            Tag::DateSettled => return self.settled = DateField::of(value),
            Tag::PositionType => return self.is_short = value.bytes().eq_ignore_ascii_case(b"SHORT"),
            // OFX has four of them; a hostile row could have any number.
            Tag::Charge if self.charges.len() >= MOST_CHARGES => return,
            Tag::Charge => return self.charges.extend(value.some_text()),
            Tag::TransactionId => &mut self.external_id,
            Tag::RelatedId => &mut self.related_id,
            Tag::Memo => &mut self.memo,
            Tag::SecurityId => &mut self.security_id,
            Tag::SecurityIdType => &mut self.security_id_type,
            Tag::Units => &mut self.units,
            Tag::UnitPrice => &mut self.unit_price,
            Tag::Total => &mut self.total,
            Tag::TradeWord => &mut self.word,
            Tag::SubAccountFrom => &mut self.sub_account_from,
            Tag::SubAccountTo => &mut self.sub_account_to,
            Tag::OldUnits => &mut self.old_units,
            Tag::NewUnits => &mut self.new_units,
            Tag::Numerator => &mut self.numerator,
            Tag::Denominator => &mut self.denominator,
            Tag::FractionCash => &mut self.fraction_cash,
            _ => return,
        };
        // The first one stands, as in bank rows.
        if field.is_none() {
            *field = value.some_text();
        }
    }

    /// The row, or why it is none.
    pub(super) fn finish(self, of_statement: Currency, securities: &Securities) -> Result<Row, RejectedRow> {
        let line = self.line;
        self.row(of_statement, securities).map_err(|(code, reason)| RejectedRow { line, code, reason })
    }

    /// The day of the trade is the day of the row: it is always given and stays the same, while the day of settlement
    /// may come with a later download only, and then it would be told as another row. It is the value date.
    fn row(mut self, of_statement: Currency, securities: &Securities) -> Result<Row, Fault> {
        if self.is_too_long {
            return Err(too_long());
        }
        let traded = self.traded.needed("trade")?;
        let currency = self.currency.currency(of_statement)?;
        let units = self.units()?;
        let (amount, splits) = self.cash(currency, units)?;
        let units = units.map(|units| self.signed(units, amount));
        let unit_price = decimal(self.unit_price.as_ref())?;
        let listed = securities.find(self.security_id.as_deref(), self.security_id_type.as_deref());
        let listed = listed.cloned().unwrap_or_default();
        let row = Row::new(self.line, traded.day, amount);
        Ok(Row {
            external_id: self.external_id.take(),
            occurred_on: Some(traded.day),
            posted_at: traded.instant,
            value_on: self.settled.day(),
            kind: self.kind.row_kind(self.word.as_deref()),
            name: Some(trade_name(&self, units, &listed)),
            memo: self.memo.take(),
            original: self.currency.take_original(),
            reference: self.related_id.take(),
            splits,
            trade: self.trade(units, unit_price, currency, listed),
            ..row
        })
    }

    /// What the transaction does to the cash of the account: its `TOTAL`, as the bank signs it, or nothing where only
    /// units move. Reinvesting and moving cash between sub-accounts takes as much as it gives: both halves are told as
    /// splits, so that the income is not lost.
    fn cash(&self, currency: Currency, units: Option<Decimal>) -> Result<(Money, Vec<Split>), Fault> {
        let nothing = Money::zero(currency);
        let total = || self.total.as_deref().map_or(Ok(nothing), |total| amount(total, currency));
        match self.kind {
            TradeKind::Reinvest => {
                let is_taken_back = units.is_some_and(Decimal::is_negative);
                let income =
                    if (total()?.minor() < 0) != is_taken_back { negated(total()?)? } else { total()? };
                Ok((nothing, halves(income, "Income", "Reinvested")?))
            }
            TradeKind::JournalFund => {
                let side = |word: &str, account: Option<&String>| {
                    account.map_or_else(|| word.to_owned(), |account| format!("{word} {account}"))
                };
                let to = side("To", self.sub_account_to.as_ref());
                let from = side("From", self.sub_account_from.as_ref());
                Ok((nothing, halves(total()?, &to, &from)?))
            }
            TradeKind::Split => {
                let cash =
                    self.fraction_cash.as_deref().map_or(Ok(nothing), |cash| amount(cash, currency))?;
                Ok((cash, Vec::new()))
            }
            TradeKind::Transfer | TradeKind::JournalSecurity | TradeKind::Closure => {
                Ok((nothing, Vec::new()))
            }
            _ => Ok((amount(self.total.as_deref().unwrap_or_default(), currency)?, Vec::new())),
        }
    }

    /// How many units the transaction states; of a split how many came of it.
    fn units(&self) -> Result<Option<Decimal>, Fault> {
        if self.kind != TradeKind::Split {
            return decimal(self.units.as_ref());
        }
        let (old, new) = (decimal(self.old_units.as_ref())?, decimal(self.new_units.as_ref())?);
        Ok(new.zip(old).and_then(|(new, old)| new.checked_sub(old)))
    }

    /// The units with a minus if they went, which is how banks are to sign them. Where one does not, the money tells: no
    /// sale brings both money and units, no purchase costs both.
    fn signed(&self, units: Decimal, cash: Money) -> Decimal {
        let is_wrong = match self.kind {
            TradeKind::Buy => cash.minor() < 0 && units.is_negative(),
            TradeKind::Sell => cash.minor() > 0 && !units.is_negative(),
            TradeKind::Transfer => self.is_word("OUT") && !self.is_short && !units.is_negative(),
            _ => false,
        };
        if is_wrong { units.negated() } else { units }
    }

    pub(super) fn is_word(&self, word: &str) -> bool {
        self.word.as_deref().is_some_and(|own| own.eq_ignore_ascii_case(word))
    }

    fn trade(
        self,
        units: Option<Decimal>,
        unit_price: Option<Decimal>,
        currency: Currency,
        listed: Security,
    ) -> Option<Box<Trade>> {
        let action = self.kind.action()?;
        let zero = Money::zero(currency);
        let charge = |sum: Money, text: &String| sum.checked_add(ofx_amount(text, currency).ok()?).ok();
        let fees = self
            .charges
            .iter()
            .try_fold(zero, charge)
            .filter(|_| (1..MOST_CHARGES).contains(&self.charges.len()));
        // Between sub-accounts of one account nothing comes and nothing goes.
        let units = units.filter(|_| action != TradeAction::Other);
        Some(Box::new(Trade {
            action,
            security_id: self.security_id,
            security_id_type: self.security_id_type,
            ticker: listed.ticker,
            security_name: listed.name,
            units: units.map(|units| units.to_string()),
            unit_price: unit_price.map(|price| price.to_string()),
            fees,
        }))
    }
}

fn negated(amount: Money) -> Result<Money, Fault> {
    amount.checked_neg().map_err(|error| (crate::amount::reject(error.clone()), error.to_string()))
}

/// An amount that comes and goes.
fn halves(comes: Money, came: &str, went: &str) -> Result<Vec<Split>, Fault> {
    if comes.minor() == 0 {
        return Ok(Vec::new());
    }
    let split = |amount, memo: &str| Split { amount, category: None, memo: Some(memo.to_owned()) };
    Ok(vec![split(comes, came), split(negated(comes)?, went)])
}
