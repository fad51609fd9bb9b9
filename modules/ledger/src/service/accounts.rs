use kernel::{AccountId, Currency, FieldError, Money, Page, PageRequest, Principal};
use ledger_api::{Account, AccountPatch, LedgerError, NewAccount};
use platform::{OrFail, Txn, outbox};
use serde_json::json;
use service_registry::CallContext;

use super::LedgerService;
use super::queries::position;
use crate::domain::account_name;
use crate::store::accounts::{self, AccountRow};
use crate::store::word;

impl LedgerService {
    pub(super) async fn accounts_of(
        &self,
        cx: &CallContext,
        who: &Principal,
        page: PageRequest,
    ) -> Result<Page<Account>, LedgerError> {
        let after = position(&page, |cursor| cursor.part(0))?;
        Ok(accounts::list(self.store.reader(), who.space, &page, after).await.or_fail(cx)?)
    }

    pub(super) async fn account_of(
        &self,
        cx: &CallContext,
        who: &Principal,
        id: AccountId,
    ) -> Result<Account, LedgerError> {
        let found = accounts::find(self.store.reader(), who.space, id).await.or_fail(cx)?;
        found.ok_or(LedgerError::AccountNotFound(id))
    }

    /// The same without its balances, which are sums.
    pub(super) async fn check_account(
        &self,
        cx: &CallContext,
        who: &Principal,
        id: AccountId,
    ) -> Result<(), LedgerError> {
        let found = accounts::find_row(self.store.reader(), who.space, id).await.or_fail(cx)?;
        found.map(drop).ok_or(LedgerError::AccountNotFound(id))
    }

    pub(super) async fn open_account(
        &self,
        cx: &CallContext,
        who: &Principal,
        account: NewAccount,
    ) -> Result<Account, LedgerError> {
        let name = account_name(&account.name).map_err(LedgerError::Invalid)?;
        let opening = opening(account.opening.as_deref(), account.currency)?;
        let (opening, opening_given) = (opening.unwrap_or_default(), opening.is_some());
        let row = AccountRow {
            id: AccountId::new().0,
            name,
            kind: word(account.kind).or_fail(cx)?,
            currency: account.currency.code().to_owned(),
            external_key: None,
            bank_id: None,
            number_mask: None,
            closed: false,
            opening_minor: opening,
            booked_minor: opening,
            created_at: kernel::now(),
            version: 0,
            opening_given,
        };
        self.store.once(cx, |txn| self.insert_account(cx, who, txn, row)).await
    }

    async fn insert_account(
        &self,
        cx: &CallContext,
        who: &Principal,
        txn: Txn,
        row: AccountRow,
    ) -> Result<Account, LedgerError> {
        let id = AccountId(row.id);
        accounts::insert(&*txn, who.space, &row).await.or_fail(cx)?;
        let told = json!({ "currency": row.currency, "kind": row.kind });
        outbox::append(cx, &txn, Some(who.space), "ledger.account.opened", id, &told).await.or_fail(cx)?;
        let account = accounts::find(&*txn, who.space, id).await.or_fail(cx)?;
        account.ok_or(LedgerError::AccountNotFound(id))
    }

    pub(super) async fn change_account(
        &self,
        cx: &CallContext,
        who: &Principal,
        id: AccountId,
        patch: AccountPatch,
    ) -> Result<Account, LedgerError> {
        self.store.once(cx, |txn| self.patch_account(cx, who, txn, id, patch)).await
    }

    async fn patch_account(
        &self,
        cx: &CallContext,
        who: &Principal,
        txn: Txn,
        id: AccountId,
        patch: AccountPatch,
    ) -> Result<Account, LedgerError> {
        let row = accounts::lock(&*txn, who.space, id).await.or_fail(cx)?;
        let mut row = row.ok_or(LedgerError::AccountNotFound(id))?;
        let currency = row.booked().or_fail(cx)?.currency();
        if let Some(name) = &patch.name {
            row.name = account_name(name).map_err(LedgerError::Invalid)?;
        }
        if let Some(opening) = opening(patch.opening.as_deref(), currency)? {
            let moved = i128::from(row.booked_minor) - i128::from(row.opening_minor) + i128::from(opening);
            row.booked_minor = i64::try_from(moved).map_err(|_| LedgerError::Overflow)?;
            row.opening_minor = opening;
            row.opening_given = true;
        }
        let closing = patch.closed.filter(|closed| *closed != row.closed);
        row.closed = patch.closed.unwrap_or(row.closed);
        accounts::update(&*txn, &row).await.or_fail(cx)?;
        let kind = match closing {
            Some(true) => "ledger.account.closed",
            Some(false) => "ledger.account.reopened",
            None => "ledger.account.changed",
        };
        outbox::append(cx, &txn, Some(who.space), kind, id, &json!({})).await.or_fail(cx)?;
        let account = accounts::find(&*txn, who.space, id).await.or_fail(cx)?;
        account.ok_or(LedgerError::AccountNotFound(id))
    }
}

fn opening(text: Option<&str>, currency: Currency) -> Result<Option<i64>, LedgerError> {
    let read = |text: &str| {
        Money::parse(text, currency)
            .map(Money::minor)
            .map_err(|error| LedgerError::Invalid(FieldError::new("/opening", "invalid", error.to_string())))
    };
    text.map(read).transpose()
}
