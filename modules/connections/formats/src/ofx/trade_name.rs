use super::investment::TradeDraft;
use super::securities::Security;
use super::trade_kind::TradeKind;
use crate::decimal::Decimal;
use crate::error::sanitised;

/// A name for people, as investment statements give none: `Buy 10 ACME CORP`.
///
/// Made of what stays the same in every download, because rows are recognised by their names.
pub(super) fn trade_name(draft: &TradeDraft, units: Option<Decimal>, security: &Security) -> String {
    let told = security.name.as_deref().or(security.ticker.as_deref()).or(draft.security_id.as_deref());
    let security = told.map(|told| sanitised(told, 200));
    let count = units.map(|units| units.abs().to_string());
    let words = match draft.kind {
        TradeKind::Income | TradeKind::Expense | TradeKind::ReturnOfCapital => {
            [Some(verb(draft)), None, security]
        }
        TradeKind::MarginInterest | TradeKind::JournalFund => [Some(verb(draft)), None, None],
        TradeKind::Split => [Some(verb(draft)), ratio(draft), security],
        _ => [Some(verb(draft)), count, security],
    };
    let way = [("from", &draft.sub_account_from), ("to", &draft.sub_account_to)];
    let way = way.into_iter().filter_map(|(word, account)| {
        account.as_deref().map(|account| format!("{word} {}", sanitised(account, 20)))
    });
    words.into_iter().flatten().chain(way).collect::<Vec<_>>().join(" ")
}

fn verb(draft: &TradeDraft) -> String {
    let of = |words: &[(&str, &'static str)]| {
        words.iter().find(|(word, _)| draft.is_word(word)).map(|(_, verb)| *verb)
    };
    let income = of(&[
        ("DIV", "dividend"),
        ("INTEREST", "interest"),
        ("CGLONG", "long-term gain"),
        ("CGSHORT", "short-term gain"),
    ]);
    match draft.kind {
        TradeKind::Buy => of(&[
            ("BUYTOCOVER", "Buy to cover"),
            ("BUYTOOPEN", "Buy to open"),
            ("BUYTOCLOSE", "Buy to close"),
        ])
        .unwrap_or("Buy")
        .into(),
        TradeKind::Sell => of(&[
            ("SELLSHORT", "Sell short"),
            ("SELLTOOPEN", "Sell to open"),
            ("SELLTOCLOSE", "Sell to close"),
            ("CALL", "Called"),
            ("MATURITY", "Matured"),
        ])
        .unwrap_or("Sell")
        .into(),
        TradeKind::Reinvest => format!("Reinvest {}", income.unwrap_or("income")),
        TradeKind::Income => {
            let mut income = income.unwrap_or("income").to_owned();
            income[..1].make_ascii_uppercase();
            income
        }
        TradeKind::MarginInterest => "Margin interest".into(),
        TradeKind::Expense => "Expense".into(),
        TradeKind::ReturnOfCapital => "Return of capital".into(),
        TradeKind::Transfer => {
            of(&[("IN", "Transfer in"), ("OUT", "Transfer out")]).unwrap_or("Transfer").into()
        }
        TradeKind::JournalFund | TradeKind::JournalSecurity => "Journal".into(),
        TradeKind::Split => "Split".into(),
        TradeKind::Closure => of(&[("EXERCISE", "Exercise"), ("ASSIGN", "Assignment"), ("EXPIRE", "Expiry")])
            .unwrap_or("Closure")
            .into(),
    }
}

/// `2:1`
fn ratio(draft: &TradeDraft) -> Option<String> {
    let shown = |text: &Option<String>| Decimal::parse(text.as_deref()?).map(|number| number.to_string());
    Some(format!("{}:{}", shown(&draft.numerator)?, shown(&draft.denominator)?))
}
