use crate::RowKind;

/// What the bank calls a row (`TRNTYPE`, `LOANTRNTYPE`).
pub(super) fn kind(name: &[u8]) -> RowKind {
    let mut upper = [0; 16];
    let Some(upper) = upper.get_mut(..name.len()) else { return RowKind::Other };
    upper.copy_from_slice(name);
    upper.make_ascii_uppercase();
    match &*upper {
        b"CREDIT" => RowKind::Credit,
        b"DEBIT" => RowKind::Debit,
        b"INT" => RowKind::Interest,
        b"DIV" => RowKind::Dividend,
        b"FEE" | b"LATE" => RowKind::Fee,
        b"SRVCHG" => RowKind::ServiceCharge,
        b"DEP" => RowKind::Deposit,
        b"ATM" => RowKind::Atm,
        b"POS" => RowKind::PointOfSale,
        b"XFER" => RowKind::Transfer,
        b"CHECK" => RowKind::Check,
        b"PAYMENT" | b"BALLOON" => RowKind::Payment,
        b"CASH" => RowKind::Cash,
        b"DIRECTDEP" => RowKind::DirectDeposit,
        b"DIRECTDEBIT" => RowKind::DirectDebit,
        b"REPEATPMT" => RowKind::RepeatPayment,
        b"HOLD" => RowKind::Hold,
        _ => RowKind::Other,
    }
}
