//! What the readers say, in the ledger's words.

use connections_formats as formats;
use ledger_api::{
    BalanceKind, Correction, CorrectionAction, Details, Row, Split, Trade, TradeAction, TransactionKind,
    TransactionStatus,
};

use super::original::original_amount;

pub(super) fn row(row: formats::Row) -> Row {
    // What the bank prints first is the name, also where it prints it as free text.
    let (name, memo) = match (row.name, row.memo) {
        (Some(name), memo) => (name, memo),
        (None, memo) => (memo.unwrap_or_default(), None),
    };
    Row {
        occurred_on: row.occurred_on,
        posted_at: row.posted_at,
        original: row.original.as_ref().and_then(|original| original_amount(row.amount, original)),
        kind: kind(row.kind),
        memo,
        check_number: row.check_number,
        external_id: row.external_id,
        corrects: row.corrects.map(|corrects| Correction {
            external_id: corrects.external_id,
            action: match corrects.action {
                formats::CorrectionAction::Replace => CorrectionAction::Replace,
                formats::CorrectionAction::Delete => CorrectionAction::Delete,
            },
        }),
        status: match row.status {
            formats::RowStatus::Booked => TransactionStatus::Booked,
            formats::RowStatus::Pending => TransactionStatus::Pending,
        },
        details: Details {
            value_on: row.value_on,
            reference: row.reference,
            category: row.category,
            splits: row.splits.into_iter().map(split).collect(),
            trade: row.trade.map(|trade| Box::new(self::trade(*trade))),
        },
        ..Row::new(row.posted_on, row.amount, name)
    }
}

fn split(split: formats::Split) -> Split {
    Split { amount: split.amount, category: split.category, memo: split.memo }
}

fn trade(trade: formats::Trade) -> Trade {
    use formats::TradeAction as Read;
    let action = match trade.action {
        Read::Buy => TradeAction::Buy,
        Read::Sell => TradeAction::Sell,
        Read::Reinvest => TradeAction::Reinvest,
        Read::Income => TradeAction::Income,
        Read::Expense => TradeAction::Expense,
        Read::ReturnOfCapital => TradeAction::ReturnOfCapital,
        Read::Transfer => TradeAction::Transfer,
        Read::Split => TradeAction::Split,
        Read::Closure => TradeAction::Closure,
        Read::Other => TradeAction::Other,
    };
    Trade {
        action,
        security_id: trade.security_id,
        security_id_type: trade.security_id_type,
        ticker: trade.ticker,
        security_name: trade.security_name,
        units: trade.units,
        unit_price: trade.unit_price,
        fees: trade.fees,
    }
}

pub(super) fn balance_kind(kind: formats::BalanceKind) -> BalanceKind {
    match kind {
        formats::BalanceKind::Opening => BalanceKind::Opening,
        formats::BalanceKind::Ledger => BalanceKind::Ledger,
        formats::BalanceKind::Available => BalanceKind::Available,
    }
}

/// The mapping as the readers know it, of the one that people see; their JSON is the same.
pub(crate) fn mapping(mapping: &connections_api::Mapping) -> Result<formats::Mapping, serde_json::Error> {
    serde_json::from_value(serde_json::to_value(mapping)?)
}

/// The same way back.
pub(crate) fn shown_mapping(
    mapping: &formats::Mapping,
) -> Result<connections_api::Mapping, serde_json::Error> {
    serde_json::from_value(serde_json::to_value(mapping)?)
}

/// The ledger's report as people see it; its JSON is the same but for the id of the batch, which is the import's.
pub(crate) fn shown_report(
    report: &ledger_api::IngestReport,
) -> Result<connections_api::ImportReport, serde_json::Error> {
    serde_json::from_value(serde_json::to_value(report)?)
}

/// Which rows are wanted, in the ledger's words.
pub(crate) fn row_filter(filter: connections_api::RowFilter) -> ledger_api::RowFilter {
    use connections_api::RowOutcome;
    let outcome = filter.outcome.map(|outcome| match outcome {
        RowOutcome::Created => ledger_api::RowOutcome::Created,
        RowOutcome::Updated => ledger_api::RowOutcome::Updated,
        RowOutcome::Matched => ledger_api::RowOutcome::Matched,
        RowOutcome::Duplicate => ledger_api::RowOutcome::Duplicate,
        RowOutcome::Rejected => ledger_api::RowOutcome::Rejected,
    });
    ledger_api::RowFilter { outcome }
}

/// The ledger's rows as people see them; their JSON is the same.
pub(crate) fn shown_rows(
    page: &kernel::Page<ledger_api::RowReport>,
) -> Result<kernel::Page<connections_api::FileRow>, serde_json::Error> {
    serde_json::from_value(serde_json::to_value(page)?)
}

fn kind(kind: formats::RowKind) -> TransactionKind {
    use formats::RowKind;
    match kind {
        RowKind::Credit => TransactionKind::Credit,
        RowKind::Debit => TransactionKind::Debit,
        RowKind::Interest => TransactionKind::Interest,
        RowKind::Dividend => TransactionKind::Dividend,
        RowKind::Fee => TransactionKind::Fee,
        RowKind::ServiceCharge => TransactionKind::ServiceCharge,
        RowKind::Deposit => TransactionKind::Deposit,
        RowKind::Atm => TransactionKind::Atm,
        RowKind::PointOfSale => TransactionKind::PointOfSale,
        RowKind::Transfer => TransactionKind::Transfer,
        RowKind::Check => TransactionKind::Check,
        RowKind::Payment => TransactionKind::Payment,
        RowKind::Cash => TransactionKind::Cash,
        RowKind::DirectDeposit => TransactionKind::DirectDeposit,
        RowKind::DirectDebit => TransactionKind::DirectDebit,
        RowKind::RepeatPayment => TransactionKind::RepeatPayment,
        RowKind::Hold => TransactionKind::Hold,
        RowKind::Other => TransactionKind::Other,
    }
}

#[cfg(test)]
mod tests {
    use connections_formats::DecimalMark;
    use connections_formats::csv::{AmountColumns, Column, Columns, DateOrder, StatusColumn};
    use kernel::Currency;

    use super::*;

    fn full(amount: AmountColumns, date_order: DateOrder, decimal_mark: DecimalMark) -> formats::Mapping {
        let column = |name: &str| Some(Column::Name(name.into()));
        formats::Mapping {
            delimiter: '\t',
            quote: '\'',
            has_header: true,
            columns: Columns {
                date: Column::Index(0),
                amount,
                fee: column("a"),
                transaction_date: column("b"),
                value_date: column("c"),
                name: column("d"),
                payer: column("e"),
                payee: column("f"),
                memo: column("g"),
                memo_continued: vec![Column::Index(7), Column::Name("h".into())],
                external_id: column("i"),
                reference: column("j"),
                category: column("k"),
                check_number: column("l"),
                balance: column("m"),
                currency: column("n"),
                account: column("o"),
            },
            statuses: vec![StatusColumn {
                column: Column::Index(9),
                booked: vec!["Posted".into()],
                pending: vec!["Pending".into()],
                ignored: vec!["Declined".into(), "Reverted".into()],
            }],
            date_order: Some(date_order),
            decimal_mark: Some(decimal_mark),
            invert_sign: true,
            bare_is_debit: None,
            currency: Currency::parse("EUR").ok(),
            header_fingerprint: Some("1f".into()),
        }
    }

    #[test]
    fn a_mapping_is_the_same_for_people_and_for_the_readers() {
        let column = || Column::Name("x".into());
        let amounts = [
            AmountColumns::Signed(column()),
            AmountColumns::DebitCredit { debit: column(), credit: column(), debit_is_negative: true },
            AmountColumns::Directed { amount: column(), direction: Column::Index(3) },
        ];
        let orders = [DateOrder::YearFirst, DateOrder::DayFirst, DateOrder::MonthFirst];
        let marks = [DecimalMark::Comma, DecimalMark::Point, DecimalMark::Comma];
        for ((amount, order), mark) in amounts.into_iter().zip(orders).zip(marks) {
            let original = full(amount, order, mark);
            let shown = shown_mapping(&original).unwrap();
            assert_eq!(mapping(&shown).unwrap(), original);
            assert_eq!(serde_json::to_value(shown).unwrap(), serde_json::to_value(original).unwrap());
        }
    }

    #[test]
    fn what_the_bank_prints_as_free_text_alone_is_the_name() {
        let amount = kernel::Money::zero(Currency::parse("EUR").unwrap());
        let read = formats::Row {
            memo: Some("Interest".into()),
            ..formats::Row::new(1, kernel::BankDate::MIN, amount)
        };
        let told = row(read);
        assert_eq!((told.name.as_str(), told.memo), ("Interest", None));
    }
}
