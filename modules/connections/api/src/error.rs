use kernel::{Code, Denied, FieldError, ImportId, Problem, ProfileId, ToProblem};
use serde::{Deserialize, Serialize};
use service_registry::CallError;

use crate::ImportState;

/// Why connections refused.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, thiserror::Error)]
pub enum ConnectionsError {
    /// The caller did not log in, or the token names no household.
    #[error("log in first")]
    Unauthenticated,
    /// The caller's role does not allow it.
    #[error("this needs the scope {0}")]
    Forbidden(String),
    /// No such import in the caller's household.
    #[error("no import {0} here")]
    ImportNotFound(ImportId),
    /// No such mapping profile in the caller's household.
    #[error("no mapping profile {0} here")]
    ProfileNotFound(ProfileId),
    /// The import is past the point where this can be done, or not there yet.
    #[error("import {id} is {state}")]
    WrongState {
        /// The import.
        id: ImportId,
        /// Where it stands.
        state: ImportState,
    },
    /// The uploaded file is not kept any more, so it cannot be read again.
    #[error("the file of import {0} is not kept any more")]
    FileGone(ImportId),
    /// The input is not acceptable.
    #[error("{} is not acceptable: {}", .0.pointer, .0.detail)]
    Invalid(FieldError),
    /// The file, the account or the Idempotency-Key is not acceptable; the problem says which and why.
    #[error("refused: {}", .0.code)]
    Refused(Box<Problem>),
    /// The call itself failed.
    #[error(transparent)]
    Call(#[from] CallError),
}

impl From<Problem> for ConnectionsError {
    fn from(problem: Problem) -> Self {
        Self::Refused(Box::new(problem))
    }
}

impl From<Denied> for ConnectionsError {
    fn from(denied: Denied) -> Self {
        match denied {
            Denied::Unauthenticated => Self::Unauthenticated,
            Denied::Forbidden(scope) => Self::Forbidden(scope.as_str().to_owned()),
        }
    }
}

impl ToProblem for ConnectionsError {
    fn to_problem(&self) -> Problem {
        let code = match self {
            Self::Unauthenticated => Code::Unauthenticated,
            Self::Forbidden(_) => Code::Forbidden,
            Self::ImportNotFound(_) | Self::ProfileNotFound(_) => Code::NotFound,
            Self::WrongState { .. } | Self::FileGone(_) => Code::ImportState,
            Self::Invalid(field) => return Problem::new(Code::ValidationFailed).error(field.clone()),
            Self::Refused(problem) => return (**problem).clone(),
            Self::Call(error) => return Problem::of_failed_call(error.kind(), error.retry_after_ms()),
        };
        Problem::new(code).detail(self.to_string())
    }
}
