//! Entries that hold several payments.

use connections_formats::{Row, RowKind};

use crate::camt_support::{camt, entry};
use crate::support::{file, money};

fn rows(entry: &str) -> Vec<Row> {
    let collected = file(&camt(entry)).read().unwrap();
    assert_eq!(collected.rejections(), Vec::<String>::new());
    collected.rows().cloned().collect()
}

fn detail(amount: &str, name: &str, more: &str) -> String {
    format!(
        "<TxDtls><Amt Ccy=\"EUR\">{amount}</Amt><RltdPties><Cdtr><Pty><Nm>{name}</Nm></Pty></Cdtr></RltdPties>{more}</TxDtls>"
    )
}

fn batch(amount: &str, before: &str, details: &[String]) -> String {
    entry("DBIT", amount, &format!("{before}<NtryDtls>{}</NtryDtls>", details.concat()))
}

/// Amount and name of each row.
fn told(rows: &[Row]) -> Vec<String> {
    rows.iter().map(|row| format!("{} {}", row.amount.amount(), row.name.as_deref().unwrap_or("-"))).collect()
}

fn charge(amount: &str, direction: &str) -> String {
    format!("<Chrgs><Rcrd><Amt Ccy=\"EUR\">{amount}</Amt><CdtDbtInd>{direction}</CdtDbtInd></Rcrd></Chrgs>")
}

#[test]
fn details_that_add_up_are_rows_of_their_own() {
    let details = [detail("60.00", "Club", ""), detail("35.50", "School", "")];
    assert_eq!(told(&rows(&batch("95.50", "", &details))), ["-60.00 Club", "-35.50 School"]);
    let text = batch("95.50", "", &details);
    let apart = text.replace("</TxDtls><TxDtls>", "</TxDtls></NtryDtls><NtryDtls><TxDtls>");
    assert_eq!(told(&rows(&apart)), ["-60.00 Club", "-35.50 School"], "in lists of their own");
}

#[test]
fn each_row_of_a_batch_names_the_line_of_its_detail() {
    let text = batch("3", "", &[detail("1", "A", ""), format!("\n{}", detail("2", "B", ""))]);
    let lines: Vec<_> = rows(&text).iter().map(|row| row.line).collect();
    assert_eq!(lines, [4, 5]);
}

#[test]
fn details_that_go_both_ways_are_added_with_their_signs() {
    let back = detail("20.00", "Shop", "<CdtDbtInd>CRDT</CdtDbtInd>");
    let text = batch("40.00", "", &[detail("60.00", "Club", ""), back]);
    assert_eq!(rows(&text).iter().map(|row| row.amount.amount()).collect::<Vec<_>>(), ["-60.00", "20.00"]);
}

#[test]
fn details_that_do_not_add_up_leave_one_row_that_tells_them() {
    let details =
        [detail("20.00", "Bakery", ""), detail("30.00", "Butcher", "<RmtInf><Ustrd>Roast</Ustrd></RmtInf>")];
    for amount in ["49.99", "50.01", "500"] {
        let rows = rows(
            &batch(amount, "", &details)
                .replace("</NtryDtls>", "</NtryDtls><AddtlNtryInf>Collective</AddtlNtryInf>"),
        );
        assert_eq!(rows.len(), 1);
        assert_eq!(rows[0].amount, money(&format!("-{amount}"), "EUR"));
        assert_eq!(
            (rows[0].name.as_deref(), rows[0].memo.as_deref()),
            (Some("Collective"), Some("Bakery; Butcher Roast"))
        );
    }
}

#[test]
fn a_detail_without_an_amount_or_in_another_currency_leaves_the_entry_whole() {
    let other = detail("30.00", "Butcher", "").replace("\"EUR\"", "\"USD\"");
    let bare = "<TxDtls><RmtInf><Ustrd>?</Ustrd></RmtInf></TxDtls>".to_owned();
    for second in [other, bare] {
        assert_eq!(rows(&batch("50.00", "", &[detail("20.00", "Bakery", ""), second])).len(), 1);
    }
}

#[test]
fn a_detail_alone_tells_of_the_entry_whose_amount_counts() {
    let rows = rows(&batch("50.00", "", &[detail("20.00", "Bakery", "")]));
    assert_eq!(told(&rows), ["-50.00 Bakery"]);
}

#[test]
fn charges_of_details_are_part_of_them_where_that_makes_the_sum() {
    let details = [detail("60.00", "Club", &charge("0.50", "DBIT")), detail("35.00", "School", "")];
    assert_eq!(told(&rows(&batch("95.50", "", &details))), ["-60.50 Club", "-35.00 School"]);
    assert_eq!(told(&rows(&batch("95.00", "", &details))), ["-60.00 Club", "-35.00 School"]);
    let included = charge("0.50", "DBIT").replace("</Rcrd>", "<ChrgInclInd>true</ChrgInclInd></Rcrd>");
    let details = [detail("60.00", "Club", &included), detail("35.00", "School", "")];
    assert_eq!(told(&rows(&batch("95.00", "", &details))), ["-60.00 Club", "-35.00 School"]);
    assert_eq!(rows(&batch("95.50", "", &details)).len(), 1, "they would count twice");
}

#[test]
fn charges_of_the_entry_are_a_row_of_their_own() {
    let reference = "<AcctSvcrRef>B1</AcctSvcrRef>";
    let before = format!("{reference}{}", charge("3.00", "DBIT"));
    let rows = rows(&batch("98.50", &before, &[detail("60.00", "Club", ""), detail("35.50", "School", "")]));
    assert_eq!(told(&rows), ["-60.00 Club", "-35.50 School", "-3.00 -"]);
    assert_eq!((rows[2].kind, rows[2].memo.as_deref()), (RowKind::Fee, Some("Charges")));
    let ids: Vec<_> = rows.iter().map(|row| row.external_id.as_deref().unwrap()).collect();
    assert_eq!(ids, ["B1/1", "B1/2", "B1/3"]);
}

#[test]
fn rows_of_a_batch_have_ids_of_their_own() {
    let with = |id: &str| format!("<Refs><AcctSvcrRef>{id}</AcctSvcrRef></Refs>");
    let details = [detail("1", "A", &with("D1")), detail("2", "B", &with("E1")), detail("3", "C", "")];
    let rows = rows(&batch("6", "<AcctSvcrRef>E1</AcctSvcrRef>", &details));
    let ids: Vec<_> = rows.iter().map(|row| row.external_id.as_deref().unwrap()).collect();
    assert_eq!(ids, ["D1", "E1/2", "E1/3"]);
}

#[test]
fn version_02_names_the_amounts_of_details_otherwise() {
    let detail = |amount: &str, name: &str| {
        detail(amount, name, "")
            .replace("<Amt Ccy", "<AmtDtls><TxAmt><Amt Ccy")
            .replace("</Amt>", "</Amt></TxAmt></AmtDtls>")
    };
    let rows = rows(&batch("3.00", "", &[detail("1", "A"), detail("2", "B")]));
    assert_eq!(told(&rows), ["-1.00 A", "-2.00 B"]);
    assert_eq!(rows[0].original, None);
}

#[test]
fn a_batch_of_many_thousands_comes_as_its_details() {
    let details: Vec<_> = (0..20_000).map(|n| detail("0.01", &format!("P{n}"), "")).collect();
    let rows = rows(&batch("200.00", "", &details));
    assert_eq!((rows.len(), rows[19_999].name.as_deref()), (20_000, Some("P19999")));
}

#[test]
fn a_batch_that_is_too_large_to_be_kept_comes_as_its_entry() {
    let memo = format!("<RmtInf><Ustrd>{}</Ustrd></RmtInf>", "x".repeat(60_000));
    let details: Vec<_> = (0..600).map(|_| detail("1.00", "P", &memo)).collect();
    let rows = rows(&batch("600.00", "", &details));
    assert_eq!(told(&rows), ["-600.00 -"]);
}
