//! How tables are laid out: columns, lines, accounts and currencies.

use chrono::NaiveDate;
use connections_formats::csv::{AmountColumns, Column, DateOrder};
use connections_formats::{BalanceKind, DecimalMark, Mapping, RowStatus, csv};

use crate::support::{Collected, file, money};

fn read(table: &str) -> Collected {
    file(table).currency("EUR").read().unwrap_or_else(|error| panic!("{error}: {table:.500}"))
}

fn suggested(table: &str) -> Mapping {
    file(table).currency("EUR").plan().unwrap().mapping.unwrap()
}

fn minors(collected: &Collected) -> Vec<i64> {
    collected.rows().map(|row| row.amount.minor()).collect()
}

#[test]
fn tables_of_many_banks_are_read_without_help() {
    let cases = [
        // A plain American one.
        "Date,Description,Amount\n01/31/2025,Coffee,-3.50\n02/01/2025,Pay,1000.00\n",
        // Debit and credit columns, quotes, dates by month name.
        "\"Transaction Date\",\"Details\",\"Money Out\",\"Money In\"\n\"31 Jan 2025\",\"Coffee\",\"3.50\",\"\"\n\
         \"1 Feb 2025\",\"Pay\",\"\",\"1,000.00\"\n",
        // German, with a preamble, semicolons and a decimal comma.
        "Kontoauszug\nKonto:;DE02120300000000202051\n\nBuchungstag;Empfänger;Betrag (EUR)\n31.01.2025;Café;-3,50\n\
         01.02.2025;Gehalt;1.000,00\n",
        // German columns for both ways.
        "Buchungstag;Verwendungszweck;Soll;Haben\n31.01.2025;Café;3,50;\n01.02.2025;Gehalt;;1.000,00\n",
        // Dutch: a word for the direction.
        "Datum,Naam / Omschrijving,Rekening,Af Bij,Bedrag (EUR)\n20250131,Cafe,NL20INGB0001234567,Af,\"3,50\"\n\
         20250201,Loon,NL20INGB0001234567,Bij,\"1000,00\"\n",
        // French, tabs.
        "Date opération\tLibellé\tMontant\n31/01/2025\tCafé\t-3,50 €\n01/02/2025\tSalaire\t1 000,00 €\n",
        // Spanish, debit with a minus.
        "Fecha;Concepto;Cargo;Abono\n31/01/2025;Café;-3,50;\n01/02/2025;Nómina;;1.000,00\n",
        // Pipes and two-digit years.
        "Posting Date|Memo|Amount\n1/31/25|Coffee|-3.50\n2/1/25|Pay|$1,000.00\n",
        // No header at all.
        "\"01/31/2025\",\"-3.50\",\"*\",\"\",\"COFFEE\"\n\"02/01/2025\",\"1000.00\",\"*\",\"\",\"PAY\"\n",
    ];
    for table in cases {
        let collected = read(table);
        assert_eq!(collected.booked(), ["2025-01-31 -3.50", "2025-02-01 1000.00"], "{table}");
        assert_eq!(collected.rejections(), Vec::<String>::new(), "{table}");
        let names: Vec<_> = collected.rows().map(|row| row.name.is_some()).collect();
        assert_eq!(names, [true, true], "{table}");
    }
}

#[test]
fn a_table_without_a_date_or_an_amount_column_is_refused() {
    assert_eq!(file("Name,Amount,Description\nA,1.00,x\nB,2.00,y\n").refusal(), "no_date_column");
    assert_eq!(file("Date,Description,Payee\n2025-01-02,x,y\n").refusal(), "no_amount_column");
    assert_eq!(file("Date,Description,Amount\nsoon,x,1.00\nlater,y,2.00\n").refusal(), "no_date_column");
    assert_eq!(file("a,b\nc,d\n").refusal(), "no_date_column");
}

#[test]
fn bad_rows_and_footers_are_rejected_and_the_rest_is_read() {
    let collected = read(
        "Date,Text,Amount\n2025-01-02,a,1.00\n2025-02-30,b,1.00\n,c,1.00\n2025-01-03\n\n2025-01-04,d,2.00\n\
         Total,,3.00\n,,\n\"Downloaded by nobody, 2025\"\n",
    );
    assert_eq!(collected.booked(), ["2025-01-02 1.00", "2025-01-04 2.00"]);
    assert_eq!(
        collected.rejections(),
        [
            "3 malformed_date",
            "4 missing_date",
            "5 missing_columns",
            "8 not_a_transaction",
            "10 missing_columns"
        ]
    );
}

#[test]
fn quotes_keep_delimiters_line_breaks_and_quotes() {
    let collected = read(
        "Date,Description,Amount,Notes\n2025-01-02,\"Smith, \"\"Jo\"\" & Co\",1.00,\"two\nlines\"\n\
         2025-01-03,\"5\" pipe\",2.00,x\n2025-01-04, \"padded\" ,3.00,\n",
    );
    let rows: Vec<_> = collected.rows().collect();
    assert_eq!(rows[0].name.as_deref(), Some("Smith, \"Jo\" & Co"));
    assert_eq!(rows[0].memo.as_deref(), Some("two\nlines"));
    assert_eq!((rows[1].name.as_deref(), rows[1].line), (Some("\"5\" pipe\""), 4));
    assert_eq!((rows[2].name.as_deref(), rows[2].line), (Some("padded"), 5));
}

#[test]
fn apostrophes_may_stand_in_place_of_quotes() {
    let table =
        "'Date';'Description';'Amount'\n'2025-01-02';'Smith; \"Jo\"';'-1,50'\n'2025-01-03';'it''s';'2,00'\n";
    assert_eq!(suggested(table).quote, '\'');
    let collected = read(table);
    assert_eq!(collected.booked(), ["2025-01-02 -1.50", "2025-01-03 2.00"]);
    let names: Vec<_> = collected.rows().map(|row| row.name.clone().unwrap()).collect();
    assert_eq!(names, ["Smith; \"Jo\"", "it's"]);
}

#[test]
fn a_line_that_names_the_delimiter_for_spreadsheets_is_passed_over() {
    let collected = read("sep=;\nDate;Text;Amount\n2025-01-02;a,b;1,00\n");
    assert_eq!(collected.booked(), ["2025-01-02 1.00"]);
    assert_eq!(collected.rows().next().unwrap().name.as_deref(), Some("a,b"));
}

#[test]
fn a_line_with_a_balance_and_no_amount_is_no_transaction() {
    let collected = read("Date,Text,Amount,Balance\n2025-01-01,opening,,5.00\n2025-01-02,a,1.00,6.00\n");
    assert_eq!(collected.rejections(), ["2 not_a_transaction"]);
    assert_eq!(collected.booked(), ["2025-01-02 1.00"]);
}

#[test]
fn a_mapping_can_say_fees_words_for_the_status_and_both_sides() {
    let mapping = r#"{"delimiter": ",", "date_order": "year_first", "decimal_mark": "point",
        "columns": {"date": "Booked", "transaction_date": "Done", "value_date": "Value", "amount": {"signed": "Amount"},
            "fee": "Fee", "payer": "From", "payee": "To", "name": "Text", "memo": "Text", "memo_continued": ["More"],
            "reference": "Ref", "category": "Kind"},
        "statuses": [{"column": "State", "booked": ["ok"], "pending": ["waits"], "ignored": ["void"]}]}"#;
    let mapping: Mapping = serde_json::from_str(mapping).unwrap();
    let table = "Booked,Done,Value,Amount,Fee,From,To,Text,More,Ref,Kind,State\n\
        2025-01-02,2025-01-01,2025-01-03,-10.00,0.50,me,shop,a,b,r1,food,OK\n\
        2025-01-02,2025-01-01,,10.00,,boss,me,a,a,,,ok\n\
        ,2025-01-04,,-3.00,,,,c,,,,waits\n\
        ,2025-01-05,,-4.00,,,,d,,,,ok\n\
        2025-01-06,,,-5.00,,,,e,,,,void\n\
        2025-01-06,,,-6.00,,,,f,,,,odd\n\
        ,,,-7.00,,,,g,,,,waits\n";
    let collected = file(table).currency("EUR").mapping(mapping).read().unwrap();
    let told: Vec<_> = collected
        .rows()
        .map(|row| (row.amount.minor(), row.name.as_deref().unwrap(), row.status == RowStatus::Pending))
        .collect();
    assert_eq!(
        told,
        [(-1050, "shop", false), (1000, "boss", false), (-300, "c", true), (-400, "d", true)],
        "a day of transaction alone is not booked either"
    );
    assert_eq!(collected.rejections(), ["6 not_booked", "7 unknown_status", "8 unsupported_pending_row"]);
    let first = collected.rows().next().unwrap();
    assert_eq!((first.value_on, first.memo.as_deref()), (NaiveDate::from_ymd_opt(2025, 1, 3), Some("a b")));
    assert_eq!((first.reference.as_deref(), first.category.as_deref()), (Some("r1"), Some("food")));
    assert_eq!(collected.rows().nth(1).unwrap().memo.as_deref(), Some("a"), "the same text is not repeated");
}

#[test]
fn an_unclosed_quote_costs_its_own_line_only() {
    let more = "2025-01-03,b,2.00\n".repeat(3);
    let collected = read(&format!("Date,Text,Amount\n2025-01-02,\"a,1.00\n{more}"));
    assert_eq!(collected.rejections(), ["2 unbalanced_quote"]);
    assert_eq!(collected.booked(), ["2025-01-03 2.00"; 3]);
}

#[test]
fn a_quote_too_many_does_not_join_lines() {
    let collected = read("Date,Text,Amount\n2025-01-02,\"a,1.00\n2025-01-03,b,2.00\n2025-01-04,\"c\",3.00\n");
    assert_eq!(collected.booked(), ["2025-01-02 1.00", "2025-01-03 2.00", "2025-01-04 3.00"]);
}

#[test]
fn a_line_of_megabytes_is_rejected_and_the_next_one_read() {
    let long = "x".repeat(3_000_000);
    let collected = read(&format!("Date,Text,Amount\n2025-01-02,{long},1.00\n2025-01-03,b,2.00\n"));
    assert_eq!(
        (collected.rejections(), collected.booked()),
        (vec!["2 row_too_long".into()], vec!["2025-01-03 2.00".into()])
    );
}

#[test]
fn line_ends_of_every_system_are_understood() {
    for end in ["\n", "\r\n", "\r"] {
        let table = ["Date,Text,Amount", "2025-01-02,a,1.00", "2025-01-03,b,2.00"].join(end);
        let collected = read(&table);
        assert_eq!(collected.booked(), ["2025-01-02 1.00", "2025-01-03 2.00"], "{end:?}");
        assert_eq!(collected.rows().nth(1).unwrap().line, 3);
    }
}

#[test]
fn an_account_column_splits_the_file_into_statements() {
    let collected = read(
        "Account,Date,Text,Amount\nA-1,2025-01-02,a,1.00\nB-2,2025-01-02,b,2.00\nA-1,2025-01-03,c,3.00\n",
    );
    let accounts: Vec<_> = collected
        .statements
        .iter()
        .map(|statement| (statement.head.account.account_number.as_deref().unwrap(), statement.rows.len()))
        .collect();
    assert_eq!(accounts, [("A-1", 2), ("B-2", 1)]);
}

#[test]
fn a_currency_column_decides_and_each_currency_is_a_statement() {
    let collected = file(
        "Started Date,Completed Date,Description,Amount,Currency\n2025-01-01,2025-01-02,a,1.00,EUR\n\
         2025-01-01,2025-01-03,b,200,JPY\n2025-01-01,2025-01-04,c,1.00,XXQ\n",
    );
    let collected = collected.read().unwrap();
    let heads: Vec<_> = collected.statements.iter().map(|statement| statement.head.currency.code()).collect();
    assert_eq!((heads, collected.rejections()), (vec!["EUR", "JPY"], vec!["4 unknown_currency".to_owned()]));
    assert_eq!(collected.rows().next().unwrap().occurred_on, NaiveDate::from_ymd_opt(2025, 1, 1));
}

#[test]
fn a_bad_first_row_does_not_hide_the_currency_of_the_next() {
    let table =
        "Date,Text,Amount,Currency\n2025-01-02,a,1.00,XXQ\n2025-02-30,b,1.00,EUR\n2025-01-03,c,2.00,EUR\n";
    let collected = file(table).read().unwrap();
    assert_eq!(collected.rejections(), ["2 unknown_currency", "3 malformed_date"]);
    assert_eq!(collected.statements.len(), 1);
    let hopeless = "Date,Text,Amount,Currency\n2025-01-02,a,1.00,EUR\n2025-01-02,a,1.00,XXQ\n";
    let hopeless = hopeless.replace("EUR", "XXP");
    let mapping = suggested(&table.replace("XXQ", "EUR"));
    assert_eq!(file(&hopeless).mapping(mapping).refusal(), "needs_currency");
}

#[test]
fn header_or_preamble_name_the_currency_or_the_caller_is_asked() {
    let named = file("Date,Text,Amount (CHF)\n2025-01-02,a,1.00\n").read().unwrap();
    assert_eq!(named.statements[0].head.currency.code(), "CHF");
    let preamble = "Account;12345678\nCurrency;SEK\n\nDate;Text;Amount\n2025-01-02;a;1,00\n";
    let named = file(preamble).currency("EUR").read().unwrap();
    assert_eq!(named.statements[0].head.currency.code(), "SEK");
    assert_eq!(named.statements[0].head.account.account_number.as_deref(), Some("12345678"));
    assert_eq!(file("Date,Text,Amount\n2025-01-02,a,1.00\n").refusal(), "needs_currency");
}

#[test]
fn a_mapping_made_for_one_currency_reads_the_next_file_in_its_own() {
    let mapping = suggested("Date,Text,Amount (CHF)\n2025-01-02,a,1.00\n");
    let next = file("Date,Text,Amount (USD)\n2025-01-02,a,1.00\n").mapping(mapping).read().unwrap();
    assert_eq!(next.statements[0].head.currency.code(), "USD");
}

#[test]
fn the_running_balance_of_the_latest_row_closes_the_statement() {
    let oldest_first = "2025-01-02,a,5.00,5.00\n2025-01-03,b,-2.00,3.00\n2025-01-03,c,1.00,4.00\n";
    let newest_first = "2025-01-03,c,1.00,4.00\n2025-01-03,b,-2.00,3.00\n2025-01-02,a,5.00,5.00\n";
    let one_day = "2025-01-03,c,1.00,4.00\n2025-01-03,b,-2.00,3.00\n";
    for rows in [oldest_first, newest_first, one_day] {
        let collected = read(&format!("Date,Text,Amount,Balance\n{rows}"));
        let [balance] = &collected.statements[0].balances[..] else { panic!("{rows}") };
        assert_eq!((balance.kind, balance.amount), (BalanceKind::Ledger, money("4.00", "EUR")), "{rows}");
        assert_eq!(balance.as_of, NaiveDate::from_ymd_opt(2025, 1, 3), "{rows}");
    }
    // One day whose balances fit in neither direction: better none than a wrong one.
    let collected = read("Date,Text,Amount,Balance\n2025-01-03,c,1.00,4.00\n2025-01-03,b,-2.00,9.00\n");
    assert!(collected.statements[0].balances.is_empty());
}

#[test]
fn card_exports_with_positive_purchases_are_turned_round() {
    let collected = read(
        "Date,Description,Amount\n2025-01-02,Shop,10.00\n2025-01-03,Cafe,3.00\n\
         2025-01-04,PAYMENT RECEIVED - THANK YOU,-13.00\n",
    );
    assert_eq!(minors(&collected), [-1000, -300, 1300]);
}

#[test]
fn both_ways_at_once_is_rejected() {
    let collected =
        read("Date,Text,Debit,Credit\n2025-01-02,a,1.00,\n2025-01-03,b,2.00,3.00\n2025-01-04,c,0.00,4.00\n");
    assert_eq!(
        (minors(&collected), collected.rejections()),
        (vec![-100, 400], vec!["3 debit_and_credit".to_owned()])
    );
}

#[test]
fn a_saved_mapping_reads_the_next_file_of_the_bank() {
    let january = "Buchungstag;Text;Betrag;Saldo\n31.01.2025;a;-3,50;10,00\n";
    let mapping = suggested(january);
    assert_eq!(mapping.columns.date, Column::Name("Buchungstag".into()));
    assert_eq!(mapping.columns.amount, AmountColumns::Signed(Column::Name("Betrag".into())));
    assert_eq!(
        (mapping.date_order, mapping.decimal_mark),
        (Some(DateOrder::DayFirst), Some(DecimalMark::Comma))
    );
    let stored = serde_json::to_string(&mapping).unwrap();
    let mapping: Mapping = serde_json::from_str(&stored).unwrap();
    // The bank moved a column and wrote its names another way.
    let february = "Konto;1234567\nSALDO;Neu;BETRAG;Text;Buchungstag\n8,00;x;-2,00;b;01.02.2025\n";
    let collected = file(february).currency("EUR").mapping(mapping).read().unwrap();
    assert_eq!(collected.booked(), ["2025-02-01 -2.00"]);
}

#[test]
fn header_fingerprints_are_equal_for_files_of_one_kind() {
    let fingerprint = |table: &str| suggested(table).header_fingerprint.unwrap();
    let one = fingerprint("Date,Description,Amount\n2025-01-02,a,1.00\n");
    assert_eq!(one, fingerprint("Preamble\nDATE,description,Amount (EUR)\n2025-07-02,b,2.00\n"));
    assert_ne!(one, fingerprint("Date,Memo,Amount\n2025-01-02,a,1.00\n"));
    assert_ne!(one, fingerprint("Date;Description;Amount\n2025-01-02;a;1.00\n"));
    let encoding = connections_formats::Encoding::named("utf-8").unwrap();
    assert_eq!(
        csv::header_fingerprint(b"Date,Description,Amount\n2025-01-02,a,1.00\n", &encoding),
        Some(one)
    );
}

#[test]
fn a_mapping_that_does_not_fit_the_file_is_refused() {
    let mapping = suggested("Date,Text,Amount\n2025-01-02,a,1.00\n");
    let other = "Day,Text,Amount\n2025-01-02,a,1.00\n";
    assert_eq!(file(other).currency("EUR").mapping(mapping.clone()).refusal(), "header_not_found");
    let letter = Mapping { delimiter: 'x', ..mapping };
    assert_eq!(file(other).currency("EUR").mapping(letter).refusal(), "invalid_mapping");
}

#[test]
fn columns_can_be_given_by_number() {
    let mapping = r#"{"delimiter": ",", "has_header": false, "date_order": "day_first",
        "columns": {"date": 0, "amount": {"signed": 2}, "name": 1}}"#;
    let mapping: Mapping = serde_json::from_str(mapping).unwrap();
    let collected = file("02/03/2025,a,1.50\n").currency("EUR").mapping(mapping).read().unwrap();
    assert_eq!(collected.booked(), ["2025-03-02 1.50"]);
}

#[test]
fn an_unknown_field_of_a_mapping_is_refused() {
    let mapping =
        r#"{"delimiter": ",", "columns": {"date": 0, "amount": {"signed": 1}}, "dtae_order": null}"#;
    assert!(serde_json::from_str::<Mapping>(mapping).is_err());
}

#[test]
fn a_header_alone_is_a_statement_without_rows() {
    let collected = read("Date,Text,Amount\n");
    assert_eq!((collected.summary.statements, collected.summary.rows), (1, 0));
}

#[test]
fn regression_a_row_whose_amount_was_moved_or_cut_by_a_bare_delimiter_is_rejected() {
    let moved = read(
        "Date,Text,Amount,Balance\n2025-01-15,\"Tea, and\",-3.50,6.50\n2025-01-16,Flight 12, 2024,-100.00,-93.50\n\
         2025-01-17,c,-1.00,-94.50,\n",
    );
    assert_eq!(
        (minors(&moved), moved.rejections()),
        (vec![-350, -100], vec!["3 unbalanced_quote".to_owned()])
    );
    let cut = read("Date,Text,Amount\n2025-01-15,a,-3,50\n2025-01-16,b,-1200,00\n2025-01-17,c,\"-2,50\"\n");
    assert_eq!(minors(&cut), [-250]);
    let behind = read("Date,Amount,Text\n2025-01-15,-3.50,Tea, and more\n2025-01-16,-1200,00,Rent\n");
    assert_eq!((minors(&behind), behind.rejections()), (vec![-350], vec!["3 unbalanced_quote".to_owned()]));
}
