use crate::AccountType;

/// What the records behind a header line are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Section {
    /// The register of an account.
    Transactions(Option<AccountType>),
    /// The register of an investment account.
    Investments,
    /// `!Account`: names of accounts, of which the last one is that of the register that follows.
    Accounts,
    /// Something without rows.
    List,
}

impl Section {
    /// What a header line announces; `None` for `!Option:` and `!Clear:`, which announce nothing.
    pub(super) fn parse(header: &str) -> Option<Self> {
        let lower = header.trim().trim_start_matches('!').to_ascii_lowercase();
        if lower.starts_with("option:") || lower.starts_with("clear:") {
            return None;
        }
        if lower == "account" {
            return Some(Self::Accounts);
        }
        let kind = lower.strip_prefix("type:").unwrap_or(&lower).trim();
        Some(match kind {
            "invst" | "port" | "mutual" | "401(k)/403(b)" => Self::Investments,
            "cat" | "class" | "memorized" | "security" | "prices" | "budget" | "tag" | "template"
            | "payee" | "invitem" => Self::List,
            // A register of a kind that we do not know is one all the same: its rows are not dropped.
            kind => Self::Transactions(account_type(kind)),
        })
    }
}

/// The word for the kind of an account, in a header line or in the `T` of `!Account`.
pub(super) fn account_type(word: &str) -> Option<AccountType> {
    Some(match word.trim().to_ascii_lowercase().as_str() {
        // Savings accounts have the same word.
        "bank" => AccountType::Checking,
        "ccard" => AccountType::CreditCard,
        "cash" => AccountType::Cash,
        "oth l" => AccountType::Loan,
        "invst" | "port" | "mutual" | "401(k)/403(b)" => AccountType::Investment,
        _ => return None,
    })
}
