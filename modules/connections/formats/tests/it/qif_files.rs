//! QIF files, section by section.

use connections_formats::csv::DateOrder;
use connections_formats::{
    AccountHint, AccountType, BalanceKind, Format, FormatError, Mapping, Row, RowKind, TradeAction, qif,
};

use crate::support::{Collected, file, money};

fn read(text: &str) -> Collected {
    file(text).currency("USD").read().unwrap_or_else(|error| panic!("{error}: {text:.500}"))
}

fn only(text: &str) -> Row {
    let collected = read(text);
    assert_eq!((collected.summary.rows, collected.rejections()), (1, vec![]), "{text}");
    collected.statements.into_iter().flat_map(|statement| statement.rows).next().unwrap()
}

fn bank(record: &str) -> String {
    format!("!Type:Bank\n{record}\n^\n")
}

#[test]
fn a_register_gives_its_rows_field_by_field() {
    let text = "!Type:Bank \r\nD1/15'07\r\nU-1,234.50\r\nT-1,234.50\r\nCX\r\nN1042\r\nPLandlord\r\nMJanuary\r\n\
                AHigh Street 1\r\nAOld Town\r\nLRent:Flat\r\n^\r\nD1/ 5/ 7\r\nT12\r\nNDEP\r\nL[Savings]\r\n^\r\n";
    let collected = read(text);
    let [first, second] = &collected.statements[0].rows[..] else { panic!("{collected:?}") };
    assert_eq!(collected.booked(), ["2007-01-15 -1234.50", "2007-01-05 12.00"]);
    assert_eq!((first.line, second.line), (2, 13));
    assert_eq!((first.name.as_deref(), first.check_number.as_deref()), (Some("Landlord"), Some("1042")));
    assert_eq!(first.memo.as_deref(), Some("January\nHigh Street 1\nOld Town"));
    assert_eq!((first.category.as_deref(), first.kind), (Some("Rent:Flat"), RowKind::Other));
    assert_eq!((second.category.as_deref(), second.kind), (Some("[Savings]"), RowKind::Deposit));
    assert_eq!(collected.statements[0].head.account.account_type, Some(AccountType::Checking));
    assert_eq!(only(&bank("D2/13/2025\nT1\nNweb-77")).reference.as_deref(), Some("web-77"));
}

#[test]
fn accounts_are_told_by_name_and_lists_hold_no_rows() {
    let text = "!Type:Cat\nNFood\nDAll food\nE\n^\n!Option:AutoSwitch\n!Account\nNChecking\nTBank\n^\nNCard\nTCCard\n^\n\
                !Clear:AutoSwitch\n!Option:AutoSwitch\n!Account\nNChecking\nTBank\n/2/28/2025\n$100.00\n^\n!Type:Bank\n\
                D2/13/2025\nT1.00\n^\n!Account\nNCard\nTCCard\n^\n!Type:CCard\nD2/14/2025\nT-2.00\n^\n!Account\n\
                NChecking\nTBank\n^\n!Type:Bank\nD2/15/2025\nT3.00\n^\n!Type:Memorized\nKD\nT9.00\nPTemplate\n^\n";
    let collected = read(text);
    let told: Vec<_> = collected
        .statements
        .iter()
        .map(|statement| {
            let account = &statement.head.account;
            (account.name.as_deref().unwrap(), account.account_type.unwrap(), statement.rows.len())
        })
        .collect();
    assert_eq!(told, [("Checking", AccountType::Checking, 2), ("Card", AccountType::CreditCard, 1)]);
    let balance = &collected.statements[0].balances[..];
    assert_eq!((balance.len(), balance[0].kind), (1, BalanceKind::Ledger));
    assert_eq!(
        (balance[0].amount, balance[0].as_of.unwrap().to_string()),
        (money("100", "USD"), "2025-02-28".into())
    );
    assert_eq!(collected.summary.rejected, 0);
}

#[test]
fn a_list_of_accounts_is_forgotten_at_its_end() {
    let text =
        "!Option:AutoSwitch\n!Account\nNLast\nTCash\n^\n!Clear:AutoSwitch\n!Type:Bank\nD2/13/2025\nT1\n^\n";
    assert_eq!(read(text).statements[0].head.account.name, None);
}

#[test]
fn a_file_of_ours_tells_the_id_and_the_currency_of_each_account() {
    let account =
        |name: &str, code: &str| format!("!Account\nN{name}\nDTRIBUTARY id-{code} {code}\nTBank\n^\n");
    let text = format!(
        "{}!Type:Bank\nD2026-02-03\nT1.234\nNdep\n^\n{}!Type:Bank\nD2026-02-03\nT1000\n^\n",
        account("Same", "KWD"),
        account("Same", "JPY")
    );
    // Nobody says in which currency it is, as for files that do not.
    let collected = file(&text).read().unwrap();
    let told: Vec<_> = collected
        .statements
        .iter()
        .map(|statement| {
            let AccountHint { bank_id, account_number, name, .. } = &statement.head.account;
            let who = [bank_id, account_number, name].map(|text| text.as_deref().unwrap_or_default());
            (who, statement.rows[0].amount.to_string(), statement.rows[0].check_number.as_deref())
        })
        .collect();
    assert_eq!(
        told,
        [
            (["TRIBUTARY", "id-KWD", "Same"], "1.234 KWD".into(), Some("dep")),
            (["TRIBUTARY", "id-JPY", "Same"], "1000 JPY".into(), None),
        ]
    );
    let theirs = text.replace("TRIBUTARY", "OTHER");
    assert_eq!(file(&theirs).refusal(), "needs_currency");
}

#[test]
fn an_opening_balance_is_a_balance_and_no_row() {
    let opening =
        "D2/13/2025\nT500.00\nPOpening Balance\nL[Checking]\n^\nD2/14/2025\nT-1.00\nPOpening Balance\n^\n";
    for head in ["", "!Account\nNchecking\n^\n"] {
        let collected = read(&format!("{head}!Type:Bank\n{opening}"));
        assert_eq!(collected.booked(), ["2025-02-14 -1.00"]);
        let balance = &collected.statements[0].balances[0];
        assert_eq!((balance.kind, balance.amount), (BalanceKind::Opening, money("500", "USD")));
        assert_eq!(balance.as_of.unwrap().to_string(), "2025-02-13");
    }
    // From another account it is a transfer, whatever its name.
    let other = read(&format!("!Account\nNSavings\n^\n!Type:Bank\n{opening}"));
    assert_eq!(other.booked(), ["2025-02-13 500.00", "2025-02-14 -1.00"]);
}

#[test]
fn splits_add_up_or_are_told_in_the_memo() {
    let row = only(&bank("D2/13/2025\nT-30.00\nLFood\nSFood\nEbread\n$-10.00\nS[Cash]\n$-20.00"));
    let splits: Vec<_> = row
        .splits
        .iter()
        .map(|split| (split.amount.amount(), split.category.as_deref(), split.memo.as_deref()))
        .collect();
    assert_eq!(
        splits,
        [("-10.00".into(), Some("Food"), Some("bread")), ("-20.00".into(), Some("[Cash]"), None)]
    );
    for (parts, told) in [
        ("SFood\nEbread\n$-10.00\nSRent\n$-19.99", "Food bread -10.00; Rent -19.99"),
        ("SFood\n%40\nSRent\n$-30.00", "Food; Rent -30.00"),
        ("SFood\n$x", "Food x"),
    ] {
        let row = only(&bank(&format!("D2/13/2025\nT-30.00\nMnote\n{parts}")));
        assert_eq!((row.splits.len(), row.amount), (0, money("-30", "USD")));
        assert_eq!(row.memo, Some(format!("note\nsplits that do not add up: {told}")));
    }
}

#[test]
fn date_order_and_decimal_mark_are_decided_by_the_whole_file() {
    let records = |dates: &[&str], amount: &str| -> String {
        dates.iter().map(|date| format!("D{date}\nT{amount}\n^\n")).collect()
    };
    let text = |dates: &[&str], amount: &str| format!("!Type:Bank\n{}", records(dates, amount));
    let first = |dates: &[&str], amount: &str| read(&text(dates, amount)).booked()[0].clone();
    assert_eq!(first(&["2/3'25", "31/12'24"], "1.234,5"), "2025-03-02 1234.50");
    assert_eq!(first(&["2/3/25", "12/31/24"], "1,234.5"), "2025-02-03 1234.50");
    assert_eq!(first(&["2.3.25"], "1.234"), "2025-03-02 1234.00");
    assert_eq!(first(&["2025-03-02"], "-7"), "2025-03-02 -7.00");
    assert_eq!(
        file(&text(&["13/1/25", "1/13/25", "1/2/25"], "1")).currency("USD").refusal(),
        "ambiguous_dates"
    );
}

#[test]
fn ambiguous_dates_are_asked_for_and_the_mapping_answers() {
    let text = "!Type:Bank\nD1/ 2'25\nT1\n^\nD5/5'25\nT2\n^\n";
    let Err(FormatError::AmbiguousDates(ambiguous)) = file(text).currency("USD").read() else { panic!() };
    assert_eq!((ambiguous.day_first.as_str(), ambiguous.month_first.as_str()), ("2025-02-01", "2025-01-02"));
    for (order, day) in [(DateOrder::DayFirst, "2025-02-01 1.00"), (DateOrder::MonthFirst, "2025-01-02 1.00")]
    {
        let mapping = Mapping { date_order: Some(order), ..ambiguous.mapping.clone() };
        assert_eq!(file(text).currency("USD").mapping(mapping).read().unwrap().booked()[0], day);
    }
}

#[test]
fn a_currency_must_be_told() {
    let text = bank("D2/13/2025\nT1");
    assert_eq!(file(&text).refusal(), "needs_currency");
    let mapping = Mapping { currency: Some(crate::support::currency("CHF")), ..qif::mapping() };
    assert_eq!(file(&text).mapping(mapping).read().unwrap().statements[0].head.currency.code(), "CHF");
}

/// An investment register with one record.
fn invest(record: &str) -> Row {
    only(&format!("!Account\nNBroker\nTInvst\n^\n!Type:Invst\nD2/13/2025\n{record}\n^\n"))
}

#[test]
fn actions_say_what_becomes_of_cash_and_units() {
    use TradeAction::{Buy, Closure, Expense, Income, Reinvest, ReturnOfCapital, Sell, Transfer};
    let cases: [(&str, Option<TradeAction>, &str, Option<&str>); 15] = [
        ("Buy", Some(Buy), "-100.00", Some("10.5")),
        ("Sell", Some(Sell), "100.00", Some("-10.5")),
        ("ShtSell", Some(Sell), "100.00", Some("-10.5")),
        ("CvrShrt", Some(Buy), "-100.00", Some("10.5")),
        ("Div", Some(Income), "100.00", Some("10.5")),
        ("IntInc", Some(Income), "100.00", Some("10.5")),
        ("CGLong", Some(Income), "100.00", Some("10.5")),
        ("ReinvDiv", Some(Reinvest), "0.00", Some("10.5")),
        ("ShrsIn", Some(Transfer), "0.00", Some("10.5")),
        ("ShrsOut", Some(Transfer), "0.00", Some("-10.5")),
        ("StkSplit", Some(TradeAction::Split), "0.00", Some("10.5")),
        ("MiscExp", Some(Expense), "-100.00", Some("10.5")),
        ("RtrnCap", Some(ReturnOfCapital), "100.00", Some("10.5")),
        ("Expire", Some(Closure), "0.00", Some("-10.5")),
        ("XOut", None, "-100.00", None),
    ];
    for (word, action, cash, units) in cases {
        let row = invest(&format!("N{word}\nYAcme Inc\nI9.50\nQ10.500\nO0.25\nT100.00"));
        assert_eq!(row.amount.amount(), cash, "{word}");
        let trade = row.trade.as_deref();
        assert_eq!(trade.map(|trade| trade.action), action, "{word}");
        assert_eq!(trade.and_then(|trade| trade.units.as_deref()), units, "{word}");
    }
    let trade = *invest("NBuy\nYAcme Inc\nI9.50\nQ1,000\nO0.25\nT9,500.25\nMnote").trade.unwrap();
    assert_eq!(
        (trade.security_name.as_deref(), trade.unit_price.as_deref()),
        (Some("Acme Inc"), Some("9.5"))
    );
    assert_eq!((trade.units.as_deref(), trade.fees), (Some("1000"), Some(money("0.25", "USD"))));
}

#[test]
fn an_action_with_x_takes_its_money_from_another_account() {
    for (word, own, other) in
        [("BuyX", "-100.00", "100.00"), ("SellX", "100.00", "-100.00"), ("DivX", "100.00", "-100.00")]
    {
        let row = invest(&format!("N{word}\nYAcme Inc\nQ10\nT100.00\nL[Checking]\n$100.00"));
        assert_eq!((row.amount, row.category.as_deref()), (money("0", "USD"), Some("[Checking]")), "{word}");
        let splits: Vec<_> =
            row.splits.iter().map(|split| (split.amount.amount(), split.category.as_deref())).collect();
        assert_eq!(splits, [(own.to_owned(), None), (other.to_owned(), Some("[Checking]"))], "{word}");
    }
    let row = invest("NXIn\nT50.00\nL[Checking]\n$50.00");
    assert_eq!((row.amount, row.kind, row.trade), (money("50", "USD"), RowKind::Transfer, None));
}

#[test]
fn records_that_are_no_rows_are_rejected_with_line_and_reason() {
    let text = "!Type:Bank\nT1.00\n^\nDsoon\nT1.00\n^\nD2/13/2025\n^\nD2/13/2025\nT1.2x\n^\nD2/13/2025\nT1.005\n^\n\
                !Type:Invst\nD2/13/2025\nNFoo\nT1\n^\nD2/13/2025\nNReminder\n^\nD2/13/2025\nNBuy\nYA\n^\n";
    assert_eq!(
        read(text).rejections(),
        [
            "2 missing_date",
            "4 malformed_date",
            "7 missing_amount",
            "9 malformed_amount",
            "12 amount_too_precise",
            "16 unknown_direction",
            "20 not_a_transaction",
            "23 missing_amount"
        ]
    );
}

#[test]
fn every_truncation_amid_a_record_is_told() {
    let text = "!Account\nNChecking\nTBank\n^\n!Type:Bank\nD2/13/2025\nT1.00\n^\nD2/14/2025\nT-20.00\n^\n";
    for length in 0..text.len() {
        match file(&text[..length]).currency("USD").read() {
            // A file that ends between two records is whole, as far as anybody can tell.
            Ok(collected) => {
                let is_between =
                    text[..length].trim_end().ends_with('^') || text[..length].trim_end().ends_with('k');
                let in_header = text[..length].lines().last().is_some_and(|line| line.starts_with('!'));
                assert!(is_between || in_header, "{length}: {collected:?}");
            }
            Err(error) => {
                let known = ["empty_file", "unknown_format", "truncated_file"];
                assert!(known.contains(&error.code()), "{length}: {error}");
            }
        }
    }
}

#[test]
fn line_ends_blank_lines_and_a_forgotten_mark_before_a_header_do_not_matter() {
    let text = "!Type:Bank\n\nD2/13/2025\nT1.00\n^\n^\nD2/14/2025\nT2.00\n!Type:Cash\nD2/15/2025\nT3.00\n^\n";
    for text in
        [text.to_owned(), text.replace('\n', "\r\n"), text.replace('\n', "\r"), format!("\u{feff}{text}")]
    {
        assert_eq!(read(&text).booked(), ["2025-02-13 1.00", "2025-02-14 2.00", "2025-02-15 3.00"]);
    }
}

#[test]
fn the_format_is_found_by_its_header_and_endless_lines_are_rejected() {
    let text = bank("D2/13/2025\nT1");
    let detection = file(&text).named("a.QIF").detect().unwrap();
    assert_eq!((detection.format, detection.misleading_extension), (Format::Qif, None));
    let long = format!("D2/13/2025\nT1\nM{}\n^\n", "x".repeat(200_000));
    let many = format!("D2/13/2025\nT1\n{}^\n", "Mnote of the row\n".repeat(10_000));
    let collected = read(&format!("!Type:Bank\n{long}{many}D2/14/2025\nT2\n^\n"));
    assert_eq!(collected.rejections(), ["2 row_too_long", "6 row_too_long"]);
    assert_eq!(collected.booked(), ["2025-02-14 2.00"]);
}
