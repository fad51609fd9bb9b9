use kernel::{FieldError, Principal, TransactionId};
use ledger_api::{LedgerError, Transaction, TransactionPatch};
use platform::{OrFail, Txn, outbox};
use serde_json::json;
use service_registry::CallContext;

use super::LedgerService;
use crate::store::{edits, transactions};

const NAME_LIMIT: usize = 200;
const CATEGORY_LIMIT: usize = 100;
const NOTE_LIMIT: usize = 2_000;

impl LedgerService {
    pub(super) async fn edit_transaction(
        &self,
        cx: &CallContext,
        who: &Principal,
        id: TransactionId,
        patch: TransactionPatch,
    ) -> Result<Transaction, LedgerError> {
        let patch = TransactionPatch {
            name: said("/name", patch.name, NAME_LIMIT, "")?,
            category: said("/category", patch.category, CATEGORY_LIMIT, "")?,
            note: said("/note", patch.note, NOTE_LIMIT, "\n\r\t")?,
        };
        self.store.once(cx, |txn| write(cx, who, txn, id, patch)).await
    }
}

async fn write(
    cx: &CallContext,
    who: &Principal,
    txn: Txn,
    id: TransactionId,
    patch: TransactionPatch,
) -> Result<Transaction, LedgerError> {
    let found = edits::lock(&*txn, who.space, id).await.or_fail(cx)?;
    let mut said = found.ok_or(LedgerError::TransactionNotFound(id))?;
    let mut fields = Vec::new();
    for (field, value, new) in [
        ("name", &mut said.given_name, patch.name),
        ("category", &mut said.given_category, patch.category),
        ("note", &mut said.note, patch.note),
    ] {
        if let Some(new) = new {
            *value = (!new.is_empty()).then_some(new);
            fields.push(field);
        }
    }
    edits::update(&*txn, id, &said).await.or_fail(cx)?;
    // Which fields and not what they say: what people write does not belong in a feed.
    let told = json!({ "fields": fields });
    outbox::append(cx, &txn, Some(who.space), "ledger.transaction.changed", id, &told).await.or_fail(cx)?;
    let transaction = transactions::find(&*txn, who.space, id).await.or_fail(cx)?;
    transaction.ok_or(LedgerError::TransactionNotFound(id))
}

/// The text without blanks around it; refused where it is too long or has control characters but those allowed.
fn said(
    pointer: &str,
    text: Option<String>,
    limit: usize,
    allowed: &str,
) -> Result<Option<String>, LedgerError> {
    let Some(text) = text.map(|text| text.trim().to_owned()) else { return Ok(None) };
    let is_odd = |c: char| c.is_control() && !allowed.contains(c);
    if text.chars().count() > limit || text.chars().any(is_odd) {
        let detail = format!("at most {limit} printable characters");
        return Err(LedgerError::Invalid(FieldError::new(pointer, "invalid", detail)));
    }
    Ok(Some(text))
}
