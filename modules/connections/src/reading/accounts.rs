use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use connections_formats::{AccountHint, AccountType, StatementHead};
use kernel::{AccountId, Code, Currency, Problem, SpaceId};
use ledger_api::{AccountKind, AccountRef, ExternalAccount};
use platform::SealKey;
use uuid::Uuid;

/// More statements in one file than any bank gives; the head of each is kept while the file is read.
const MOST_STATEMENTS: usize = 10_000;

/// An account of the household that rows are for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Chosen {
    pub(crate) id: AccountId,
    pub(crate) currency: Currency,
}

/// Characters of an account's name that are kept.
const LONGEST_NAME: usize = 100;

/// Says of each statement of a file whose account it is.
pub(crate) struct Accounts {
    space: SpaceId,
    index_key: SealKey,
    named: Named,
    statements: Vec<Whose>,
    first_hint: Option<AccountHint>,
    /// What to say where no statement fits.
    misfit: Option<String>,
}

/// Whose account a statement is of.
#[derive(Clone, Debug)]
pub(crate) struct Whose {
    pub(crate) account: AccountRef,
    /// It is in the account's currency. Of one that is not the ledger rejects each row by itself.
    pub(crate) fits: bool,
}

/// What people and profiles say of whose account a file is of.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Named {
    /// The account that a person chose for the whole file.
    pub(crate) chosen: Option<Chosen>,
    /// The account for statements that name none.
    pub(crate) fallback: Option<Chosen>,
    /// Where nothing else tells: the bank that keeps an account in each of the file's currencies, and numbers none.
    pub(crate) wallet: Option<&'static str>,
    /// The format may give one number to an account in each of several currencies; each is an account of its own in
    /// the ledger.
    pub(crate) by_currency: bool,
}

impl Accounts {
    pub(crate) fn new(space: SpaceId, index_key: SealKey, named: Named) -> Self {
        Self { space, index_key, named, statements: Vec::new(), first_hint: None, misfit: None }
    }

    /// The account of the next statement; a problem where that cannot be told.
    pub(crate) fn add(&mut self, head: &StatementHead) -> Result<&Whose, Box<Problem>> {
        if self.statements.len() == MOST_STATEMENTS {
            let detail = format!("more than {MOST_STATEMENTS} statements");
            return Err(Box::new(Problem::new(Code::TooManyAccounts).detail(detail)));
        }
        // An account that is known by its name is told apart by it, as others are by their number.
        let known_by = head.account.account_number.as_ref().or(head.account.name.as_ref());
        let Named { chosen, fallback, wallet, .. } = self.named;
        let whose = match (chosen, known_by) {
            (Some(chosen), _) => {
                self.refuse_another(head)?;
                self.kept_for(chosen, head)
            }
            (None, Some(number)) => Whose::named(self.external(head, number)),
            (None, None) => match (fallback, wallet) {
                (Some(fallback), _) => self.kept_for(fallback, head),
                (None, Some(wallet)) => Whose::named(self.of_wallet(wallet, head)),
                (None, None) => return Err(needs_account()),
            },
        };
        self.statements.push(whose);
        Ok(self.statements.last().expect("it was pushed just now"))
    }

    /// The account of a statement that was added before.
    pub(crate) fn of(&self, statement: usize) -> Option<&Whose> {
        self.statements.get(statement)
    }

    /// Why the file is not for its account at all: it is in other currencies from beginning to end.
    pub(crate) fn mismatch(&mut self) -> Option<Box<Problem>> {
        let detail = self.misfit.take().filter(|_| self.statements.iter().all(|whose| !whose.fits))?;
        Some(Box::new(Problem::new(Code::CurrencyMismatch).detail(detail)))
    }

    /// One account was chosen, so the file may hold one only.
    fn refuse_another(&mut self, head: &StatementHead) -> Result<(), Box<Problem>> {
        let first = self.first_hint.get_or_insert_with(|| head.account.clone());
        if *first == head.account {
            return Ok(());
        }
        let detail = "leave account_id out, and each statement goes to the account that it names";
        Err(Box::new(Problem::new(Code::AccountMismatch).detail(detail)))
    }

    fn kept_for(&mut self, account: Chosen, head: &StatementHead) -> Whose {
        let fits = account.currency == head.currency;
        if !fits {
            self.misfit.get_or_insert_with(|| {
                format!("the account is in {}, the statement in {}", account.currency, head.currency)
            });
        }
        Whose { account: AccountRef::Id(account.id), fits }
    }

    /// The account of a bank that gives all its currencies in one file and numbers none.
    fn of_wallet(&self, wallet: &str, head: &StatementHead) -> ExternalAccount {
        let kind = AccountKind::Other;
        ExternalAccount {
            ours: None,
            key: self.key(wallet, "", kind, head.currency),
            bank_id: None,
            name: format!("{wallet} {}", head.currency),
            number_mask: None,
            kind,
            currency: head.currency,
        }
    }

    fn external(&self, head: &StatementHead, number: &str) -> ExternalAccount {
        let hint = &head.account;
        let kind = hint.account_type.map_or(AccountKind::Other, account_kind);
        let number_mask = hint.account_number.as_deref().map(mask);
        let name = match (&hint.name, &number_mask) {
            (Some(name), _) => name.chars().take(LONGEST_NAME).collect(),
            (None, number_mask) => {
                format!("{} {}", label(kind), number_mask.as_deref().unwrap_or_default())
            }
        };
        ExternalAccount {
            ours: ours(hint.bank_id.as_deref(), number),
            key: self.key(hint.bank_id.as_deref().unwrap_or_default(), number, kind, head.currency),
            bank_id: hint.bank_id.clone(),
            name,
            number_mask,
            kind,
            currency: head.currency,
        }
    }

    /// A keyed hash of what tells one account from all others: who has it can find the account again, and nobody
    /// can find the number.
    fn key(&self, bank: &str, number: &str, kind: AccountKind, currency: Currency) -> String {
        // Banks space an IBAN in one export and not in the next.
        let number: String = number.chars().filter(|c| !c.is_whitespace()).collect();
        let currency = if self.named.by_currency { currency.code() } else { "" };
        let bank = bank.trim();
        // Lengths instead of a separator alone, so that no two accounts are spelled alike.
        let text = format!(
            "{}|{}:{bank}|{}:{}|{kind:?}|{currency}",
            self.space,
            bank.len(),
            number.len(),
            number.to_ascii_uppercase()
        );
        self.index_key.index(&text)
    }
}

impl Whose {
    fn named(account: ExternalAccount) -> Self {
        Self { account: AccountRef::External(account), fits: true }
    }
}

fn needs_account() -> Box<Problem> {
    let detail = "say which account the rows are for: preview again with account_id";
    Box::new(Problem::new(Code::NeedsAccount).detail(detail))
}

/// The bank that our own exports name; see docs/exports.md.
const OUR_BANK: &str = "TRIBUTARY";

/// The account of ours that an export of ours names: its id, as base64url in OFX, which has no room for more, and
/// as it is in tables. No bank has such numbers: a UUIDv7 says of itself that it is one.
fn ours(bank_id: Option<&str>, number: &str) -> Option<AccountId> {
    if bank_id.is_some_and(|bank| bank != OUR_BANK) {
        return None;
    }
    let id = match number.len() {
        22 => Uuid::from_slice(&URL_SAFE_NO_PAD.decode(number).ok()?).ok()?,
        36 => Uuid::try_parse(number).ok()?,
        _ => return None,
    };
    (id.get_version() == Some(uuid::Version::SortRand)).then_some(AccountId(id))
}

/// The last four characters behind dots, fewer of a short number: never all of it.
fn mask(number: &str) -> String {
    let bare: Vec<char> = number.chars().filter(|c| c.is_alphanumeric()).collect();
    let shown = (bare.len() / 2).min(4);
    format!("••••{}", bare[bare.len() - shown..].iter().collect::<String>())
}

fn label(kind: AccountKind) -> &'static str {
    match kind {
        AccountKind::Checking => "Checking",
        AccountKind::Savings => "Savings",
        AccountKind::MoneyMarket => "Money market",
        AccountKind::CreditLine => "Credit line",
        AccountKind::CertificateOfDeposit => "Certificate of deposit",
        AccountKind::CreditCard => "Credit card",
        AccountKind::Investment => "Investment",
        AccountKind::Loan => "Loan",
        AccountKind::Cash => "Cash",
        AccountKind::Other => "Account",
    }
}

fn account_kind(kind: AccountType) -> AccountKind {
    match kind {
        AccountType::Checking => AccountKind::Checking,
        AccountType::Savings => AccountKind::Savings,
        AccountType::MoneyMarket => AccountKind::MoneyMarket,
        AccountType::CreditLine => AccountKind::CreditLine,
        AccountType::CertificateOfDeposit => AccountKind::CertificateOfDeposit,
        AccountType::CreditCard => AccountKind::CreditCard,
        AccountType::Investment => AccountKind::Investment,
        AccountType::Loan => AccountKind::Loan,
        AccountType::Cash => AccountKind::Cash,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accounts(space: u128) -> Accounts {
        let space = SpaceId(Uuid::from_u128(space));
        Accounts::new(space, SealKey::new([1; 32]), Named::default())
    }

    fn head(bank_id: Option<&str>, number: &str) -> StatementHead {
        StatementHead {
            account: AccountHint {
                bank_id: bank_id.map(str::to_owned),
                account_number: Some(number.to_owned()),
                ..AccountHint::default()
            },
            currency: Currency::parse("EUR").unwrap(),
            starts_on: None,
            ends_on: None,
        }
    }

    fn key(whose: &Whose) -> String {
        let AccountRef::External(account) = &whose.account else { panic!("{whose:?}") };
        account.key.clone()
    }

    #[test]
    fn an_account_has_one_key_however_its_number_is_spaced() {
        let mut accounts = accounts(1);
        let [one, other] =
            ["DE12 3456", "de123456"].map(|number| key(accounts.add(&head(Some("1"), number)).unwrap()));
        assert_eq!(one, other);
    }

    #[test]
    fn keys_differ_by_household_bank_and_number() {
        let keys = [(1, Some("1"), "23"), (1, Some("12"), "3"), (1, None, "23"), (2, Some("1"), "23")]
            .map(|(space, bank, number)| key(accounts(space).add(&head(bank, number)).unwrap()));
        let distinct: std::collections::HashSet<_> = keys.iter().collect();
        assert_eq!(distinct.len(), keys.len());
    }

    #[test]
    fn an_account_of_ours_is_known_by_its_id_and_no_other_number_is_taken_for_one() {
        let id = AccountId(Uuid::from_u128(0x0192_f3a0_1234_7abc_8def_0123_4567_89ab));
        let short = "AZLzoBI0eryN7wEjRWeJqw";
        for (bank, number, expected) in [
            (Some("TRIBUTARY"), short, Some(id)),
            (None, short, Some(id)),
            (None, "0192f3a0-1234-7abc-8def-0123456789ab", Some(id)),
            (Some("12345"), short, None),
            (None, "DE89370400440532013000", None),
            (None, "1234567890123456789012", None),
            (None, "0192f3a0-1234-4abc-8def-0123456789ab", None),
            (None, "", None),
        ] {
            assert_eq!(ours(bank, number), expected, "{number}");
        }
    }

    #[test]
    fn a_mask_never_shows_the_whole_number() {
        for (number, masked) in [("12345678", "••••5678"), ("1234", "••••34"), ("7", "••••"), ("", "••••")]
        {
            assert_eq!(mask(number), masked);
        }
    }
}
