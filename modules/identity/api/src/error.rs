use kernel::{Code, FieldError, Problem, SessionId, SpaceId, ToProblem, UserId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use service_registry::CallError;

/// Why identity refused.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, thiserror::Error)]
pub enum IdentityError {
    /// The caller did not log in.
    #[error("log in first")]
    Unauthenticated,
    /// Only owners of the household may do this.
    #[error("only owners of the household may do this")]
    NotAnOwner,
    /// The address or the password is wrong; which one is not said.
    #[error("the e-mail address or the password is wrong")]
    InvalidCredentials,
    /// There is a user with this address.
    #[error("there is already a user with this e-mail address")]
    EmailTaken,
    /// The refresh token was never given out, or its time is over.
    #[error("the refresh token is not valid")]
    RefreshTokenInvalid,
    /// The refresh token was used before. One of its two users is a thief, so the session is revoked.
    #[error("the refresh token was used before")]
    RefreshTokenReused,
    /// The session was revoked.
    #[error("the session was revoked")]
    SessionRevoked,
    /// No such session of the caller.
    #[error("no session {0} here")]
    SessionNotFound(SessionId),
    /// No such household that the caller is a member of.
    #[error("no space {0} here")]
    SpaceNotFound(SpaceId),
    /// No such member in the household.
    #[error("no member {0} here")]
    MemberNotFound(UserId),
    /// They are a member already.
    #[error("user {0} is a member already")]
    AlreadyMember(UserId),
    /// Without this one the household would have no owner.
    #[error("user {0} is the last owner of the household")]
    LastOwner(UserId),
    /// The input is not acceptable, in these places.
    #[error("the request is not acceptable")]
    Invalid(Vec<FieldError>),
    /// The Idempotency-Key was used for another request, or its first request is still running.
    #[error("idempotency: {}", .0.code)]
    Idempotency(Box<Problem>),
    /// The call itself failed.
    #[error(transparent)]
    Call(#[from] CallError),
}

impl From<Problem> for IdentityError {
    fn from(problem: Problem) -> Self {
        Self::Idempotency(Box::new(problem))
    }
}

impl ToProblem for IdentityError {
    fn to_problem(&self) -> Problem {
        let code = match self {
            Self::Unauthenticated => Code::Unauthenticated,
            Self::NotAnOwner => Code::Forbidden,
            Self::InvalidCredentials => Code::InvalidCredentials,
            Self::EmailTaken => Code::EmailTaken,
            Self::RefreshTokenInvalid => Code::RefreshTokenInvalid,
            Self::RefreshTokenReused => Code::RefreshTokenReused,
            Self::SessionRevoked => Code::SessionRevoked,
            Self::SessionNotFound(_) | Self::SpaceNotFound(_) | Self::MemberNotFound(_) => Code::NotFound,
            Self::AlreadyMember(_) => Code::Conflict,
            Self::LastOwner(_) => Code::LastOwner,
            Self::Invalid(errors) => {
                return Problem { errors: errors.clone(), ..Problem::new(Code::ValidationFailed) };
            }
            Self::Idempotency(problem) => return Problem::clone(problem),
            Self::Call(error) => return Problem::of_failed_call(error.kind(), error.retry_after_ms()),
        };
        Problem::new(code).detail(self.to_string())
    }
}
