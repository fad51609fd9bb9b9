use crate::{RowKind, TradeAction};

/// What happened in an investment account, by the element that tells it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum TradeKind {
    /// `BUYDEBT`, `BUYMF`, `BUYOPT`, `BUYOTHER`, `BUYSTOCK`
    #[default]
    Buy,
    /// `SELLDEBT`, `SELLMF`, `SELLOPT`, `SELLOTHER`, `SELLSTOCK`
    Sell,
    /// `REINVEST`
    Reinvest,
    /// `INCOME`
    Income,
    /// `MARGININTEREST`
    MarginInterest,
    /// `INVEXPENSE`
    Expense,
    /// `RETOFCAP`
    ReturnOfCapital,
    /// `TRANSFER`
    Transfer,
    /// `JRNLFUND`
    JournalFund,
    /// `JRNLSEC`
    JournalSecurity,
    /// `SPLIT`
    Split,
    /// `CLOSUREOPT`
    Closure,
}

impl TradeKind {
    /// The kind that an element in capitals tells.
    pub(super) fn named(name: &[u8]) -> Option<Self> {
        Some(match name {
            b"BUYDEBT" | b"BUYMF" | b"BUYOPT" | b"BUYOTHER" | b"BUYSTOCK" => Self::Buy,
            b"SELLDEBT" | b"SELLMF" | b"SELLOPT" | b"SELLOTHER" | b"SELLSTOCK" => Self::Sell,
            b"REINVEST" => Self::Reinvest,
            b"INCOME" => Self::Income,
            b"MARGININTEREST" => Self::MarginInterest,
            b"INVEXPENSE" => Self::Expense,
            b"RETOFCAP" => Self::ReturnOfCapital,
            b"TRANSFER" => Self::Transfer,
            b"JRNLFUND" => Self::JournalFund,
            b"JRNLSEC" => Self::JournalSecurity,
            b"SPLIT" => Self::Split,
            b"CLOSUREOPT" => Self::Closure,
            _ => return None,
        })
    }

    /// What it did to a security; `None` where only money moved.
    pub(super) fn action(self) -> Option<TradeAction> {
        match self {
            Self::Buy => Some(TradeAction::Buy),
            Self::Sell => Some(TradeAction::Sell),
            Self::Reinvest => Some(TradeAction::Reinvest),
            Self::Income => Some(TradeAction::Income),
            Self::Expense => Some(TradeAction::Expense),
            Self::ReturnOfCapital => Some(TradeAction::ReturnOfCapital),
            Self::Transfer => Some(TradeAction::Transfer),
            Self::JournalSecurity => Some(TradeAction::Other),
            Self::Split => Some(TradeAction::Split),
            Self::Closure => Some(TradeAction::Closure),
            Self::MarginInterest | Self::JournalFund => None,
        }
    }

    /// What a bank would call it. `word` is the `INCOMETYPE`.
    pub(super) fn row_kind(self, word: Option<&str>) -> RowKind {
        match self {
            Self::Income | Self::Reinvest => match word.map(str::to_ascii_uppercase).as_deref() {
                Some("INTEREST") => RowKind::Interest,
                // A fund pays its gains out as it pays dividends.
                Some("DIV" | "CGLONG" | "CGSHORT") => RowKind::Dividend,
                _ => RowKind::Other,
            },
            Self::MarginInterest => RowKind::Interest,
            Self::Expense => RowKind::Fee,
            Self::Transfer | Self::JournalFund | Self::JournalSecurity => RowKind::Transfer,
            Self::Buy | Self::Sell | Self::ReturnOfCapital | Self::Split | Self::Closure => RowKind::Other,
        }
    }
}
