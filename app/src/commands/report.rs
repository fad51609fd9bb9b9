//! What became of imported files, as tables for people.

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};
use connections_api::{FileRow, Import, ImportReport, Mapping, Outcomes, Suggestion};
use kernel::Money;
use ledger_api::Account;
use serde::Serialize;
use serde_json::Value;

/// All that a report tells: the accounts, the rows that were not taken, and what became of what was pending.
pub(super) fn whole(report: &ImportReport) -> String {
    let lists = [rejected(report), suspicious(report), suggestions(report)].into_iter().flatten();
    let tables = std::iter::once(accounts_of(report)).chain(lists).map(|table| table.to_string());
    let gone = (report.pending_removed > 0).then(|| {
        format!(
            "pending and gone, because the file covers their day without them: {}",
            report.pending_removed
        )
    });
    tables.chain(gone).collect::<Vec<_>>().join("\n")
}

/// One line per account of a file: how its rows ended, what it holds, and how far that is from what the bank says.
fn accounts_of(report: &ImportReport) -> Table {
    let mut table = table(&[
        "account",
        "read",
        "created",
        "updated",
        "matched",
        "duplicate",
        "rejected",
        "before",
        "balance",
        "drift",
    ]);
    for account in &report.accounts {
        let Outcomes { read, created, updated, matched, duplicate, rejected } = account.outcomes;
        let opened = if account.opened { " (new)" } else { "" };
        table.add_row([
            format!("{}{opened}", account.name),
            read.to_string(),
            created.to_string(),
            updated.to_string(),
            matched.to_string(),
            duplicate.to_string(),
            rejected.to_string(),
            account.booked_before.to_string(),
            account.booked_after.to_string(),
            drift(account.drift.map(|drift| drift.difference)),
        ]);
    }
    right(&mut table, 1..10);
    table
}

/// How a table was read, in one line; much of it is a guess, so people are shown it.
pub(super) fn mapping(mapping: &Mapping) -> String {
    let mut said = Vec::new();
    name_columns("", &serde_json::to_value(&mapping.columns).unwrap_or_default(), &mut said);
    said.extend(mapping.date_order.map(|order| format!("dates {}", word(&order).replace('_', " "))));
    said.extend(mapping.decimal_mark.map(|mark| format!("decimal {}", word(&mark))));
    said.extend(mapping.invert_sign.then(|| "signs the other way round".to_owned()));
    said.join(", ")
}

fn name_columns(what: &str, column: &Value, said: &mut Vec<String>) {
    match column {
        Value::Object(columns) => columns.iter().for_each(|(what, column)| name_columns(what, column, said)),
        Value::Array(columns) => columns.iter().for_each(|column| name_columns(what, column, said)),
        Value::String(_) | Value::Number(_) => said.push(format!("{what} {column}")),
        _ => {}
    }
}

/// The API's word for a value of few.
fn word(value: &impl Serialize) -> String {
    let word = serde_json::to_value(value).unwrap_or_default();
    word.as_str().unwrap_or_default().to_owned()
}

/// One line per account of the ledger.
pub(super) fn balances(accounts: &[Account]) -> Table {
    let mut table = table(&["account", "number", "kind", "balance", "bank says", "as of", "drift"]);
    for account in accounts {
        table.add_row([
            account.name.clone(),
            account.number_mask.clone().unwrap_or_default(),
            word(&account.kind),
            account.booked.to_string(),
            account.drift.map_or_else(String::new, |drift| drift.stated.to_string()),
            account.drift.map_or_else(String::new, |drift| drift.as_of.to_string()),
            drift(account.drift.map(|drift| drift.difference)),
        ]);
    }
    right(&mut table, 3..7);
    table
}

/// The rows that were not taken, with their lines and reasons.
fn rejected(report: &ImportReport) -> Option<Table> {
    let rows = report.rejected.iter().map(|row| (row.line, &row.code, &row.reason));
    reasons("why it was not taken", rows)
}

/// New rows that are taken and should be looked at.
fn suspicious(report: &ImportReport) -> Option<Table> {
    let rows = report.suspicious.iter().map(|row| (row.line, &row.code, &row.reason));
    reasons("why to look at it", rows)
}

/// Lines with their codes and reasons; nothing where there are none.
fn reasons<'a>(why: &str, rows: impl Iterator<Item = (u32, &'a String, &'a String)>) -> Option<Table> {
    let mut table = table(&["line", "code", why]);
    rows.for_each(|(line, code, reason)| {
        table.add_row([&line.to_string(), code, reason]);
    });
    (!table.is_empty()).then_some(table)
}

/// New rows that may be what was pending: that stays until somebody says so.
fn suggestions(report: &ImportReport) -> Option<Table> {
    let mut table = table(&["line", "booked", "may be the pending", "transaction"]);
    for row in &report.suggestions {
        let Suggestion { line, amount, transaction_id, pending } = row;
        table.add_row([
            line.to_string(),
            amount.to_string(),
            pending.to_string(),
            transaction_id.to_string(),
        ]);
    }
    right(&mut table, 1..3);
    (!report.suggestions.is_empty()).then_some(table)
}

/// One line per import.
pub(super) fn imports(imports: &[Import]) -> Table {
    let mut table = table(&["id", "state", "file", "uploaded", "read", "created"]);
    for import in imports {
        let outcomes = import.report.as_ref().map(|report| report.outcomes);
        let count = |count: Option<u64>| count.map_or_else(String::new, |count| count.to_string());
        table.add_row([
            import.id.to_string(),
            import.state.to_string(),
            import.file_name.clone().unwrap_or_default(),
            import.created_at.format("%Y-%m-%d %H:%M").to_string(),
            count(outcomes.map(|outcomes| outcomes.read)),
            count(outcomes.map(|outcomes| outcomes.created)),
        ]);
    }
    right(&mut table, 4..6);
    table
}

/// One line per row of a file.
pub(super) fn rows(rows: &[FileRow]) -> Table {
    let mut table = table(&["line", "outcome", "date", "amount", "name", "why"]);
    for row in rows {
        table.add_row([
            row.line.to_string(),
            word(&row.outcome),
            row.posted_on.map_or_else(String::new, |day| day.to_string()),
            row.amount.map_or_else(String::new, |amount| amount.to_string()),
            row.name.clone().unwrap_or_default(),
            row.reason.clone().unwrap_or_default(),
        ]);
    }
    right(&mut table, 3..4);
    table
}

fn drift(difference: Option<Money>) -> String {
    match difference {
        None => "nothing stated".to_owned(),
        Some(difference) if difference.minor() == 0 => "none".to_owned(),
        Some(difference) => difference.to_string(),
    }
}

pub(super) fn table(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_HORIZONTAL_ONLY).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(header.iter().copied());
    table
}

pub(super) fn right(table: &mut Table, columns: std::ops::Range<usize>) {
    for column in columns {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
}
