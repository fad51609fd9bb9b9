use chrono::NaiveDate;
use kernel::Money;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Whether the bank has booked a movement.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TransactionStatus {
    /// It counts in the booked balance.
    #[default]
    Booked,
    /// The bank expects it; it may still change or go.
    Pending,
}

/// What only some formats tell of a movement; absent where the file did not.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToSchema)]
#[serde(default)]
pub struct Details {
    /// The day from which it bears interest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value_on: Option<NaiveDate>,
    /// What the parties call it, such as an end-to-end reference.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// The category that its file names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
    /// How its file divides it; where there are any, they add up to the amount.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub splits: Vec<Split>,
    /// The security that it moved.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trade: Option<Box<Trade>>,
}

impl Details {
    /// Whether there is nothing to tell.
    pub fn is_empty(&self) -> bool {
        let Self { value_on, reference, category, splits, trade } = self;
        value_on.is_none()
            && reference.is_none()
            && category.is_none()
            && splits.is_empty()
            && trade.is_none()
    }
}

/// A part of a movement that was set apart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToSchema)]
pub struct Split {
    /// In the currency of the movement.
    pub amount: Money,
    /// Its category.
    pub category: Option<String>,
    /// Free text.
    pub memo: Option<String>,
}

/// What a movement in an investment account did with a security. OFX 2.3 §13.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToSchema)]
pub struct Trade {
    /// What happened.
    pub action: TradeAction,
    /// The number of the security at its agency.
    pub security_id: Option<String>,
    /// The agency: `CUSIP`, `ISIN` and the like.
    pub security_id_type: Option<String>,
    /// Its ticker.
    pub ticker: Option<String>,
    /// Its name.
    pub security_name: Option<String>,
    /// Units that came; negative where they went. A plain decimal.
    pub units: Option<String>,
    /// Price of one unit in the currency of the movement. A plain decimal.
    pub unit_price: Option<String>,
    /// Commission and fees together.
    pub fees: Option<Money>,
}

/// What happened to a security.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, ToSchema)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the names say it")]
pub enum TradeAction {
    Buy,
    Sell,
    /// Income that bought more of the same.
    Reinvest,
    Income,
    Expense,
    ReturnOfCapital,
    /// Units came or went without money.
    Transfer,
    Split,
    /// An option was exercised, assigned or expired.
    Closure,
    Other,
}
