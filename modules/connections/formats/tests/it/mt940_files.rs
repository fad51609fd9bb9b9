//! MT940 and MT942 files, field by field.

use connections_formats::{BalanceKind, Format, RowKind, RowStatus};

use crate::support::{Collected, file, money};

const HEAD: &str = ":20:STARTUMS\r\n:25:10020030/1234567\r\n:28C:5/1\r\n:60F:C240101EUR100,00\r\n";

/// A statement with these lines between its opening and closing balance.
fn statement(entries: &str, closing: &str) -> String {
    format!("{HEAD}{}\r\n:62F:{closing}\r\n-\r\n", entries.replace('\n', "\r\n"))
}

/// The rows of entries, whatever their sum.
fn read(entries: &str) -> Collected {
    file(&statement(entries, "C240131EUR0,00")).read().unwrap_or_else(|error| panic!("{error}: {entries}"))
}

fn only(entry: &str) -> connections_formats::Row {
    let collected = read(entry);
    assert_eq!((collected.summary.rows, collected.rejections()), (1, vec![]), "{entry}");
    collected.statements.into_iter().flat_map(|statement| statement.rows).next().unwrap()
}

#[test]
fn a_statement_gives_its_account_balances_and_rows() {
    let entries = ":61:2401020103D12,5NTRFINV-7//B-1\nsupplement\n\
                   :86:166?00LASTSCHRIFT?20SVWZ+Strom?32Stadtwerke\n:61:240103C7,NMSCNONREF\n:86:free text";
    let text = statement(entries, "C240131EUR94,50\r\n:64:C240131EUR94,50\r\n:65:C240201EUR1,00");
    let collected = file(&text).named("a.sta").read().unwrap();
    let [statement] = &collected.statements[..] else { panic!("{collected:?}") };
    assert_eq!(statement.head.currency.code(), "EUR");
    assert_eq!(statement.head.account.bank_id.as_deref(), Some("10020030"));
    assert_eq!(statement.head.account.account_number.as_deref(), Some("1234567"));
    let balances: Vec<_> = statement.balances.iter().map(|b| (b.kind, b.amount, b.as_of.unwrap())).collect();
    let day = |text: &str| text.parse::<chrono::NaiveDate>().unwrap();
    assert_eq!(
        balances,
        [
            (BalanceKind::Opening, money("100.00", "EUR"), day("2024-01-01")),
            (BalanceKind::Ledger, money("94.50", "EUR"), day("2024-01-31")),
            (BalanceKind::Available, money("94.50", "EUR"), day("2024-01-31")),
        ]
    );
    assert_eq!(collected.booked(), ["2024-01-03 -12.50", "2024-01-03 7.00"]);
    let [first, second] = &statement.rows[..] else { panic!("{statement:?}") };
    assert_eq!((first.line, second.line), (5, 8));
    assert_eq!(first.value_on, Some(day("2024-01-02")));
    assert_eq!((first.reference.as_deref(), first.external_id.as_deref()), (Some("INV-7"), Some("B-1")));
    assert_eq!(first.name.as_deref(), Some("Stadtwerke"));
    assert_eq!(first.memo.as_deref(), Some("Strom\nLASTSCHRIFT\n166\nsupplement"));
    assert_eq!((first.kind, first.status), (RowKind::Debit, RowStatus::Booked));
    assert_eq!((second.reference.as_deref(), second.external_id.as_deref()), (None, None));
    assert_eq!((second.name.as_deref(), second.memo.as_deref()), (None, Some("free text")));
}

#[test]
fn marks_say_the_sign_and_reversals_turn_it() {
    for (mark, amount, status) in [
        ("C", "1.00", RowStatus::Booked),
        ("D", "-1.00", RowStatus::Booked),
        ("RC", "-1.00", RowStatus::Booked),
        ("RD", "1.00", RowStatus::Booked),
        ("EC", "1.00", RowStatus::Pending),
        ("ED", "-1.00", RowStatus::Pending),
        ("CR", "1.00", RowStatus::Booked),
        ("DR", "-1.00", RowStatus::Booked),
        ("RCR", "-1.00", RowStatus::Booked),
        ("RDR", "1.00", RowStatus::Booked),
    ] {
        let row = only(&format!(":61:240102{mark}1,00NTRFNONREF"));
        assert_eq!((row.amount.amount().as_str(), row.status), (amount, status), "{mark}");
    }
}

#[test]
fn amounts_have_a_comma_anywhere_or_nowhere() {
    for (written, amount) in [
        (",50", "0.50"),
        ("12,", "12.00"),
        ("12", "12.00"),
        ("000000000012,5", "12.50"),
        ("1234567,89", "1234567.89"),
    ] {
        assert_eq!(only(&format!(":61:240102C{written}NTRFNONREF")).amount.amount(), amount, "{written}");
    }
}

#[test]
fn an_entry_date_lies_near_its_value_date_across_new_year() {
    for (written, booked, value) in [
        ("2401021231", "2023-12-31", "2024-01-02"),
        ("2312310102", "2024-01-02", "2023-12-31"),
        ("240102", "2024-01-02", "2024-01-02"),
    ] {
        let row = only(&format!(":61:{written}C1,00NTRFNONREF"));
        assert_eq!(
            (row.posted_on.to_string(), row.value_on.unwrap().to_string()),
            (booked.into(), value.into())
        );
    }
}

#[test]
fn the_thirtieth_of_february_is_its_last_day_and_told() {
    let collected =
        read(":61:2402300230C1,00NTRFNONREF\n:61:230230C1,00NTRFNONREF\n:61:240229C1,00NTRFNONREF");
    assert_eq!(collected.booked(), ["2024-02-29 1.00", "2023-02-28 1.00", "2024-02-29 1.00"]);
    assert_eq!(collected.summary.moved_dates, 2);
}

#[test]
fn entries_that_are_none_are_rejected_with_line_and_reason() {
    let collected = read(
        ":61:241302C1,00NTRFNONREF\n:61:2401021399C1,00NTRFNONREF\n:61:240102X1,00NTRF\n:61:240102C//NTRF\n\
         :61:240102C1,005NTRF\n:61:240102C1,0,0NTRF\n:61:240102C99999999999999999999,NTRF\n:61:\n\
         :61:240102C1,00NTRFNONREF\n:86:good",
    );
    assert_eq!(
        collected.rejections(),
        [
            "5 malformed_date",
            "6 malformed_date",
            "7 unknown_direction",
            "8 missing_amount",
            "9 amount_too_precise",
            "10 malformed_amount",
            "11 amount_out_of_range",
            "12 missing_date"
        ]
    );
    assert_eq!(collected.booked(), ["2024-01-02 1.00"]);
}

#[test]
fn references_are_cut_at_their_marks() {
    let row = only(":61:240102D1,00NCHK0000123//77");
    assert_eq!(
        (row.kind, row.check_number.as_deref(), row.reference),
        (RowKind::Check, Some("0000123"), None)
    );
    let row = only(":61:240102D1,00N0440121470966      W.P. Someone\n:86:first\n:86:second");
    assert_eq!((row.reference.as_deref(), row.name.as_deref()), (Some("0121470966"), Some("W.P. Someone")));
    assert_eq!(row.memo.as_deref(), Some("first second"));
    let row = only(":61:240102D1,00NTRFKREF+//A1\n:86:166?20KREF+own 1?21EREF+e2e 1");
    assert_eq!((row.reference.as_deref(), row.external_id.as_deref()), (Some("e2e 1"), Some("A1")));
    assert_eq!(row.memo.as_deref(), Some("KREF+own 1\n166"));
}

#[test]
fn pages_of_one_statement_are_one_and_only_its_ends_are_balances() {
    let page = |page: u32, account: &str, open: &str, amount: &str, close: &str| {
        format!(":20:X\n:25:{account}\n:28C:9/{page}\n:{open}\n:61:240102C{amount}NTRFNONREF\n:{close}\n-\n")
    };
    let text = [
        page(1, "7", "60F:C240101EUR10,00", "1,", "62M:C240102EUR11,00"),
        page(1, "8", "60F:C240101EUR0,00", "5,", "62F:C240102EUR5,00"),
        page(2, "7", "60M:C240102EUR11,00", "2,", "62M:C240102EUR13,00"),
        page(3, "7", "60M:C240102EUR13,00", "3,", "62F:C240102EUR16,00"),
        page(4, "9", "60M:C240102EUR16,00", "4,", "62M:C240102EUR20,00"),
    ]
    .concat();
    let collected = file(&text).read().unwrap();
    let told: Vec<_> = collected
        .statements
        .iter()
        .map(|statement| {
            let balances: Vec<_> =
                statement.balances.iter().map(|b| format!("{:?} {}", b.kind, b.amount.amount())).collect();
            (statement.rows.len(), balances.join(", "))
        })
        .collect();
    let told: Vec<_> = told.iter().map(|(rows, balances)| (*rows, balances.as_str())).collect();
    assert_eq!(
        told,
        [
            (3, "Opening 10.00, Ledger 16.00"),
            (1, "Opening 0.00, Ledger 5.00"),
            // The file has neither the first nor the last page of it.
            (1, "Opening 16.00, Ledger 20.00"),
        ]
    );
}

#[test]
fn envelopes_junk_and_line_ends_do_not_matter() {
    let bare = statement(":61:240102C1,00NTRFNONREF\n:86:text", "C240131EUR101,00");
    let whole = file(&bare).read().unwrap().statements;
    let envelope =
        format!("{{1:F01BANKDEFFAXXX0000}}{{2:I940X}}{{4:\r\n{}}}{{5:{{CHK:1}}}}", bare.trim_end());
    let inline = format!("{{1:F01BANKDEFF}}{{4:{}}}${}", bare.trim_end(), "");
    let with_header = format!("BANKNL2A\r\n940\r\nBANKNL2A\r\n\u{1}{bare}");
    for text in [envelope, inline, with_header, bare.replace("\r\n", "\n"), bare.replace("\r\n", "\r")] {
        let read = file(&text).read().unwrap_or_else(|error| panic!("{error}: {text}"));
        assert_eq!(read.statements.len(), 1, "{text}");
        let (statement, expected) = (&read.statements[0], &whole[0]);
        assert_eq!((&statement.head, &statement.balances), (&expected.head, &expected.balances), "{text}");
        let amounts = |statement: &crate::support::Statement| {
            statement.rows.iter().map(|row| (row.amount, row.memo.clone())).collect::<Vec<_>>()
        };
        assert_eq!(amounts(statement), amounts(expected), "{text}");
    }
}

#[test]
fn an_interim_report_has_no_closing_balance() {
    let text = "{1:F01BANKDEFF}{2:O942}{4:\n:20:X\n:25:10020030/1234567USD\n:28C:1\n:34F:USDD0,\n\
                :13D:2401021030+0100\n:61:240102EC5,00NTRFNONREF\n:86:soon\n:90D:0USD0,\n:90C:1USD5,\n-}\n";
    let collected = file(text).named("a.942").read().unwrap();
    let statement = &collected.statements[0];
    assert_eq!((statement.head.currency.code(), statement.balances.len()), ("USD", 0));
    assert_eq!(statement.head.account.account_number.as_deref(), Some("1234567"));
    assert_eq!(
        (statement.rows[0].status, collected.booked()),
        (RowStatus::Pending, vec!["2024-01-02 5.00".into()])
    );
}

#[test]
fn accounts_are_written_in_many_ways() {
    for (written, bank, number) in [
        ("10020030/1234567", Some("10020030"), "1234567"),
        ("10020030/1234567EUR", Some("10020030"), "1234567"),
        ("NL00BANK0123456789", None, "NL00BANK0123456789"),
        ("NL00BANK0123456789 EUR", None, "NL00BANK0123456789"),
        ("DE02120300000000202051/EUR", None, "DE02120300000000202051"),
        ("1291.99.348EUR", None, "1291.99.348"),
        ("ABC1234XYQ", None, "ABC1234XYQ"),
        ("1234\r\nBANKDEFF", Some("BANKDEFF"), "1234"),
    ] {
        let text = statement("", "C240131EUR100,00").replace("10020030/1234567", written);
        let account = file(&text).read().unwrap().statements.remove(0).head.account;
        assert_eq!((account.bank_id.as_deref(), account.account_number.as_deref()), (bank, Some(number)));
    }
}

#[test]
fn a_currency_that_is_none_refuses_the_file_and_a_missing_one_is_asked_for() {
    let text = statement("", "C240131EUR100,00");
    assert_eq!(file(&text.replace("EUR", "XXQ")).refusal(), "unknown_currency");
    let text = ":61:240102C1,00NTRFNONREF\n-\n";
    assert_eq!(file(text).refusal(), "needs_currency");
    assert_eq!(file(text).currency("CHF").read().unwrap().booked(), ["2024-01-02 1.00"]);
}

#[test]
fn balances_that_cannot_be_read_are_counted_and_leave_the_rows() {
    let text = statement(":61:240102C1,00NTRFNONREF", "C240131EUR10100").replace("60F:C", "60F:X");
    let collected = file(&text).currency("EUR").read().unwrap();
    assert_eq!((collected.summary.rows, collected.summary.unreadable_balances), (1, 2));
}

#[test]
fn every_truncation_is_told() {
    let text = statement(":61:240102C1,00NTRFNONREF\n:86:text", "C240131EUR101,00");
    let closing = text.find(":62F:").unwrap() + ":62F:".len();
    for length in 0..closing {
        let code = file(&text[..length]).currency("EUR").refusal();
        let known = ["empty_file", "unknown_format", "truncated_file"];
        assert!(known.contains(&code), "{length}: {code}");
    }
    // From here on the rows are whole, and a balance that was cut is none.
    for length in closing..=text.len() {
        let collected = file(&text[..length]).read().unwrap();
        assert_eq!(collected.summary.rows, 1);
        let ledger = collected.statements[0].balances.iter().find(|b| b.kind == BalanceKind::Ledger);
        assert!(ledger.is_none_or(|balance| balance.amount == money("101.00", "EUR")), "{length}");
    }
    let enveloped = format!("{{1:F01BANKDEFF}}{{2:O940}}{{4:\r\n{}}}", text.trim_end());
    // Without its last brace it is whole: the mark behind the message is there.
    for length in 9..enveloped.len() - 1 {
        assert_eq!(file(&enveloped[..length]).refusal(), "truncated_file", "{length}");
    }
}

#[test]
fn the_format_is_found_by_its_tags() {
    let text = statement("", "C240131EUR100,00");
    let detection = file(&text).named("a.csv").detect().unwrap();
    assert_eq!((detection.format, detection.misleading_extension.as_deref()), (Format::Mt940, Some("csv")));
    for name in ["a.sta", "a.STA", "a.mt940", "a.940", "a.txt"] {
        assert_eq!(file(&text).named(name).detect().unwrap().misleading_extension, None, "{name}");
    }
}

#[test]
fn a_row_of_an_endless_line_is_rejected_and_the_others_are_read() {
    let long = "x".repeat(200_000);
    let entries = format!(
        ":61:240102C1,00NTRFNONREF\n:86:{long}\n:61:240103C2,00NTRFNONREF\n{long}\n:61:240104C3,00NTRFNONREF\n:86:ok"
    );
    let collected = read(&entries);
    assert_eq!(collected.rejections(), ["5 row_too_long", "7 row_too_long"]);
    assert_eq!(collected.booked(), ["2024-01-04 3.00"]);
    let many = ":86:text of the row\n".repeat(10_000);
    assert_eq!(read(&format!(":61:240102C1,00NTRFNONREF\n{many}")).rejections(), ["5 row_too_long"]);
}

#[test]
fn a_dash_in_a_text_does_not_end_its_statement() {
    let text =
        statement(":61:240102C1,00NTRFNONREF\n:86:one\n-\n:61:240103C2,00NTRFNONREF", "C240131EUR103,00");
    let collected = file(&text).read().unwrap();
    assert_eq!((collected.statements.len(), collected.booked().len()), (1, 2));
}

#[test]
fn a_second_day_in_one_message_is_a_statement_of_the_same_account() {
    let text = statement(
        ":61:240102C1,00NTRFNONREF",
        "C240102EUR101,00\r\n:60F:C240102EUR101,00\r\n:62F:C240103EUR101,00",
    );
    let collected = file(&text).read().unwrap();
    let [first, second] = &collected.statements[..] else { panic!("{collected:?}") };
    assert_eq!((&first.head, second.balances.len()), (&second.head, 2));
}
