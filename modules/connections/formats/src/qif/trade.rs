use kernel::{Currency, Money};

use super::record::Record;
use super::row::{Fault, Notation, Refusal, memo};
use crate::amount::{DecimalMark, reject};
use crate::decimal::Decimal;
use crate::error::sanitised;
use crate::{RejectCode, Row, RowKind, Split, Trade, TradeAction};

/// What an action does to the cash of its account.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Cash {
    In,
    Out,
    Nothing,
    /// The amount has a sign of its own.
    Signed,
}

/// What an action does to the units of its security.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Units {
    In,
    Out,
    /// As written: the ratio of a split.
    Ratio,
}

struct Action {
    trade: Option<TradeAction>,
    cash: Cash,
    units: Units,
    kind: RowKind,
}

/// A row of the register of an investment account.
pub(super) fn trade(record: &Record<'_>, notation: &Notation<'_>, currency: Currency) -> Result<Row, Fault> {
    let posted_on = notation.day(&record.text(b'D'))?;
    let word = record.text(b'N');
    let (action, moves_cash) = action(&word)?;
    let money = Cashflow::of(record, notation, currency, &action, moves_cash)?;
    let security = record.some(b'Y');
    let name = record.some(b'P').or_else(|| security.clone()).or_else(|| record.some(b'N'));
    let trade = action.trade.filter(|_| security.is_some() || record.has(b'Q')).map(|action_of| {
        Box::new(Trade {
            action: action_of,
            security_id: None,
            security_id_type: None,
            ticker: None,
            security_name: security,
            units: decimal(&record.text(b'Q'), notation.mark).map(|units| {
                if action.units == Units::Out { units.abs().negated() } else { units }.to_string()
            }),
            unit_price: decimal(&record.text(b'I'), notation.mark).map(|price| price.to_string()),
            fees: notation.amount(&record.text(b'O'), currency).ok().flatten(),
        })
    });
    Ok(Row {
        name,
        memo: memo(record),
        kind: action.kind,
        category: record.some(b'L'),
        splits: money.splits,
        trade,
        ..Row::new(record.line, posted_on, money.amount)
    })
}

/// What a record does to the cash of its account, and how that is made up.
struct Cashflow {
    amount: Money,
    splits: Vec<Split>,
}

impl Cashflow {
    fn of(
        record: &Record<'_>,
        notation: &Notation<'_>,
        currency: Currency,
        action: &Action,
        moves_cash: bool,
    ) -> Result<Self, Refusal> {
        let zero = Money::zero(currency);
        let total = notation.total(record, currency)?;
        let moved = notation.amount(&record.text(b'$'), currency)?;
        if action.cash == Cash::Nothing {
            return Ok(Self { amount: zero, splits: vec![] });
        }
        let missing = || (RejectCode::MissingAmount, "the record has no amount".to_owned());
        let total = total.or(moved).ok_or_else(missing)?;
        let overflow = |error| (reject(error), "amount out of range".to_owned());
        let outgoing = |money: Money| if money.minor() > 0 { money.checked_neg() } else { Ok(money) };
        let own = if action.cash == Cash::Out { outgoing(total).map_err(overflow)? } else { total };
        if !moves_cash {
            return Ok(Self { amount: own, splits: vec![] });
        }
        // The money comes from another account at once, or goes there: what is left here is the difference.
        let moved = moved.unwrap_or(total);
        let is_opposite = (moved.minor() < 0) != (own.minor() < 0);
        let other = if is_opposite { moved } else { moved.checked_neg().map_err(overflow)? };
        let amount = own.checked_add(other).map_err(overflow)?;
        let splits = vec![
            Split { amount: own, category: None, memo: record.some(b'N') },
            Split { amount: other, category: record.some(b'L'), memo: None },
        ];
        Ok(Self { amount, splits })
    }
}

/// What an action word means, and whether its `X` says that the money is another account's.
fn action(word: &str) -> Result<(Action, bool), Refusal> {
    let lower = word.trim().to_ascii_lowercase();
    if let Some(action) = known(&lower) {
        return Ok((action, false));
    }
    let with_x = lower.strip_suffix('x').and_then(known);
    let is_reminder = lower.starts_with("remind");
    with_x.map(|action| (action, true)).ok_or_else(|| {
        if is_reminder {
            (RejectCode::NotATransaction, "a reminder moves nothing".to_owned())
        } else {
            (RejectCode::UnknownDirection, format!("{:?} is no known action", sanitised(word, 20)))
        }
    })
}

fn known(word: &str) -> Option<Action> {
    use TradeAction as Trade;
    let (trade, cash, units, kind) = match word {
        "buy" | "cvrshrt" => (Some(Trade::Buy), Cash::Out, Units::In, RowKind::Other),
        "sell" | "shtsell" => (Some(Trade::Sell), Cash::In, Units::Out, RowKind::Other),
        "div" => (Some(Trade::Income), Cash::In, Units::In, RowKind::Dividend),
        "intinc" => (Some(Trade::Income), Cash::In, Units::In, RowKind::Interest),
        "cglong" | "cgmid" | "cgshort" | "miscinc" => {
            (Some(Trade::Income), Cash::In, Units::In, RowKind::Other)
        }
        "miscexp" | "margint" => (Some(Trade::Expense), Cash::Out, Units::In, RowKind::Other),
        "rtrncap" => (Some(Trade::ReturnOfCapital), Cash::In, Units::In, RowKind::Other),
        "reinvdiv" | "reinvint" | "reinvlg" | "reinvmd" | "reinvsh" => {
            (Some(Trade::Reinvest), Cash::Nothing, Units::In, RowKind::Other)
        }
        "shrsin" => (Some(Trade::Transfer), Cash::Nothing, Units::In, RowKind::Other),
        "shrsout" => (Some(Trade::Transfer), Cash::Nothing, Units::Out, RowKind::Other),
        "stksplit" => (Some(Trade::Split), Cash::Nothing, Units::Ratio, RowKind::Other),
        "exercise" => (Some(Trade::Closure), Cash::Out, Units::In, RowKind::Other),
        "expire" => (Some(Trade::Closure), Cash::Nothing, Units::Out, RowKind::Other),
        "grant" | "vest" => (Some(Trade::Other), Cash::Nothing, Units::In, RowKind::Other),
        "cash" => (None, Cash::Signed, Units::In, RowKind::Other),
        "xin" | "contribx" => (None, Cash::In, Units::In, RowKind::Transfer),
        "xout" | "withdrwx" => (None, Cash::Out, Units::In, RowKind::Transfer),
        _ => return None,
    };
    Some(Action { trade, cash, units, kind })
}

/// A number of units or a price, with the decimal mark of the file.
fn decimal(text: &str, mark: DecimalMark) -> Option<Decimal> {
    let plain = match mark {
        DecimalMark::Point => text.replace([',', ' '], ""),
        DecimalMark::Comma => text.replace(['.', ' '], "").replace(',', "."),
    };
    Decimal::parse(&plain)
}
