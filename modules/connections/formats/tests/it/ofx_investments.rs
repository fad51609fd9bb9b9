use chrono::NaiveDate;
use connections_formats::{AccountType, BalanceKind, Row, RowKind, Trade, TradeAction};

use crate::support::{Collected, file, investments, money};

/// What every transaction begins with, but for its security.
const HEAD: &str = "<INVTRAN><FITID>t1<DTTRADE>20250303<DTSETTLE>20250305<MEMO>a note</INVTRAN>";
const ACME: &str = "<SECID><UNIQUEID>000000001<UNIQUEIDTYPE>CUSIP</SECID>";

fn read(list: &str) -> Collected {
    file(&investments(list)).read().unwrap()
}

fn only_row(list: &str) -> Row {
    let collected = read(list);
    assert_eq!(collected.rejections(), Vec::<String>::new());
    let mut rows: Vec<_> = collected.rows().cloned().collect();
    assert_eq!(rows.len(), 1, "{rows:?}");
    rows.remove(0)
}

/// Name, amount, kind, action and units of the one row.
fn told(list: &str) -> (String, String, RowKind, Option<TradeAction>, Option<String>) {
    let row = only_row(list);
    let trade = row.trade.as_ref();
    let (action, units) = (trade.map(|trade| trade.action), trade.and_then(|trade| trade.units.clone()));
    (row.name.unwrap(), row.amount.amount(), row.kind, action, units)
}

fn expected(
    name: &str,
    amount: &str,
    kind: RowKind,
    action: Option<TradeAction>,
    units: Option<&str>,
) -> (String, String, RowKind, Option<TradeAction>, Option<String>) {
    (name.into(), amount.into(), kind, action, units.map(str::to_owned))
}

fn halves(row: &Row) -> Vec<(String, String)> {
    row.splits.iter().map(|split| (split.memo.clone().unwrap(), split.amount.amount())).collect()
}

#[test]
fn a_purchase_has_its_dates_cash_units_price_charges_and_security() {
    let row = only_row(&format!(
        "<BUYSTOCK><INVBUY>{HEAD}{ACME}<UNITS>+00010.500<UNITPRICE>000019.25<COMMISSION>7.95<FEES>0.05<TAXES>1.00\
         <TOTAL>-211.13<SUBACCTSEC>CASH<SUBACCTFUND>CASH</INVBUY><BUYTYPE>BUY</BUYSTOCK>"
    ));
    let day = |day| NaiveDate::from_ymd_opt(2025, 3, day);
    assert_eq!((Some(row.posted_on), row.occurred_on, row.value_on), (day(3), day(3), day(5)));
    assert_eq!((row.amount, row.kind), (money("-211.13", "USD"), RowKind::Other));
    assert_eq!((row.external_id.as_deref(), row.memo.as_deref()), (Some("t1"), Some("a note")));
    assert_eq!(row.name.as_deref(), Some("Buy 10.5 Acme Widgets & Co"));
    let trade = Trade {
        action: TradeAction::Buy,
        security_id: Some("000000001".into()),
        security_id_type: Some("CUSIP".into()),
        ticker: Some("ACME".into()),
        security_name: Some("Acme Widgets & Co".into()),
        units: Some("10.5".into()),
        unit_price: Some("19.25".into()),
        fees: Some(money("9", "USD")),
    };
    assert_eq!(row.trade.as_deref(), Some(&trade));
}

#[test]
fn purchases_and_sales_of_every_kind_move_cash_and_units() {
    use TradeAction::{Buy, Sell};
    let trade = |element: &str, inside: &str, units: &str, total: &str, word: &str| {
        told(&format!(
            "<{element}><{inside}>{HEAD}{ACME}<UNITS>{units}<UNITPRICE>10<TOTAL>{total}</{inside}>{word}</{element}>"
        ))
    };
    for (element, word, verb) in [
        ("BUYDEBT", "<ACCRDINT>1.00", "Buy"),
        ("BUYMF", "<BUYTYPE>BUY", "Buy"),
        ("BUYOPT", "<OPTBUYTYPE>BUYTOOPEN<SHPERCTRCT>100", "Buy to open"),
        ("BUYOPT", "<OPTBUYTYPE>BUYTOCLOSE<SHPERCTRCT>100", "Buy to close"),
        ("BUYOTHER", "", "Buy"),
        ("BUYSTOCK", "<BUYTYPE>buytocover", "Buy to cover"),
    ] {
        let name = format!("{verb} 2 Acme Widgets & Co");
        let row = expected(&name, "-20.00", RowKind::Other, Some(Buy), Some("2"));
        assert_eq!(trade(element, "INVBUY", "2", "-20", word), row, "{element}");
    }
    for (element, word, verb) in [
        ("SELLDEBT", "<SELLREASON>MATURITY", "Matured"),
        ("SELLDEBT", "<SELLREASON>CALL", "Called"),
        ("SELLMF", "<SELLTYPE>SELL   ", "Sell"),
        ("SELLOPT", "<OPTSELLTYPE>SELLTOOPEN<SHPERCTRCT>100", "Sell to open"),
        ("SELLOTHER", "", "Sell"),
        ("SELLSTOCK", "<SELLTYPE>SELLSHORT", "Sell short"),
    ] {
        let name = format!("{verb} 2 Acme Widgets & Co");
        let row = expected(&name, "20.00", RowKind::Other, Some(Sell), Some("-2"));
        assert_eq!(trade(element, "INVSELL", "-2", "20", word), row, "{element}");
    }
}

#[test]
fn units_that_a_bank_forgot_to_sign_are_signed_by_the_money() {
    let units = |element: &str, units: &str, total: &str| {
        told(&format!("<{element}>{HEAD}{ACME}<UNITS>{units}<TOTAL>{total}</{element}>")).4.unwrap()
    };
    assert_eq!(units("SELLSTOCK", "2", "20"), "-2");
    assert_eq!(units("BUYSTOCK", "-2", "-20"), "2");
    // Charges may eat up a sale, and what is taken back runs the other way.
    assert_eq!(units("SELLSTOCK", "-2", "-0.50"), "-2");
    assert_eq!(units("BUYSTOCK", "-2", "20"), "-2");
}

#[test]
fn income_and_expenses_have_their_kind_and_name() {
    use RowKind::{Dividend, Fee, Interest, Other};
    let income = |word: &str| told(&format!("<INCOME>{HEAD}{ACME}<INCOMETYPE>{word}<TOTAL>5.53</INCOME>"));
    for (word, kind, verb) in [
        ("DIV", Dividend, "Dividend"),
        ("INTEREST", Interest, "Interest"),
        ("CGLONG", Dividend, "Long-term gain"),
        ("CGSHORT", Dividend, "Short-term gain"),
        ("MISC", Other, "Income"),
    ] {
        let name = format!("{verb} Acme Widgets & Co");
        assert_eq!(income(word), expected(&name, "5.53", kind, Some(TradeAction::Income), None));
    }
    let expense = told(&format!("<INVEXPENSE>{HEAD}{ACME}<TOTAL>-2.50</INVEXPENSE>"));
    let action = Some(TradeAction::Expense);
    assert_eq!(expense, expected("Expense Acme Widgets & Co", "-2.50", Fee, action, None));
    let capital = told(&format!("<RETOFCAP>{HEAD}{ACME}<TOTAL>40</RETOFCAP>"));
    let action = Some(TradeAction::ReturnOfCapital);
    assert_eq!(capital, expected("Return of capital Acme Widgets & Co", "40.00", Other, action, None));
    let margin = told(&format!("<MARGININTEREST>{HEAD}<TOTAL>-1.10<SUBACCTFUND>MARGIN</MARGININTEREST>"));
    assert_eq!(margin, expected("Margin interest", "-1.10", Interest, None, None));
}

#[test]
fn reinvested_income_moves_no_cash_and_keeps_both_its_halves() {
    let reinvest = |total: &str, units: &str| {
        only_row(&format!(
            "<REINVEST>{HEAD}{ACME}<INCOMETYPE>DIV<TOTAL>{total}<SUBACCTSEC>CASH<UNITS>{units}<UNITPRICE>20</REINVEST>"
        ))
    };
    let pair =
        |came: &str, went: &str| vec![("Income".into(), came.into()), ("Reinvested".into(), went.into())];
    for total in ["-22.50", "22.50"] {
        let row = reinvest(total, "1.125");
        assert_eq!((row.amount, row.kind), (money("0", "USD"), RowKind::Dividend));
        assert_eq!(row.name.as_deref(), Some("Reinvest dividend 1.125 Acme Widgets & Co"));
        assert_eq!(halves(&row), pair("22.50", "-22.50"));
        assert_eq!(row.trade.unwrap().units.as_deref(), Some("1.125"));
    }
    assert_eq!(halves(&reinvest("22.50", "-1.125")), pair("-22.50", "22.50"), "taken back");
}

#[test]
fn what_moves_units_only_moves_no_cash() {
    use RowKind::{Other, Transfer};
    let transfer = |way: &str, units: &str| {
        told(&format!(
            "<TRANSFER>{HEAD}{ACME}<SUBACCTSEC>CASH<UNITS>{units}<TFERACTION>{way}<POSTYPE>LONG<INVACCTFROM>\
             <BROKERID>elsewhere.example<ACCTID>999</INVACCTFROM><UNITPRICE>20</TRANSFER>"
        ))
    };
    let action = Some(TradeAction::Transfer);
    let name = |way: &str| format!("Transfer {way} 3 Acme Widgets & Co");
    assert_eq!(transfer("IN", "3"), expected(&name("in"), "0.00", Transfer, action, Some("3")));
    for units in ["-3", "3"] {
        assert_eq!(transfer("OUT", units), expected(&name("out"), "0.00", Transfer, action, Some("-3")));
    }
    let closure = |word: &str| {
        told(&format!("<CLOSUREOPT>{HEAD}{ACME}<OPTACTION>{word}<UNITS>-1<SHPERCTRCT>100</CLOSUREOPT>"))
    };
    for (word, verb) in [("EXERCISE", "Exercise"), ("ASSIGN", "Assignment"), ("EXPIRE", "Expiry")] {
        let name = format!("{verb} 1 Acme Widgets & Co");
        assert_eq!(closure(word), expected(&name, "0.00", Other, Some(TradeAction::Closure), Some("-1")));
    }
}

#[test]
fn a_split_brings_the_difference_and_the_cash_for_fractions() {
    let split = |cash: &str| {
        told(&format!(
            "<SPLIT>{HEAD}{ACME}<SUBACCTSEC>CASH<OLDUNITS>100<NEWUNITS>150.0<NUMERATOR>3<DENOMINATOR>2{cash}</SPLIT>"
        ))
    };
    let row = |cash: &str| {
        let action = Some(TradeAction::Split);
        expected("Split 3:2 Acme Widgets & Co", cash, RowKind::Other, action, Some("50"))
    };
    assert_eq!(split(""), row("0.00"));
    assert_eq!(split("<FRACCASH>4.80<SUBACCTFUND>CASH"), row("4.80"));
}

#[test]
fn journals_between_sub_accounts_leave_the_account_as_it_was() {
    let way = "<SUBACCTTO>MARGIN<SUBACCTFROM>CASH";
    let fund = only_row(&format!("<JRNLFUND>{HEAD}{way}<TOTAL>100.00</JRNLFUND>"));
    assert_eq!((fund.amount, fund.trade.as_ref()), (money("0", "USD"), None));
    assert_eq!(fund.name.as_deref(), Some("Journal from CASH to MARGIN"));
    assert_eq!(
        halves(&fund),
        [("To MARGIN".into(), "100.00".into()), ("From CASH".into(), "-100.00".into())]
    );
    let units = told(&format!("<JRNLSEC>{HEAD}{ACME}{way}<UNITS>10</JRNLSEC>"));
    let name = "Journal 10 Acme Widgets & Co from CASH to MARGIN";
    assert_eq!(units, expected(name, "0.00", RowKind::Transfer, Some(TradeAction::Other), None));
}

#[test]
fn bank_rows_of_an_investment_statement_are_rows_without_a_trade() {
    let row = only_row(
        "<INVBANKTRAN><STMTTRN><TRNTYPE>DEP<DTPOSTED>20250304<TRNAMT>500<FITID>b1<NAME>Deposit</STMTTRN>\
         <SUBACCTFUND>CASH</INVBANKTRAN>",
    );
    assert_eq!((row.amount, row.trade), (money("500", "USD"), None));
}

#[test]
fn the_row_that_a_trade_takes_back_is_not_lost() {
    let row = only_row(&format!(
        "<SELLMF><INVSELL><INVTRAN><FITID>t2<DTTRADE>20250303<REVERSALFITID>t1</INVTRAN>{ACME}<UNITS>2<TOTAL>-20\
         </INVSELL></SELLMF>"
    ));
    assert_eq!((row.reference.as_deref(), row.corrects), (Some("t1"), None));
}

#[test]
fn amounts_in_another_currency_say_so() {
    let row = only_row(&format!(
        "<BUYSTOCK><INVBUY>{HEAD}{ACME}<UNITS>2<UNITPRICE>10<COMMISSION>1<TOTAL>-21<CURRENCY><CURRATE>1.1<CURSYM>EUR\
         </CURRENCY></INVBUY></BUYSTOCK>"
    ));
    assert_eq!((row.amount, row.trade.unwrap().fees), (money("-21", "EUR"), Some(money("1", "EUR"))));
    let row = only_row(&format!(
        "<INCOME>{HEAD}{ACME}<TOTAL>21<ORIGCURRENCY><CURRATE>1.1<CURSYM>EUR</ORIGCURRENCY></INCOME>"
    ));
    assert_eq!((row.amount, row.original.unwrap().currency.code()), (money("21", "USD"), "EUR"));
}

#[test]
fn trades_that_are_none_are_rejected_by_their_fault_and_the_others_are_read() {
    for (row, code) in [
        (format!("<BUYMF>{HEAD}{ACME}<UNITS>2</BUYMF>"), "missing_amount"),
        (format!("<BUYMF>{HEAD}{ACME}<UNITS>2<TOTAL>lots</BUYMF>"), "malformed_amount"),
        (format!("<BUYMF>{HEAD}{ACME}<UNITS>two<TOTAL>-20</BUYMF>"), "malformed_amount"),
        (format!("<BUYMF>{HEAD}{ACME}<UNITS>2<UNITPRICE>1e3<TOTAL>-20</BUYMF>"), "malformed_amount"),
        (format!("<BUYMF>{HEAD}{ACME}<UNITS>2<TOTAL>-20.001</BUYMF>"), "amount_too_precise"),
        (format!("<BUYMF><INVTRAN><FITID>1</INVTRAN>{ACME}<UNITS>2<TOTAL>-20</BUYMF>"), "missing_date"),
        (
            format!("<INCOME>{HEAD}{ACME}<TOTAL>1<CURRENCY><CURSYM>XXQ</CURRENCY></INCOME>"),
            "unknown_currency",
        ),
        (format!("<LENDSTOCK>{HEAD}{ACME}<TOTAL>1</LENDSTOCK>"), "unsupported_investment_row"),
    ] {
        let good = format!("<INCOME>{HEAD}{ACME}<INCOMETYPE>DIV<TOTAL>5</INCOME>");
        let collected = read(&format!("{row}\n{good}"));
        assert_eq!(collected.rejections(), [format!("3 {code}")], "{row}");
        assert_eq!(collected.booked(), ["2025-03-03 5.00"], "{row}");
    }
}

#[test]
fn charges_with_too_many_decimals_leave_the_trade() {
    let row = only_row(&format!("<BUYMF>{HEAD}{ACME}<UNITS>2<FEES>0.0123<TOTAL>-20</BUYMF>"));
    assert_eq!((row.amount, row.trade.unwrap().fees), (money("-20", "USD"), None));
}

#[test]
fn missing_end_tags_lose_no_trade_no_holding_and_no_balance() {
    let list = format!(
        "<INCOME>{HEAD}{ACME}<TOTAL>1<BUYMF>{HEAD}{ACME}<UNITS>2<TOTAL>-2<SPLIT>{HEAD}{ACME}<INVPOSLIST><POSMF>\
         <INVPOS>{ACME}<UNITS>1<INVPOS>{ACME}<UNITS>2<INVBAL><AVAILCASH>3<MARGINBALANCE>0</INVBAL>"
    );
    let text = investments(&list).replace("</INVTRANLIST>", "");
    let collected = file(&text).read().unwrap();
    assert_eq!(collected.booked(), ["2025-03-03 1.00", "2025-03-03 -2.00", "2025-03-03 0.00"]);
    let statement = &collected.statements[0];
    let units: Vec<_> = statement.positions.iter().map(|position| position.units.as_str()).collect();
    assert_eq!((units, statement.balances.len()), (vec!["1", "2", "12.5", "-3"], 2));
}

#[test]
fn a_security_that_no_list_names_is_told_by_its_number() {
    let list = format!("<INCOME>{HEAD}<SECID><UNIQUEID>DE0001<UNIQUEIDTYPE>ISIN</SECID><TOTAL>1</INCOME>");
    assert_eq!(only_row(&list).name.as_deref(), Some("Income DE0001"));
    // The number of another agency may be the same.
    let list = format!("<INCOME>{HEAD}{}<TOTAL>1</INCOME>", ACME.replace("CUSIP", "WKN"));
    assert_eq!(only_row(&list).name.as_deref(), Some("Income 000000001"));
    assert_eq!(only_row(&format!("<INCOME>{HEAD}<TOTAL>1</INCOME>")).name.as_deref(), Some("Income"));
}

#[test]
fn an_investment_statement_has_its_account_cash_and_holdings() {
    let collected = read("");
    let statement = &collected.statements[0];
    assert_eq!(statement.head.account.account_type, Some(AccountType::Investment));
    assert_eq!(statement.head.account.bank_id.as_deref(), Some("broker.example"));
    assert_eq!(statement.head.account.account_number.as_deref(), Some("I-5"));
    assert_eq!(statement.head.starts_on.unwrap().to_string(), "2025-03-01");
    let [cash] = &statement.balances[..] else { panic!("{:?}", statement.balances) };
    assert_eq!((cash.kind, cash.amount), (BalanceKind::Available, money("250.75", "USD")));
    assert_eq!(cash.as_of, NaiveDate::from_ymd_opt(2025, 3, 31));
    let [long, short] = &statement.positions[..] else { panic!("{:?}", statement.positions) };
    assert_eq!((long.ticker.as_deref(), long.units.as_str()), (Some("ACME"), "12.5"));
    assert_eq!(
        (long.unit_price.as_deref(), long.market_value.as_deref()),
        (Some("20.1234"), Some("251.5425"))
    );
    assert_eq!((long.currency.code(), long.as_of), ("USD", NaiveDate::from_ymd_opt(2025, 3, 28)));
    assert_eq!((short.units.as_str(), short.security_name.as_deref()), ("-3", Some("Acme call 25")));
}

#[test]
fn a_holding_that_cannot_be_read_is_counted() {
    let text = investments("").replace("<UNITS>12.500", "<UNITS>a dozen");
    let summary = file(&text).read().unwrap().summary;
    assert_eq!((summary.positions, summary.unreadable_positions), (1, 1));
}

#[test]
fn pension_plans_are_read_without_their_summaries() {
    let list = format!(
        "<BUYMF><INVBUY>{HEAD}{ACME}<UNITS>1<TOTAL>-20<INV401KSOURCE>PRETAX<LOANID>1<DTPAYROLL>20250228</INVBUY>\
         <BUYTYPE>BUY</BUYMF>"
    );
    let summary = "<INV401K><EMPLOYERNAME>Works<INV401KSUMMARY><YEARTODATE><DTSTART>20240101<DTEND>20241231\
                   <CONTRIBUTIONS><TOTAL>9.00</CONTRIBUTIONS></YEARTODATE></INV401KSUMMARY></INV401K>\
                   <INV401KBAL><CASHBAL>0.0<TOTAL>0.0</INV401KBAL>";
    let text = investments(&list).replace("<INVBAL>", &format!("{summary}<INVBAL>"));
    let collected = file(&text).read().unwrap();
    assert_eq!(collected.booked(), ["2025-03-03 -20.00"]);
    assert_eq!(collected.statements[0].head.ends_on.unwrap().to_string(), "2025-03-31");
    assert_eq!(collected.statements[0].balances.len(), 1);
}

#[test]
fn elements_of_trades_mean_nothing_in_bank_statements() {
    let row = "<STMTTRN><DTPOSTED>20250102<TRNAMT>-1<FITID>1<NAME>Shop<SPLIT><TRANSFER>x<TOTAL>5</STMTTRN>";
    let collected = file(&crate::support::ofx(row)).read().unwrap();
    assert_eq!(collected.booked(), ["2025-01-02 -1.00"]);
}
