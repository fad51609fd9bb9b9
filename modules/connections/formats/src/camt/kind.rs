use crate::RowKind;

/// A bank transaction code of ISO 20022 (`BkTxCd/Domn`); the banks' own codes beside it are too many to know.
#[derive(Clone, Debug, Default)]
pub(super) struct BankCode {
    pub(super) domain: Code,
    pub(super) family: Code,
    pub(super) sub_family: Code,
}

/// Up to four letters; a longer one is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Code([u8; 4]);

impl Code {
    pub(super) fn of(text: &str) -> Self {
        let mut code = [0; 4];
        if let Some(place) = code.get_mut(..text.len()) {
            place.copy_from_slice(text.as_bytes());
        }
        Self(code)
    }
}

impl BankCode {
    /// What is clear; `None` where no code is given.
    pub(super) fn kind(&self) -> Option<RowKind> {
        if self.family == Code::default() {
            return None;
        }
        // What a bank asks or gives for its service is told by the last part, whatever the payment.
        let by_sub_family = match &self.sub_family.0 {
            b"INTR" => Some(RowKind::Interest),
            b"CHRG" => Some(RowKind::ServiceCharge),
            b"FEES" | b"COMM" => Some(RowKind::Fee),
            _ => None,
        };
        Some(by_sub_family.unwrap_or_else(|| match &self.domain.0 {
            b"PMNT" => self.payment(),
            b"SECU" if matches!(&self.sub_family.0, b"DVCA" | b"DVOP") => RowKind::Dividend,
            _ => RowKind::Other,
        }))
    }

    fn payment(&self) -> RowKind {
        match (&self.family.0, &self.sub_family.0) {
            (b"ICDT" | b"IRCT", b"STDO") => RowKind::RepeatPayment,
            (_, b"BOOK") => RowKind::Transfer,
            (b"RCDT" | b"RRCT", b"SALA") => RowKind::DirectDeposit,
            (b"ICDT" | b"IRCT", _) => RowKind::Payment,
            (b"RCDT" | b"RRCT", _) => RowKind::Credit,
            (b"RDDT", _) => RowKind::DirectDebit,
            (b"CCRD", b"CWDL" | b"XBCW") => RowKind::Atm,
            (b"CCRD", b"CDPT") | (b"CNTR", b"CDPT" | b"MIXD") => RowKind::Deposit,
            (b"CCRD", _) => RowKind::PointOfSale,
            (b"CNTR", b"CWDL") => RowKind::Cash,
            (b"RCHQ" | b"ICHQ", _) => RowKind::Check,
            _ => RowKind::Other,
        }
    }
}
