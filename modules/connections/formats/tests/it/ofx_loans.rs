use connections_formats::{AccountType, BalanceKind, RowKind};

use crate::support::{Collected, file, money};

/// A loan statement with these elements in its list of transactions.
fn loan(transactions: &str) -> Collected {
    let text = format!(
        "<OFX><LOANMSGSRSV1><LOANSTMTTRNRS><TRNUID>1<STATUS><CODE>0<SEVERITY>INFO</STATUS><LOANSTMTRS><CURDEF>USD\n\
         <LOANACCTFROM><LOANACCTID>L-77<LOANACCTTYPE>MORTGAGE</LOANACCTFROM>\n<LOANTRANLIST><DTSTART>20250101\
         <DTEND>20250131\n{transactions}</LOANTRANLIST>\n<PRINBAL><BALAMT>85000.00<PRINYTD>650.00<DTASOF>20250131\
         </PRINBAL><AVAILBAL><BALAMT>12.00<DTASOF>20250131</AVAILBAL></LOANSTMTRS></LOANSTMTTRNRS></LOANMSGSRSV1></OFX>"
    );
    file(&text).read().unwrap()
}

/// A payment of 850 dollars with these parts.
fn payment(amount: &str, parts: &str) -> Vec<(String, String)> {
    let row = format!(
        "<LOANSTMTTRN><LOANTRNTYPE>PAYMENT<DTPOSTED>20250115<TRNAMT>{amount}<LOANTRNAMT>{parts}</LOANTRNAMT>\
         <FITID>1<NAME>Monthly payment</LOANSTMTTRN>"
    );
    let collected = loan(&row);
    assert_eq!(collected.booked(), [format!("2025-01-15 {amount}")]);
    let splits = collected.rows().flat_map(|row| &row.splits);
    splits.map(|split| (split.memo.clone().unwrap(), split.amount.amount())).collect()
}

fn parts(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(memo, amount)| (memo.to_string(), amount.to_string())).collect()
}

#[test]
fn a_loan_statement_has_its_account_and_its_rows() {
    let collected = loan(
        "<LOANSTMTTRN><LOANTRNTYPE>LATE<DTPOSTED>20250116<TRNAMT>-25.00<FITID>2<NAME>Late fee</LOANSTMTTRN>\
         <LOANSTMTTRN><LOANTRNTYPE>BALLOON<DTPOSTED>20250117<TRNAMT>100<FITID>3<REFNUM>R3</LOANSTMTTRN>",
    );
    let head = &collected.statements[0].head;
    assert_eq!(head.account.account_type, Some(AccountType::Loan));
    assert_eq!(head.account.account_number.as_deref(), Some("L-77"));
    assert_eq!(head.ends_on.unwrap().to_string(), "2025-01-31");
    let rows: Vec<_> = collected.rows().map(|row| (row.amount, row.kind)).collect();
    assert_eq!(rows, [(money("-25", "USD"), RowKind::Fee), (money("100", "USD"), RowKind::Payment)]);
    assert_eq!(collected.rejections(), Vec::<String>::new());
}

#[test]
fn parts_of_a_payment_are_its_splits_where_they_add_up() {
    let all =
        "<PRINAMT>650.00<INTAMT>150.00<ESCRWAMT><ESCRWTOTAL>40.00<ESCRWTAX>30.00</ESCRWAMT><INSURANCE>10.00";
    let four = [("Principal", "650.00"), ("Interest", "150.00"), ("Escrow", "40.00"), ("Insurance", "10.00")];
    assert_eq!(payment("850.00", all), parts(&four));
    let two = "<PRINAMT>650.00<INTAMT>200.00<INSURANCE>0.00";
    assert_eq!(payment("850.00", two), parts(&[("Principal", "650.00"), ("Interest", "200.00")]));
    assert_eq!(payment("-850.00", two), parts(&[("Principal", "-650.00"), ("Interest", "-200.00")]));
}

#[test]
fn parts_that_do_not_add_up_leave_the_row_whole() {
    assert_eq!(payment("850.00", "<PRINAMT>650.00<INTAMT>199.99"), []);
    assert_eq!(payment("850.00", "<PRINAMT>650.00<INTAMT>much"), []);
    assert_eq!(payment("850.00", ""), []);
}

#[test]
fn the_principal_is_no_balance_that_rows_add_up_to() {
    let collected = loan("");
    let kinds: Vec<_> = collected.statements[0].balances.iter().map(|balance| balance.kind).collect();
    assert_eq!(kinds, [BalanceKind::Available]);
}
