//! Tables of banks that no layout is known for: which column means what.

use connections_formats::Mapping;

use crate::support::{Collected, file};

fn read(table: &str) -> Collected {
    file(table).currency("EUR").read().unwrap_or_else(|error| panic!("{error}: {table:.500}"))
}

fn minors(collected: &Collected) -> Vec<i64> {
    collected.rows().map(|row| row.amount.minor()).collect()
}

#[test]
fn regression_a_word_for_the_direction_counts_in_every_language_and_under_every_name() {
    for (header, came, left) in [
        ("Tipo", "Crédito", "Débito"),
        ("CreditDebet", "C", "D"),
        ("Debet/Credit", "Credit", "Debet"),
        ("Money direction", "IN", "OUT"),
        ("Sign", "+", "-"),
        ("Segno", "Avere", "Dare"),
    ] {
        let table = format!(
            "Datum;Text;Betrag;{header}\n15.01.2025;a;23,45;{left}\n16.01.2025;b;1.500,00;{came}\n17.01.2025;c;7,00;{left}\n"
        );
        assert_eq!(minors(&read(&table)), [-2345, 150_000, -700], "{header}");
    }
}

#[test]
fn a_column_of_single_letters_is_no_direction_unless_it_has_both_ways() {
    let collected =
        read("Date,Text,Amount,State\n2025-01-15,a,3.50,C\n2025-01-16,b,4.00,C\n2025-01-17,c,5.00,\n");
    assert_eq!(minors(&collected), [350, 400, 500]);
}

#[test]
fn regression_bare_amounts_beside_marked_credits_are_debits() {
    for (came, left) in
        [("250.00 CR", "250.00"), ("+250.00", "250.00"), ("250.00C", "250.00"), ("$250.00 Cr", "$250.00")]
    {
        let table = format!(
            "Date,Text,Amount\n2025-01-15,a,{left}\n2025-01-16,b,{came}\n2025-01-17,c,{left}\n2025-01-18,d,0.00\nTotal,,250.00\n"
        );
        assert_eq!(minors(&read(&table)), [-25_000, 25_000, -25_000, 0], "{came}");
    }
    for (header, mark) in [("Sign", "+"), ("Dr/Cr", "CR"), ("X", "Cr"), ("Sign", "C")] {
        let table = format!(
            "Date,Text,Amount,{header}\n2025-01-15,a,5.00,\n2025-01-16,b,250.00,{mark}\n2025-01-17,c,6.00,\n"
        );
        assert_eq!(minors(&read(&table)), [-500, 25_000, -600], "{header} {mark}");
    }
}

#[test]
fn the_credit_that_decides_may_be_far_behind_the_head() {
    let rows = "2025-01-15,some longer text to fill the head of the file,1.00\n".repeat(5000);
    let collected = read(&format!("Date,Text,Amount\n{rows}2025-01-16,b,250.00 CR\n"));
    assert_eq!(collected.rows().map(|row| row.amount.minor()).sum::<i64>(), 25_000 - 500_000);
}

#[test]
fn bare_amounts_are_credits_where_any_amount_has_a_minus_or_the_mapping_says_so() {
    let marked = "Date,Text,Amount\n2025-01-15,a,5.00\n2025-01-16,b,+6.00\n";
    for minus in ["-7.00", "(7.00)", "7.00 DR", "7.00 D"] {
        assert_eq!(minors(&read(&format!("{marked}2025-01-17,c,{minus}\n"))), [500, 600, -700], "{minus}");
    }
    let guess = file(marked).currency("EUR").plan().unwrap().mapping.unwrap();
    assert_eq!(guess.bare_is_debit, Some(true));
    // A profile that was saved for one file leaves it to the next.
    assert!(!serde_json::to_string(&guess).unwrap().contains("bare"));
    let other = Mapping { bare_is_debit: Some(false), ..guess };
    assert_eq!(minors(&file(marked).currency("EUR").mapping(other).read().unwrap()), [500, 600]);
    let open = "Date,Text,Amount\n2025-01-15,a,5.00\n2025-01-16,b,6.00\n";
    assert_eq!(file(open).currency("EUR").plan().unwrap().mapping.unwrap().bare_is_debit, None);
    let words = "Date,Text,Amount,Dr/Cr\n2025-01-15,a,5.00,\n2025-01-16,b,6.00,Cr\n2025-01-17,c,7.00,Dr\n";
    let collected = read(words);
    assert_eq!(
        (minors(&collected), collected.rejections()),
        (vec![600, -700], vec!["2 unknown_direction".to_owned()])
    );
}

#[test]
fn rows_that_say_in_no_way_where_their_money_went_are_counted() {
    for (table, unsigned) in [
        ("Date,Text,Amount\n2025-01-15,a,5.00\n2025-01-16,b,$6.00\n2025-01-17,c,0.00\n", 3),
        ("Date,Text,Amount\n2025-01-15,a,5.00\n2025-01-16,b,-6.00\nTotal,,1.00\n", 1),
        ("Date,Text,Amount\n2025-01-15,a,+5.00\n", 0),
        ("Date,Text,Debit,Credit\n2025-01-15,a,5.00,\n2025-01-16,b,6.00,\n", 0),
        ("Date,Text,Amount,Dr/Cr\n2025-01-15,a,5.00,Cr\n2025-01-16,b,6.00,Dr\n", 0),
    ] {
        assert_eq!(read(table).summary.unsigned_rows, unsigned, "{table}");
    }
}

#[test]
fn regression_dashes_for_nothing_do_not_turn_debits_into_income() {
    let collected = read(
        "Date,Text,Debit,Credit\n2025-01-15,a,10.00,-\n2025-01-16,b,-,25.00\n2025-01-17,c,-,30.00\n2025-01-18,d,--,5.00\n",
    );
    assert_eq!(minors(&collected), [-1000, 2500, 3000, 500]);
    let directed =
        read("Date,Text,Amount,Dr/Cr\n2025-01-15,a,10.00,Dr\n2025-01-16,b,25.00,Cr\n2025-01-17,c,-,\n");
    assert_eq!(minors(&directed), [-1000, 2500]);
}

#[test]
fn regression_zeros_for_nothing_do_not_turn_debits_with_a_minus_into_income() {
    let collected = read(
        "Date,Text,Money Out,Money In\n2025-01-15,a,-3.50,0.00\n2025-01-16,b,0.00,100.00\n2025-01-17,c,0.00,5.00\n",
    );
    assert_eq!(minors(&collected), [-350, 10_000, 500]);
}

#[test]
fn regression_a_card_that_writes_payments_as_negative_credits_is_turned_round() {
    let collected = read(
        "Status,Date,Description,Debit,Credit\nCleared,01/15/2025,Books,45.67,\n\
         Cleared,01/10/2025,\"ONLINE PAYMENT, THANK YOU\",,-250.00\nCleared,01/08/2025,Warehouse,112.00,\n",
    );
    assert_eq!(minors(&collected), [-4567, 25_000, -11_200]);
    let reversal = "Date,Text,Debit,Credit\n2025-01-15,a,10.00,\n2025-01-16,b,,25.00\n2025-01-17,c,,-5.00\n2025-01-18,d,,1.00\n";
    assert_eq!(minors(&read(reversal)), [-1000, 2500, -500, 100], "a credit that was taken back stays one");
}

#[test]
fn regression_letters_for_debit_and_credit_are_signs_in_columns_of_their_own_too() {
    let collected = read(
        "Date,Text,Withdrawal,Deposit\n2025-01-15,a,10.00 DR,\n2025-01-16,b,,25.00 CR\n2025-01-17,c,3.00 Dr,\n",
    );
    assert_eq!(minors(&collected), [-1000, 2500, -300]);
}

#[test]
fn regression_the_text_of_a_row_is_found_under_any_name_and_never_in_an_empty_column() {
    for table in [
        "Date,Narration,Debit Amount,Credit Amount,Ref\n15/01/2025,shop and more,1.00,,77\n",
        "Data Contabile;Addebiti (euro);Accrediti (euro);Wording of it;Ref\n15/01/2025;1,00;;shop and more;X7\n",
        "Datum;Buchungstext;Belastung CHF;Gutschrift CHF;Details\n15.01.2025;shop and more;1.00;;\n",
        "Datum;Bewegungstyp;Avisierungstext;Gutschrift in CHF;Lastschrift in CHF\n15.01.2025;x;shop and more;;-1.00\n",
        "15.01.2025;shop and more;15.01.2025;-1,00;EUR;15.01.2025 10:11:12:123\n16.01.2025;b;16.01.2025;-1,00;EUR;16.01.2025 10:11:12:123\n",
        "Date, Type, Description, Value, Balance\n15 Jan 2025,POS,shop and more,-1.00,9.00\n",
    ] {
        let collected = read(table);
        let row = collected.rows().next().unwrap();
        assert_eq!((row.name.as_deref(), row.amount.minor()), (Some("shop and more"), -100), "{table}");
    }
}

#[test]
fn regression_account_numbers_of_counterparties_do_not_become_accounts_of_the_owner() {
    let rows = "15.01.2025;Shop;DE1;-1,00\n16.01.2025;Boss;DE2;2,00\n17.01.2025;ATM;;-3,00\n";
    let collected = read(&format!("Buchung;Sender / Empfänger;IBAN;Betrag in EUR\n{rows}"));
    assert_eq!((collected.statements.len(), minors(&collected)), (1, vec![-100, 200, -300]));
    assert_eq!(collected.statements[0].head.account.account_number, None);
    let apart = "Buchung;Begünstigter / Auftraggeber;Verwendungszweck;IBAN;Soll;Haben\n\
                 15.01.2025;Shop;x;DE1;-1,00;\n16.01.2025;Boss;y;DE2;;2,00\n";
    let apart = read(apart);
    assert_eq!((apart.statements.len(), minors(&apart)), (1, vec![-100, 200]));
    assert_eq!(apart.rows().next().unwrap().name.as_deref(), Some("Shop"));
    let own = read("IBAN;Buchung;Empfänger;Betrag\nDE1;15.01.2025;Shop;-1,00\nDE2;16.01.2025;Boss;2,00\n");
    assert_eq!(own.statements.len(), 2);
    let same = read("Date,Payee,Account Number,Amount\n15/01/2025,Shop,77,-1.00\n16/01/2025,Boss,77,2.00\n");
    assert_eq!(same.statements[0].head.account.account_number.as_deref(), Some("77"));
}

#[test]
fn regression_a_card_whose_payments_are_told_as_transfers_is_turned_round() {
    let collected = read(
        "Transaction Date,Clearing Date,Description,Merchant,Category,Type,Amount (USD)\n\
         01/15/2025,01/16/2025,SQ *TEA,Tea,Food,Purchase,4.50\n\
         01/14/2025,01/14/2025,ACH DEPOSIT INTERNET TRANSFER FROM ACCOUNT ENDING IN 1234,Ach Deposit,Payment,Payment,-100.00\n",
    );
    assert_eq!(minors(&collected), [-450, 10_000]);
}

#[test]
fn regression_where_a_fee_is_taken_off_the_net_amount_is_what_moved() {
    let collected = read("Date,Amount,Fee,Net Amount,Notes\n2025-01-15,$20.00,-$0.50,$19.50,x\n");
    assert_eq!(minors(&collected), [1950]);
}
