use kernel::{Cursor, FieldError, InvalidCursor, MAX_LIMIT, Page, PageRequest, Principal, TransactionId};
use ledger_api::{
    BalanceFilter, BalanceSnapshot, Change, ChangePage, LedgerError, Transaction, TransactionFilter,
};
use platform::{OrFail, outbox};
use service_registry::CallContext;

use super::LedgerService;
use crate::domain::Bound;
use crate::store::transactions::Wanted;
use crate::store::{balances, transactions};

/// Longest text to search for; a longer one is no word of a statement.
const TEXT_LIMIT: usize = 200;

impl LedgerService {
    pub(super) async fn transactions_of(
        &self,
        cx: &CallContext,
        who: &Principal,
        filter: TransactionFilter,
        page: PageRequest,
    ) -> Result<Page<Transaction>, LedgerError> {
        if let Some(account) = filter.account_id {
            self.check_account(cx, who, account).await?;
        }
        let wanted = Wanted {
            dates: filter.dates().map_err(|error| invalid("?to", &error))?,
            least: bound("?min_amount", filter.min_amount.as_deref())?,
            greatest: bound("?max_amount", filter.max_amount.as_deref())?,
            after: position(&page, |cursor| Ok((cursor.part(0)?, cursor.part(1)?)))?,
            filter,
        };
        let is_odd = |text: &String| text.chars().count() > TEXT_LIMIT || text.chars().any(char::is_control);
        if wanted.filter.text.as_ref().is_some_and(is_odd) {
            return Err(invalid(
                "?text",
                &format!("a text to search for has at most {TEXT_LIMIT} printable characters"),
            ));
        }
        Ok(transactions::list(self.store.reader(), who.space, wanted, &page).await.or_fail(cx)?)
    }

    pub(super) async fn transaction_of(
        &self,
        cx: &CallContext,
        who: &Principal,
        id: TransactionId,
    ) -> Result<Transaction, LedgerError> {
        let found = transactions::find(self.store.reader(), who.space, id).await.or_fail(cx)?;
        found.ok_or(LedgerError::TransactionNotFound(id))
    }

    pub(super) async fn balances_of(
        &self,
        cx: &CallContext,
        who: &Principal,
        filter: BalanceFilter,
        page: PageRequest,
    ) -> Result<Page<BalanceSnapshot>, LedgerError> {
        if let Some(account) = filter.account_id {
            self.check_account(cx, who, account).await?;
        }
        let dates = filter.dates().map_err(|error| invalid("?to", &error))?;
        let after = position(&page, |cursor| Ok((cursor.part(0)?, cursor.part(1)?, cursor.part(2)?)))?;
        let found =
            balances::list(self.store.reader(), who.space, filter.account_id, dates, &page, after).await;
        Ok(found.or_fail(cx)?)
    }

    pub(super) async fn changes_of(
        &self,
        cx: &CallContext,
        who: &Principal,
        after_seq: i64,
        limit: u16,
    ) -> Result<ChangePage, LedgerError> {
        let events =
            outbox::feed(&self.store, who.space, after_seq, limit.clamp(1, MAX_LIMIT)).await.or_fail(cx)?;
        let data = events.into_iter().map(change).collect::<Result<Vec<_>, _>>().or_fail(cx)?;
        let next_seq = data.last().map_or(after_seq, |change| change.seq);
        Ok(ChangePage { data, next_seq })
    }
}

fn change(event: outbox::Event) -> Result<Change, serde_json::Error> {
    let data = serde_json::from_str(&event.data)?;
    Ok(Change { seq: event.feed_seq, kind: event.kind, subject: event.subject, data, at: event.created_at })
}

/// Where the page goes on, in the terms of its list.
pub(super) fn position<T>(
    page: &PageRequest,
    read: impl FnOnce(&Cursor) -> Result<T, InvalidCursor>,
) -> Result<Option<T>, LedgerError> {
    page.cursor.as_ref().map(read).transpose().map_err(|error| invalid("?cursor", &error))
}

fn bound(pointer: &str, text: Option<&str>) -> Result<Option<Bound>, LedgerError> {
    let read =
        |text| Bound::parse(text).ok_or_else(|| invalid(pointer, &"not a decimal with up to four decimals"));
    text.map(read).transpose()
}

fn invalid(pointer: &str, detail: &impl ToString) -> LedgerError {
    LedgerError::Invalid(FieldError::new(pointer, "invalid", detail.to_string()))
}
