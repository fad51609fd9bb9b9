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
    /// `INVTRAN`: what every trade holds.
    Trade,
    /// `STMTTRN`
    Transaction,
    /// `STMTTRNP`
    Pending,
    /// `LOANSTMTTRN`
    LoanTransaction,
    /// `TRNTYPE`, `LOANTRNTYPE`
    Kind,
    DatePosted,
    DateUser,
    DateAvailable,
    Amount,
    TransactionId,
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
            b"DTPOSTED" => Self::DatePosted,
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
            b"INVTRAN" => Self::Trade,
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
            _ => Self::Unknown,
        }
    }
}
