use std::ops::Range;

use chrono::NaiveDate;
use connections_formats::csv::DateOrder;
use connections_formats::{Encoding, Format, Mapping, Plan, Securities, qif};
use kernel::Money;
use proptest::prelude::*;

use crate::damage::{almost_a_file, assert_same_in_pieces, change, changed, read_whatever_it_is};
use crate::support::{currency, file};

fn plan() -> Plan {
    Plan {
        format: Format::Qif,
        encoding: Encoding::named("utf-8").unwrap(),
        mapping: Some(Mapping { date_order: Some(DateOrder::MonthFirst), ..qif::mapping() }),
        default_currency: Some(currency("EUR")),
        securities: Securities::default(),
    }
}

/// Day, splits in cents, payee, category.
type Written = (NaiveDate, Vec<i64>, String, String);

fn rows(count: Range<usize>) -> impl Strategy<Value = Vec<Written>> {
    let day = (0i64..40_000)
        .prop_map(|days| NaiveDate::from_ymd_opt(1970, 1, 1).unwrap() + chrono::Duration::days(days));
    let cents = prop::collection::vec(-1_000_000_000i64..1_000_000_000, 1..4);
    let word = "[A-Za-zäß0-9][A-Za-zäß0-9.,:^!-]{0,20}";
    prop::collection::vec((day, cents, word, word), count)
}

fn amount(cents: i64) -> String {
    Money::from_minor(cents, currency("EUR")).amount()
}

fn register(rows: &[Written]) -> String {
    let record = |(day, cents, payee, category): &Written| {
        let total = amount(cents.iter().sum());
        let splits: String =
            cents.iter().map(|cents| format!("S{category}\n${}\n", amount(*cents))).collect();
        format!("D{}\nT{total}\nP{payee}\nL{category}\n{splits}^\n", day.format("%m/%d/%Y"))
    };
    format!("!Account\nNHousehold\nTBank\n^\n!Type:Bank\n{}", rows.iter().map(record).collect::<String>())
}

/// What stands in files.
const PIECES: &[&str] = &[
    "!Type:Bank",
    "!Type:Invst",
    "!Account",
    "!Option:AutoSwitch",
    "!Clear:AutoSwitch",
    "!Type:Cat",
    "\n",
    "\r\n",
    "\n^\n",
    "^",
    "D",
    "T",
    "U",
    "$",
    "S",
    "E",
    "%",
    "N",
    "Y",
    "Q",
    "I",
    "O",
    "L",
    "P",
    "M",
    "A",
    "/",
    "1/2'07",
    "1/ 5/ 3",
    "31.12.24",
    "'",
    "1,234.56",
    "-",
    "BuyX",
    "Sell",
    "XIn",
    "StkSplit",
    "[Checking]",
    "Opening Balance",
    "é",
    "\u{feff}",
    "\u{2212}",
    " ",
    "9999999999999999999999",
];

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn rows_of_a_register_are_read_back_exactly(rows in rows(0..30)) {
        let mapping = plan().mapping.unwrap();
        let collected = file(&register(&rows)).currency("EUR").mapping(mapping).read().unwrap();
        let told = |row: &connections_formats::Row| {
            let splits = row.splits.iter().map(|split| split.amount.minor()).collect::<Vec<_>>();
            (row.posted_on, row.amount.minor(), splits, row.name.clone(), row.category.clone())
        };
        let expected = |(day, cents, payee, category): &Written| {
            (*day, cents.iter().sum::<i64>(), cents.clone(), Some(payee.clone()), Some(category.clone()))
        };
        let read: Vec<_> = collected.rows().map(told).collect();
        prop_assert_eq!(read, rows.iter().map(expected).collect::<Vec<_>>());
    }

    #[test]
    fn nothing_depends_on_how_a_file_is_cut_into_pieces(rows in rows(0..8), size in 1usize..64) {
        assert_same_in_pieces(register(&rows).as_bytes(), &plan(), size);
    }

    #[test]
    fn a_file_in_which_something_is_changed_never_panics(
        rows in rows(1..5), change in change(almost_a_file(PIECES, 60), 9),
    ) {
        read_whatever_it_is(&changed(register(&rows), [change]), &plan());
    }

    #[test]
    fn no_bytes_make_the_reader_panic(bytes in almost_a_file(PIECES, 60)) {
        read_whatever_it_is(&bytes, &plan());
        let _ = qif::decide(&bytes[..], &plan().encoding, qif::mapping(), None);
    }
}
