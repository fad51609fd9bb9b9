use super::trade_kind::TradeKind;

/// The elements that mean something to us. All others are `Unknown` and transparent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tag {
    Ofx,
    SignOn,
    Status,
    Code,
    Severity,
    Message,
    /// `STMTRS`
    BankStatement,
    /// `CCSTMTRS`
    CardStatement,
    /// `INVSTMTRS`
    InvestmentStatement,
    /// `LOANSTMTRS`
    LoanStatement,
    DefaultCurrency,
    /// `BANKACCTFROM`, `CCACCTFROM`, `INVACCTFROM`, `LOANACCTFROM`
    AccountFrom,
    /// `BANKACCTTO`, `CCACCTTO`, …: the other side of a transfer.
    AccountTo,
    BankId,
    BranchId,
    AccountId,
    AccountKind,
    DateStart,
    DateEnd,
    /// `INVTRANLIST`
    InvestmentList,
    /// `INVBANKTRAN`
    InvestmentCash,
    /// `INVTRAN`: what every child of `INVTRANLIST` but `INVBANKTRAN` holds.
    InvestmentTransaction,
    /// A child of `INVTRANLIST`; elsewhere without meaning.
    Trade(TradeKind),
    /// `STMTTRN`
    Transaction,
    /// `STMTTRNP`
    Pending,
    /// `LOANSTMTTRN`
    LoanTransaction,
    /// `TRNTYPE`, `LOANTRNTYPE`
    Kind,
    /// `DTPOSTED`; `DTTRAN` of a pending row, which is not posted yet
    DatePosted,
    DateUser,
    DateAvailable,
    DateTraded,
    DateSettled,
    Amount,
    TransactionId,
    /// `REVERSALFITID`, `RELFITID`
    RelatedId,
    CorrectedId,
    CorrectedAction,
    CheckNumber,
    Reference,
    Name,
    ExtendedName,
    Memo,
    Payee,
    Currency,
    OriginalCurrency,
    CurrencyCode,
    CurrencyRate,
    LedgerBalance,
    AvailableBalance,
    BalanceAmount,
    DateAsOf,
    /// `PRINAMT`, like the three that follow a part of a payment on a loan (`LOANTRNAMT`)
    PrincipalPart,
    /// `INTAMT`
    InterestPart,
    /// `ESCRWTOTAL`
    EscrowPart,
    /// `INSURANCE`
    InsurancePart,
    /// `AVAILCASH`: an investment account's cash, a leaf.
    AvailableCash,
    SecurityId,
    SecurityIdType,
    Units,
    UnitPrice,
    Total,
    /// `COMMISSION`, `FEES`, `LOAD`, `TAXES`
    Charge,
    /// `BUYTYPE`, `SELLTYPE`, `INCOMETYPE`, `OPTACTION`, `TFERACTION` and the like
    TradeWord,
    SubAccountFrom,
    SubAccountTo,
    OldUnits,
    NewUnits,
    Numerator,
    Denominator,
    FractionCash,
    /// `INVPOSLIST`
    PositionList,
    /// `INVPOS`
    Position,
    PositionType,
    MarketValue,
    PriceAsOf,
    /// `INVBAL`
    InvestmentBalance,
    /// `BALLIST`, `INV401K`, `INV401KBAL`, `INVOOLIST`: what stands in them is not about the statement
    Aside,
    /// `SECINFO`
    SecurityInfo,
    SecurityName,
    Ticker,
    Unknown,
}

impl Tag {
    /// The element of that name. SGML names are case-insensitive, and some banks write them small.
    pub(super) fn named(name: &[u8]) -> Self {
        let found = Self::upper(name);
        if found != Self::Unknown || name.len() > 16 || !name.iter().any(u8::is_ascii_lowercase) {
            return found;
        }
        let mut upper = [0; 16];
        let upper = &mut upper[..name.len()];
        upper.copy_from_slice(name);
        upper.make_ascii_uppercase();
        Self::upper(upper)
    }

    fn upper(name: &[u8]) -> Self {
        match name {
            b"STMTTRN" => Self::Transaction,
            b"TRNTYPE" | b"LOANTRNTYPE" => Self::Kind,
            b"DTPOSTED" | b"DTTRAN" => Self::DatePosted,
            b"TRNAMT" => Self::Amount,
            b"FITID" => Self::TransactionId,
            b"NAME" => Self::Name,
            b"MEMO" => Self::Memo,
            b"CHECKNUM" => Self::CheckNumber,
            b"DTUSER" => Self::DateUser,
            b"DTAVAIL" => Self::DateAvailable,
            b"REFNUM" => Self::Reference,
            b"EXTDNAME" => Self::ExtendedName,
            b"PAYEE" | b"EXTDPAYEE" => Self::Payee,
            b"CURRENCY" => Self::Currency,
            b"ORIGCURRENCY" => Self::OriginalCurrency,
            b"CURSYM" => Self::CurrencyCode,
            b"CURRATE" => Self::CurrencyRate,
            b"CORRECTFITID" => Self::CorrectedId,
            b"CORRECTACTION" => Self::CorrectedAction,
            b"OFX" => Self::Ofx,
            b"SONRS" => Self::SignOn,
            b"STATUS" => Self::Status,
            b"CODE" => Self::Code,
            b"SEVERITY" => Self::Severity,
            b"MESSAGE" => Self::Message,
            b"STMTRS" => Self::BankStatement,
            b"CCSTMTRS" => Self::CardStatement,
            b"INVSTMTRS" => Self::InvestmentStatement,
            b"LOANSTMTRS" => Self::LoanStatement,
            b"CURDEF" => Self::DefaultCurrency,
            b"BANKACCTFROM" | b"CCACCTFROM" | b"INVACCTFROM" | b"LOANACCTFROM" => Self::AccountFrom,
            b"BANKACCTTO" | b"CCACCTTO" | b"INVACCTTO" | b"LOANACCTTO" => Self::AccountTo,
            b"BANKID" | b"BROKERID" => Self::BankId,
            b"BRANCHID" => Self::BranchId,
            b"ACCTID" | b"LOANACCTID" => Self::AccountId,
            b"ACCTTYPE" => Self::AccountKind,
            b"DTSTART" => Self::DateStart,
            b"DTEND" => Self::DateEnd,
            b"INVTRANLIST" => Self::InvestmentList,
            b"INVBANKTRAN" => Self::InvestmentCash,
            b"INVTRAN" => Self::InvestmentTransaction,
            b"STMTTRNP" => Self::Pending,
            b"LOANSTMTTRN" => Self::LoanTransaction,
            b"LEDGERBAL" => Self::LedgerBalance,
            b"AVAILBAL" => Self::AvailableBalance,
            b"BALAMT" => Self::BalanceAmount,
            b"DTASOF" => Self::DateAsOf,
            b"AVAILCASH" => Self::AvailableCash,
            b"PRINAMT" => Self::PrincipalPart,
            b"INTAMT" => Self::InterestPart,
            b"ESCRWTOTAL" => Self::EscrowPart,
            b"INSURANCE" => Self::InsurancePart,
            b"DTTRADE" => Self::DateTraded,
            b"DTSETTLE" => Self::DateSettled,
            b"REVERSALFITID" | b"RELFITID" => Self::RelatedId,
            b"UNIQUEID" => Self::SecurityId,
            b"UNIQUEIDTYPE" => Self::SecurityIdType,
            b"UNITS" => Self::Units,
            b"UNITPRICE" => Self::UnitPrice,
            b"TOTAL" => Self::Total,
            b"COMMISSION" | b"FEES" | b"LOAD" | b"TAXES" => Self::Charge,
            b"BUYTYPE" | b"SELLTYPE" | b"OPTBUYTYPE" | b"OPTSELLTYPE" | b"SELLREASON" | b"INCOMETYPE"
            | b"OPTACTION" | b"TFERACTION" => Self::TradeWord,
            b"SUBACCTFROM" => Self::SubAccountFrom,
            b"SUBACCTTO" => Self::SubAccountTo,
            b"OLDUNITS" => Self::OldUnits,
            b"NEWUNITS" => Self::NewUnits,
            b"NUMERATOR" => Self::Numerator,
            b"DENOMINATOR" => Self::Denominator,
            b"FRACCASH" => Self::FractionCash,
            b"INVPOSLIST" => Self::PositionList,
            b"INVPOS" => Self::Position,
            b"POSTYPE" => Self::PositionType,
            b"MKTVAL" => Self::MarketValue,
            b"DTPRICEASOF" => Self::PriceAsOf,
            b"INVBAL" => Self::InvestmentBalance,
            b"BALLIST" | b"INV401K" | b"INV401KBAL" | b"INVOOLIST" => Self::Aside,
            b"SECINFO" => Self::SecurityInfo,
            b"SECNAME" => Self::SecurityName,
            b"TICKER" => Self::Ticker,
            _ => TradeKind::named(name).map_or(Self::Unknown, Self::Trade),
        }
    }
}
