//! What the cells of a table mean: amounts and dates.

use chrono::NaiveDate;
use connections_formats::csv::DateOrder;
use connections_formats::{FormatError, Mapping};

use crate::support::{Collected, file, money};

fn read(table: &str) -> Collected {
    file(table).currency("EUR").read().unwrap_or_else(|error| panic!("{error}: {table:.500}"))
}

/// A table with these cells in its amount column.
fn amounts(cells: &[&str]) -> Collected {
    let rows: String = cells.iter().map(|cell| format!("2025-01-02;shop;{cell}\n")).collect();
    read(&format!("Date;Description;Amount\n{rows}"))
}

fn minors(collected: &Collected) -> Vec<i64> {
    collected.rows().map(|row| row.amount.minor()).collect()
}

#[test]
fn amounts_of_every_notation_keep_their_value() {
    let comma = amounts(&[
        "1.234,56",
        "12,00-",
        "(12,00)",
        "+5,00",
        "\u{2212}5,00",
        "€ 7,10",
        "7,10 EUR",
        "-€7,10",
        "3,20 CR",
    ]);
    assert_eq!(minors(&comma), [123_456, -1200, -1200, 500, -500, 710, 710, -710, 320]);
    let point = amounts(&[
        "1,234.56",
        "12.00-",
        "(12.00)",
        "($12.00)",
        "1'234.50",
        "1 234.50",
        "1\u{a0}234.50",
        "9.99 DR",
    ]);
    assert_eq!(minors(&point), [123_456, -1200, -1200, -1200, 123_450, 123_450, 123_450, -999]);
    let narrow = amounts(&["1\u{202f}234,50", "1\u{2009}234,5", "1\u{2019}234,50", "12,34,567,00"]);
    assert_eq!(minors(&narrow), [123_450, 123_450, 123_450]);
    assert_eq!(narrow.rejections(), ["5 malformed_amount"]);
}

#[test]
fn a_lone_separator_before_three_digits_is_decided_by_the_file_or_means_thousands() {
    assert_eq!(minors(&amounts(&["1.234", "5,60"])), [123_400, 560]);
    assert_eq!(minors(&amounts(&["1,234", "5.60"])), [123_400, 560]);
    assert_eq!(minors(&amounts(&["1.234", "17"])), [123_400, 1700]);
    assert_eq!(minors(&amounts(&["1,234", "17"])), [123_400, 1700]);
    // Unless the currency has three decimals.
    let dinars = file("Date,Text,Amount\n2025-01-02,a,1.234\n").currency("KWD").read().unwrap();
    assert_eq!(dinars.rows().next().unwrap().amount, money("1.234", "KWD"));
}

#[test]
fn amounts_that_are_none_are_rejected_with_line_and_reason() {
    let collected = amounts(&[
        "1.50",
        "12.3x",
        "",
        "1.505",
        "7.00 USD",
        "--3.00",
        "1,50",
        "99999999999999999999.00",
        "1-2",
        "12 34",
        "1 2.50",
    ]);
    assert_eq!(collected.booked(), ["2025-01-02 1.50"]);
    assert_eq!(
        collected.rejections(),
        [
            "3 malformed_amount",
            "4 missing_amount",
            "5 amount_too_precise",
            "6 currency_conflict",
            "7 malformed_amount",
            "8 malformed_amount",
            "9 amount_out_of_range",
            "10 malformed_amount",
            "11 malformed_amount",
            "12 malformed_amount"
        ]
    );
    assert_eq!(collected.statements[0].rejected[0].reason, "\"12.3x\" is not an amount");
}

#[test]
fn date_order_is_decided_by_the_rows_that_have_one_reading() {
    let table = |day: &str| format!("Date,Text,Amount\n02/03/2025,a,1.00\n05/05/2025,b,1.00\n{day},c,1.00\n");
    assert_eq!(read(&table("13/03/2025")).booked()[0], "2025-03-02 1.00");
    assert_eq!(read(&table("03/13/2025")).booked()[0], "2025-02-03 1.00");
}

#[test]
fn the_row_that_decides_may_be_far_behind_the_head() {
    let rows = "02/03/2025,some longer text to fill the head of the file,1.00\n".repeat(5000);
    let collected = read(&format!("Date,Text,Amount\n{rows}31/03/2025,z,1.00\n"));
    assert_eq!((collected.summary.rows, collected.booked()[0].as_str()), (5001, "2025-03-02 1.00"));
}

#[test]
fn ambiguous_dates_are_refused_with_both_readings_until_the_caller_decides() {
    let table = "Date,Text,Amount\n05/05/2025,a,1.00\n02/03/2025,b,2.00\n";
    let Err(FormatError::AmbiguousDates(ambiguous)) = file(table).currency("EUR").read() else { panic!() };
    assert_eq!(ambiguous.example, "02/03/2025");
    assert_eq!((ambiguous.day_first.as_str(), ambiguous.month_first.as_str()), ("2025-03-02", "2025-02-03"));
    for (order, booked) in
        [(DateOrder::DayFirst, "2025-03-02 2.00"), (DateOrder::MonthFirst, "2025-02-03 2.00")]
    {
        let mapping = Mapping { date_order: Some(order), ..ambiguous.mapping.clone() };
        let collected = file(table).currency("EUR").mapping(mapping).read().unwrap();
        assert_eq!(collected.booked()[1], booked);
    }
}

#[test]
fn dates_that_contradict_each_other_are_refused_and_a_single_slip_is_rejected() {
    let table = "Date,Text,Amount\n13/01/2025,a,1.00\n01/13/2025,b,1.00\n02/03/2025,c,1.00\n";
    assert_eq!(file(table).currency("EUR").refusal(), "ambiguous_dates");
    let many = "13/01/2025,a,1.00\n".repeat(30);
    let collected = read(&format!("Date,Text,Amount\n{many}01/13/2025,b,1.00\n02/03/2025,c,1.00\n"));
    assert_eq!(collected.rejections(), ["32 malformed_date"]);
    assert_eq!(collected.booked()[30], "2025-03-02 1.00");
}

#[test]
fn dates_with_dots_times_and_names_have_one_reading() {
    for (written, day) in [
        ("02.03.2025", "2025-03-02"),
        ("2025-03-02 13:45:00", "2025-03-02"),
        ("2025-03-02T23:45:00Z", "2025-03-02"),
        ("2025/3/2", "2025-03-02"),
        ("20250302", "2025-03-02"),
        ("2-Mar-25", "2025-03-02"),
        ("Mar 2, 2025", "2025-03-02"),
        ("2. März 2025", "2025-03-02"),
        ("2 mai 2025", "2025-05-02"),
        ("31.12.99", "1999-12-31"),
    ] {
        let collected = read(&format!("Date;Text;Amount\n{written};a;1.00\n"));
        assert_eq!(collected.booked(), [format!("{day} 1.00")], "{written}");
    }
}

#[test]
fn as_of_dates_give_posting_and_transaction_date() {
    let collected = read("Date,Text,Amount\n02/13/2025 as of 02/01/2025,a,1.00\n02/14/2025,b,1.00\n");
    let dates: Vec<_> = collected.rows().map(|row| (row.posted_on.to_string(), row.occurred_on)).collect();
    assert_eq!(dates[0], ("2025-02-13".into(), NaiveDate::from_ymd_opt(2025, 2, 1)));
    assert_eq!(dates[1], ("2025-02-14".into(), None));
}

#[test]
fn regression_an_apostrophe_of_a_bank_is_kept_and_the_one_of_our_export_is_not() {
    let name = |table: &str| read(table).rows().next().unwrap().name.clone();
    assert_eq!(name("Date;Text;Amount\n2025-03-02;'-50% Sale;1.00\n").as_deref(), Some("'-50% Sale"));
    let ours = "id,account_id,account_name,posted_on,occurred_on,posted_at,amount,currency,kind,name,memo,check_number,\
                external_id,status\n1,0198a2c4-0000-7000-8000-000000000001,A,2025-03-02,,,1.00,EUR,other,'-50% Sale,,,,booked\n";
    assert_eq!(name(ours).as_deref(), Some("-50% Sale"));
}

#[test]
fn our_own_export_tells_what_its_accounts_are_called_and_a_column_of_a_bank_does_not() {
    let names = |table: &str| {
        let names = read(table).statements.into_iter().map(|statement| statement.head.account.name);
        names.collect::<Vec<_>>()
    };
    let ours = "id,account_id,account_name,posted_on,occurred_on,posted_at,amount,currency,kind,name,memo,check_number,\
                external_id,status\n1,0198a2c4-0000-7000-8000-000000000001,Household,2025-03-02,,,1.00,EUR,other,A,,,,booked\n\
                2,0198a2c4-0000-7000-8000-000000000002,'=Cash,2025-03-02,,,1.00,EUR,other,B,,,,booked\n\
                3,0198a2c4-0000-7000-8000-000000000003,,2025-03-02,,,1.00,EUR,other,C,,,,booked\n";
    assert_eq!(names(ours), [Some("Household".into()), Some("=Cash".into()), None]);
    assert_eq!(names("Date,Account,Account name,Amount\n2025-03-02,77,Giro,1.00\n"), [None]);
}

#[test]
fn regression_a_currency_sign_may_stand_before_the_brackets() {
    assert_eq!(
        minors(&amounts(&["$(12.00)", "$ (1,012.00)", "(12.00) EUR", "-$3.00"])),
        [-1200, -101_200, -1200, -300]
    );
    assert_eq!(amounts(&["1.00", "12 (3)", "((4))", "(5) (6)"]).rejections().len(), 3);
}
