/// Where an element stands. What means nothing to us is `Elsewhere`, and so is all that is in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Before the message: an envelope may stand around it.
    Outside,
    Elsewhere,
    Document,
    /// `BkToCstmrAcctRpt`, `BkToCstmrStmt`, `BkToCstmrDbtCdtNtfctn`
    Message,
    /// `Rpt`, `Stmt`, `Ntfctn`
    Statement,
    Period,
    Account,
    AccountId,
    AccountOther,
    AccountType,
    Servicer,
    Institution,
    ClearingMember,
    InstitutionOther,
    Balance,
    BalanceType,
    BalanceCode,
    /// `Ntry`
    Entry,
    EntryDetails,
    /// `TxDtls`
    Detail,
    References,
    Amounts,
    /// `InstdAmt`, `TxAmt`, `CntrValAmt`
    AmountOf(Leaf),
    Exchange,
    /// `Chrgs`: in version 02 a charge, later what holds the charges.
    Charges,
    /// `Rcrd`
    Charge,
    BankCode,
    Domain,
    Family,
    Parties,
    Party(Role),
    PartyAgent(Role),
    PartyInstitution(Role),
    PartyAccount(Role),
    PartyAccountId(Role),
    PartyAccountOther(Role),
    Remittance,
    Structured,
    CreditorReference,
    RelatedDates,
    /// What holds a text that we want.
    Text(Leaf),
}

/// A text that we want.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Leaf {
    StartsOn,
    EndsOn,
    AccountNumber,
    AccountKind,
    AccountCurrency,
    /// `BIC`, `BICFI`
    Bic,
    /// The number of a bank at its clearing, or another one.
    BankNumber,
    BalanceKind,
    BalanceAmount,
    BalanceDirection,
    BalanceOn,
    Amount,
    InstructedAmount,
    TransactionAmount,
    CounterAmount,
    SourceCurrency,
    UnitCurrency,
    Rate,
    Direction,
    IsReversal,
    Status,
    BookedOn,
    ValueOn,
    ServicerReference,
    EndToEndId,
    CheckNumber,
    CodeDomain,
    CodeFamily,
    CodeSubFamily,
    ChargeTotal,
    ChargeAmount,
    ChargeDirection,
    ChargeIsIncluded,
    PartyName(Role),
    PartyAccount(Role),
    Unstructured,
    CreditorReference,
    AddedRemittance,
    TransactedOn,
    DetailInformation,
    EntryInformation,
}

/// Who took part in a payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Debtor,
    Creditor,
    UltimateDebtor,
    UltimateCreditor,
}

impl Place {
    /// The place of the child `name`. One table, long as the schema is.
    pub(super) fn child(self, name: &str) -> Self {
        use Place::*;
        match (self, name) {
            (Elsewhere, _) => Elsewhere,
            (Outside, "Document") => Document,
            (Outside | Document, name) if name.starts_with("BkToCstmr") => Message,
            (Outside, _) => Outside,
            (Message, "Stmt" | "Rpt" | "Ntfctn") => Statement,
            (Statement, _) => in_statement(name),
            (Entry | Detail | EntryDetails, _) => self.in_entry(name),
            (Period, "FrDtTm" | "FrDt") => Text(Leaf::StartsOn),
            (Period, "ToDtTm" | "ToDt") => Text(Leaf::EndsOn),
            (Account | AccountId | AccountOther | AccountType | Servicer, _)
            | (Institution | ClearingMember | InstitutionOther, _) => self.in_account(name),
            (Balance | BalanceType | BalanceCode, _) => self.in_balance(name),
            (References | RelatedDates | BankCode | Domain | Family, _) => self.in_facts(name),
            (Amounts | AmountOf(_) | Exchange | Charges | Charge, _) => self.in_amounts(name),
            (Parties | Party(_) | PartyAgent(_) | PartyInstitution(_), _)
            | (PartyAccount(_) | PartyAccountId(_) | PartyAccountOther(_), _) => self.in_parties(name),
            (Remittance | Structured | CreditorReference, _) => self.in_remittance(name),
            // A date or a status is the text itself in one version and a choice of elements in the next.
            (Text(leaf), "Cd" | "Prtry" | "Dt" | "DtTm") if leaf.may_be_a_choice() => Text(leaf),
            _ => Elsewhere,
        }
    }

    fn in_account(self, name: &str) -> Self {
        use Place::*;
        match (self, name) {
            (Account, "Id") => AccountId,
            (Account, "Tp") => AccountType,
            (Account, "Ccy") => Text(Leaf::AccountCurrency),
            (Account, "Svcr") => Servicer,
            (AccountId, "IBAN" | "BBAN" | "UPIC") => Text(Leaf::AccountNumber),
            (AccountId, "Othr" | "PrtryAcct") => AccountOther,
            (AccountOther, "Id") => Text(Leaf::AccountNumber),
            (AccountType, "Cd") => Text(Leaf::AccountKind),
            (Servicer, "FinInstnId") => Institution,
            (Institution, "BIC" | "BICFI") => Text(Leaf::Bic),
            (Institution, "ClrSysMmbId") => ClearingMember,
            (Institution, "Othr") => InstitutionOther,
            (ClearingMember, "MmbId") | (InstitutionOther, "Id") => Text(Leaf::BankNumber),
            _ => Elsewhere,
        }
    }

    fn in_balance(self, name: &str) -> Self {
        use Place::*;
        match (self, name) {
            (Balance, "Tp") => BalanceType,
            (Balance, "Amt") => Text(Leaf::BalanceAmount),
            (Balance, "CdtDbtInd") => Text(Leaf::BalanceDirection),
            (Balance, "Dt") => Text(Leaf::BalanceOn),
            // The code stood directly in the type in version 01.
            (BalanceType, "CdOrPrtry") => BalanceCode,
            (BalanceType | BalanceCode, "Cd") => Text(Leaf::BalanceKind),
            _ => Elsewhere,
        }
    }

    /// What an entry and its details hold; much of it stands in both.
    fn in_entry(self, name: &str) -> Self {
        use Place::*;
        match (self, name) {
            (Entry, "NtryDtls") => EntryDetails,
            (Entry | EntryDetails, "TxDtls") => Detail,
            (Entry | Detail, "Amt") => Text(Leaf::Amount),
            (Entry | Detail, "CdtDbtInd") => Text(Leaf::Direction),
            (Entry | Detail, "AmtDtls") => Amounts,
            (Entry | Detail, "Chrgs") => Charges,
            (Entry | Detail, "BkTxCd") => BankCode,
            (Entry, "RvslInd") => Text(Leaf::IsReversal),
            (Entry, "Sts") => Text(Leaf::Status),
            (Entry, "BookgDt") => Text(Leaf::BookedOn),
            (Entry, "ValDt") => Text(Leaf::ValueOn),
            (Entry, "AcctSvcrRef") => Text(Leaf::ServicerReference),
            (Entry, "AddtlNtryInf") => Text(Leaf::EntryInformation),
            (Detail, "Refs") => References,
            (Detail, "RltdPties") => Parties,
            (Detail, "RmtInf") => Remittance,
            (Detail, "RltdDts") => RelatedDates,
            (Detail, "AddtlTxInf") => Text(Leaf::DetailInformation),
            _ => Elsewhere,
        }
    }

    fn in_facts(self, name: &str) -> Self {
        use Place::*;
        match (self, name) {
            (References, "AcctSvcrRef") => Text(Leaf::ServicerReference),
            (References, "EndToEndId") => Text(Leaf::EndToEndId),
            (References, "ChqNb") => Text(Leaf::CheckNumber),
            (RelatedDates, "TxDtTm" | "AccptncDtTm") => Text(Leaf::TransactedOn),
            (BankCode, "Domn") => Domain,
            (Domain, "Cd") => Text(Leaf::CodeDomain),
            (Domain, "Fmly") => Family,
            (Family, "Cd") => Text(Leaf::CodeFamily),
            (Family, "SubFmlyCd") => Text(Leaf::CodeSubFamily),
            _ => Elsewhere,
        }
    }

    fn in_amounts(self, name: &str) -> Self {
        use Place::*;
        match (self, name) {
            (Amounts, "InstdAmt") => AmountOf(Leaf::InstructedAmount),
            (Amounts, "TxAmt") => AmountOf(Leaf::TransactionAmount),
            (Amounts, "CntrValAmt") => AmountOf(Leaf::CounterAmount),
            (AmountOf(leaf), "Amt") => Text(leaf),
            (AmountOf(_), "CcyXchg") => Exchange,
            (Exchange, "SrcCcy") => Text(Leaf::SourceCurrency),
            (Exchange, "UnitCcy") => Text(Leaf::UnitCurrency),
            (Exchange, "XchgRate") => Text(Leaf::Rate),
            (Charges, "Rcrd") => Charge,
            (Charges, "TtlChrgsAndTaxAmt") => Text(Leaf::ChargeTotal),
            (Charges | Charge, "Amt") => Text(Leaf::ChargeAmount),
            (Charges | Charge, "CdtDbtInd") => Text(Leaf::ChargeDirection),
            (Charges | Charge, "ChrgInclInd") => Text(Leaf::ChargeIsIncluded),
            _ => Elsewhere,
        }
    }

    fn in_parties(self, name: &str) -> Self {
        use Place::*;
        match (self, name) {
            (Parties, "Dbtr") => Party(Role::Debtor),
            (Parties, "Cdtr") => Party(Role::Creditor),
            (Parties, "UltmtDbtr") => Party(Role::UltimateDebtor),
            (Parties, "UltmtCdtr") => Party(Role::UltimateCreditor),
            (Parties, "DbtrAcct") => PartyAccount(Role::Debtor),
            (Parties, "CdtrAcct") => PartyAccount(Role::Creditor),
            // Since version 08 a party is a person or a bank, one level further down.
            (Party(role), "Pty") => Party(role),
            (Party(role), "Agt") => PartyAgent(role),
            (PartyAgent(role), "FinInstnId") => PartyInstitution(role),
            (Party(role) | PartyInstitution(role), "Nm") => Text(Leaf::PartyName(role)),
            (PartyAccount(role), "Id") => PartyAccountId(role),
            (PartyAccountId(role), "Othr") => PartyAccountOther(role),
            (PartyAccountId(role), "IBAN") | (PartyAccountOther(role), "Id") => {
                Text(Leaf::PartyAccount(role))
            }
            _ => Elsewhere,
        }
    }

    fn in_remittance(self, name: &str) -> Self {
        use Place::*;
        match (self, name) {
            (Remittance, "Ustrd") => Text(Leaf::Unstructured),
            (Remittance, "Strd") => Structured,
            (Structured, "CdtrRefInf") => CreditorReference,
            (Structured, "AddtlRmtInf") => Text(Leaf::AddedRemittance),
            // `CdtrRef` in version 01.
            (CreditorReference, "Ref" | "CdtrRef") => Text(Leaf::CreditorReference),
            _ => Elsewhere,
        }
    }
}

fn in_statement(name: &str) -> Place {
    match name {
        "Ntry" => Place::Entry,
        "Bal" => Place::Balance,
        "Acct" => Place::Account,
        "FrToDt" => Place::Period,
        _ => Place::Elsewhere,
    }
}

impl Leaf {
    fn may_be_a_choice(self) -> bool {
        matches!(self, Self::Status | Self::BookedOn | Self::ValueOn | Self::BalanceOn)
    }

    /// Whether it is an amount, which has its currency beside it.
    pub(super) fn is_amount(self) -> bool {
        matches!(
            self,
            Self::BalanceAmount
                | Self::Amount
                | Self::InstructedAmount
                | Self::TransactionAmount
                | Self::CounterAmount
                | Self::ChargeTotal
                | Self::ChargeAmount
        )
    }
}
