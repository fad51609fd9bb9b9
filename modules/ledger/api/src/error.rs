use kernel::{AccountId, BatchId, Code, Currency, Denied, FieldError, Problem, ToProblem, TransactionId};
use serde::{Deserialize, Serialize};
use service_registry::CallError;

/// Why the ledger refused.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, thiserror::Error)]
pub enum LedgerError {
    /// The caller did not log in, or the token names no household.
    #[error("log in first")]
    Unauthenticated,
    /// The caller's role does not allow it.
    #[error("this needs the scope {0}")]
    Forbidden(String),
    /// No such account in the caller's household.
    #[error("no account {0} here")]
    AccountNotFound(AccountId),
    /// No such transaction in the caller's household.
    #[error("no transaction {0} here")]
    TransactionNotFound(TransactionId),
    /// Nothing is waiting under this batch id in the caller's household.
    #[error("no batch {0} here")]
    BatchNotFound(BatchId),
    /// The batch was ingested, so its rows cannot change any more.
    #[error("batch {0} is ingested already")]
    BatchCommitted(BatchId),
    /// The batch still waits, so there is nothing to take back; discard it.
    #[error("batch {0} is not ingested yet")]
    BatchNotCommitted(BatchId),
    /// The batch was ingested by a version of the program that did not keep what it changed.
    #[error("batch {0} is too old to be taken back")]
    BatchNotRevertible(BatchId),
    /// A later run has begun the batch anew, so what this one still sends counts for nothing.
    #[error("batch {0} was taken over by a later run")]
    BatchTakenOver(BatchId),
    /// The account takes no new transactions.
    #[error("account {0} is closed")]
    AccountClosed(AccountId),
    /// Rows in one currency for an account in another.
    #[error("account {account} is in {expected}, the statement in {found}")]
    CurrencyMismatch {
        /// The account that the statement is for.
        account: AccountId,
        /// The account's currency.
        expected: Currency,
        /// The statement's currency.
        found: Currency,
    },
    /// The sum of the account would not fit in 64 bits of minor units.
    #[error("the balance of the account would be out of range")]
    Overflow,
    /// The input is not acceptable.
    #[error("{} is not acceptable: {}", .0.pointer, .0.detail)]
    Invalid(FieldError),
    /// The same Idempotency-Key came with another request, or while the first still runs.
    #[error("idempotency: {}", .0.code)]
    Idempotency(Box<Problem>),
    /// The call itself failed.
    #[error(transparent)]
    Call(#[from] CallError),
}

impl From<Problem> for LedgerError {
    fn from(problem: Problem) -> Self {
        Self::Idempotency(Box::new(problem))
    }
}

impl From<Denied> for LedgerError {
    fn from(denied: Denied) -> Self {
        match denied {
            Denied::Unauthenticated => Self::Unauthenticated,
            Denied::Forbidden(scope) => Self::Forbidden(scope.as_str().to_owned()),
        }
    }
}

impl ToProblem for LedgerError {
    fn to_problem(&self) -> Problem {
        let code = match self {
            Self::Unauthenticated => Code::Unauthenticated,
            Self::Forbidden(_) => Code::Forbidden,
            Self::AccountNotFound(_) | Self::TransactionNotFound(_) | Self::BatchNotFound(_) => {
                Code::NotFound
            }
            Self::BatchCommitted(_)
            | Self::BatchNotCommitted(_)
            | Self::BatchNotRevertible(_)
            | Self::BatchTakenOver(_) => Code::Conflict,
            Self::AccountClosed(_) => Code::AccountClosed,
            Self::CurrencyMismatch { .. } => Code::CurrencyMismatch,
            Self::Overflow => Code::ValidationFailed,
            Self::Invalid(field) => return Problem::new(Code::ValidationFailed).error(field.clone()),
            Self::Idempotency(problem) => return Problem::clone(problem),
            Self::Call(error) => return Problem::of_failed_call(error.kind(), error.retry_after_ms()),
        };
        Problem::new(code).detail(self.to_string())
    }
}
