use chrono::NaiveDate;
use kernel::Currency;

/// What the owner holds of one security, as an investment statement states it (OFX `INVPOS`).
///
/// A valuation and no movement: numbers are plain decimals, because values of securities are stated to more decimals
/// than their currency has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Position {
    /// Line of the file on which it begins, from 1.
    pub line: u64,
    /// Its number at its agency (`UNIQUEID`: CUSIP, ISIN, WKN).
    pub security_id: Option<String>,
    /// The agency (`UNIQUEIDTYPE`).
    pub security_id_type: Option<String>,
    /// Its ticker, where the file says it.
    pub ticker: Option<String>,
    /// Its name, where the file says it.
    pub security_name: Option<String>,
    /// How many units; negative of a short position.
    pub units: String,
    /// Price of one unit; of a bond in per cent of its face value.
    pub unit_price: Option<String>,
    /// What all of it is worth (`MKTVAL`).
    pub market_value: Option<String>,
    /// Of price and value: that of the statement, unless the bank names another.
    pub currency: Currency,
    /// The day of the price, as the bank wrote it.
    pub as_of: Option<NaiveDate>,
}
