use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Where the meaning of each code is written down; `type` of a problem is this plus the code.
const TYPE_BASE: &str = "https://tributary.example/problems/";

/// A problem document (RFC 9457): the only shape in which a client sees a failure.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, utoipa::ToSchema)]
pub struct Problem {
    /// Absolute URI that names the kind of problem.
    #[serde(rename = "type")]
    pub kind: String,
    /// The kind of problem in a few words; the same for every occurrence.
    pub title: String,
    /// The HTTP status code.
    pub status: u16,
    /// What was wrong this time; never an internal.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub detail: Option<String>,
    /// `urn:uuid:` and the request id.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub instance: Option<String>,
    /// Stable word for programs; see the table of codes.
    pub code: String,
    /// The id to quote when asking for help.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub request_id: Option<String>,
    /// What is wrong with which part of the request.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub errors: Vec<FieldError>,
    /// Seconds after which trying again makes sense.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub retry_after: Option<u64>,
    /// Quota policies that were exceeded (draft-ietf-httpapi-ratelimit-headers).
    #[serde(rename = "violated-policies", skip_serializing_if = "Vec::is_empty", default)]
    pub violated_policies: Vec<String>,
}

/// One fault of a request body or query.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, utoipa::ToSchema)]
pub struct FieldError {
    /// JSON Pointer (RFC 6901) into the body, or `?name` for a query parameter.
    pub pointer: String,
    /// Stable word for programs.
    pub code: String,
    /// What is wrong, for people.
    pub detail: String,
}

impl FieldError {
    /// A fault at `pointer`.
    pub fn new(pointer: impl Into<String>, code: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { pointer: pointer.into(), code: code.into(), detail: detail.into() }
    }
}

/// The table of stable codes: status, code, title. A new line is a minor change, a changed one is breaking.
macro_rules! codes {
    ($($name:ident = $status:literal, $code:literal, $title:literal;)*) => {
        /// A stable problem code, with the status and title that go with it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Code { $(#[doc = $title] $name),* }

        impl Code {
            /// Every code there is, in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The word that programs match on.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $code),* }
            }

            /// The HTTP status that goes with it.
            pub const fn status(self) -> u16 {
                match self { $(Self::$name => $status),* }
            }

            /// The kind of problem in a few words.
            pub const fn title(self) -> &'static str {
                match self { $(Self::$name => $title),* }
            }
        }
    };
}

codes! {
    MalformedJson = 400, "malformed_json", "The body is not JSON";
    MalformedRequest = 400, "malformed_request", "The request cannot be read";
    IdempotencyKeyMissing = 400, "idempotency_key_missing", "An Idempotency-Key is required here";
    IdempotencyKeyInvalid = 400, "idempotency_key_invalid", "The Idempotency-Key is not well formed";
    Unauthenticated = 401, "unauthenticated", "Log in first";
    TokenInvalid = 401, "token_invalid", "The access token is not valid";
    TokenExpired = 401, "token_expired", "The access token has expired";
    SessionRevoked = 401, "session_revoked", "The session was revoked";
    InvalidCredentials = 401, "invalid_credentials", "E-mail address or password is wrong";
    RefreshTokenInvalid = 401, "refresh_token_invalid", "The refresh token is not valid";
    RefreshTokenReused = 401, "refresh_token_reused", "The refresh token was used before, so its session was revoked";
    Forbidden = 403, "forbidden", "Your role does not allow this";
    NotFound = 404, "not_found", "There is no such thing here";
    MethodNotAllowed = 405, "method_not_allowed", "The method is not allowed here";
    IdempotencyInProgress = 409, "idempotency_in_progress", "The first request with this key is still running";
    Conflict = 409, "conflict", "The thing is not in a state that allows this";
    EmailTaken = 409, "email_taken", "There is already a user with this e-mail address";
    AccountClosed = 409, "account_closed", "The account is closed";
    ImportState = 409, "import_state", "The import is not in a state that allows this";
    LastOwner = 409, "last_owner", "A household needs an owner";
    BodyTooLarge = 413, "body_too_large", "The body is too large";
    UnsupportedMediaType = 415, "unsupported_media_type", "The content type is not one that is read here";
    ValidationFailed = 422, "validation_failed", "The request is well formed but not acceptable";
    IdempotencyKeyReused = 422, "idempotency_key_reused", "The key was used for another request";
    EmptyFile = 422, "empty_file", "The file is empty";
    BinaryFile = 422, "binary_file", "The file is not text";
    UnsupportedFormat = 422, "unsupported_format", "The format is known but not read";
    UnknownFormat = 422, "unknown_format", "The file is no bank file that we know";
    MalformedFile = 422, "malformed_file", "The file breaks the rules of its format";
    TruncatedFile = 422, "truncated_file", "The file ends in the middle";
    EncryptedArchive = 422, "encrypted_archive", "A file of the archive is encrypted";
    NestedArchive = 422, "nested_archive", "A file of the archive is an archive itself";
    ArchiveTooLarge = 422, "archive_too_large", "The archive holds more than is taken";
    StatementRefused = 422, "statement_refused_by_bank", "The bank wrote an error in place of a statement";
    NoDateColumn = 422, "no_date_column", "No column holds dates";
    NoAmountColumn = 422, "no_amount_column", "No column holds amounts";
    AmbiguousDates = 422, "ambiguous_dates", "The dates can be read in two ways";
    HeaderNotFound = 422, "header_not_found", "The table has no header row with the columns of the mapping";
    NeedsAccount = 422, "needs_account", "The file does not say whose account it is of";
    TooManyAccounts = 422, "too_many_accounts", "The file holds more accounts than one import takes";
    NeedsCurrency = 422, "needs_currency", "The file does not say its currency";
    UnknownCurrency = 422, "unknown_currency", "The currency is not one of ISO 4217";
    CurrencyMismatch = 422, "currency_mismatch", "The statement is not in the account's currency";
    AccountMismatch = 422, "account_mismatch", "The file holds several accounts, so one cannot be chosen for all";
    QuotaExceeded = 429, "quota_exceeded", "Too many requests";
    Internal = 500, "internal", "Something went wrong on our side";
    UpstreamUnavailable = 503, "upstream_unavailable", "A part of the service cannot be reached";
    Overloaded = 503, "overloaded", "Too much is going on right now";
    Draining = 503, "draining", "The server is stopping";
    DeadlineExceeded = 504, "deadline_exceeded", "The time for this request ran out";
}

impl Code {
    /// The code for its word.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.as_str() == text)
    }

    /// The URI that names this kind of problem. Those that IANA registers keep their registered name.
    pub fn uri(self) -> String {
        match self {
            Self::QuotaExceeded => "https://iana.org/assignments/http-problem-types#quota-exceeded".into(),
            Self::Overloaded => {
                "https://iana.org/assignments/http-problem-types#temporary-reduced-capacity".into()
            }
            _ => format!("{TYPE_BASE}{}", self.as_str()),
        }
    }
}

/// A refusal or failure that a client may be told of.
pub trait ToProblem {
    /// The problem document for it; nothing internal in it.
    fn to_problem(&self) -> Problem;
}

impl ToProblem for Problem {
    fn to_problem(&self) -> Problem {
        self.clone()
    }
}

impl Problem {
    /// A problem of this kind, with nothing said of the occurrence yet.
    pub fn new(code: Code) -> Self {
        Self {
            kind: code.uri(),
            title: code.title().into(),
            status: code.status(),
            detail: None,
            instance: None,
            code: code.as_str().into(),
            request_id: None,
            errors: Vec::new(),
            retry_after: None,
            violated_policies: Vec::new(),
        }
    }

    /// What a client is told of a call that failed, by the kind of failure.
    pub fn of_failed_call(kind: &str, retry_after_ms: Option<u64>) -> Self {
        let code = match kind {
            "unavailable" | "incompatible" => Code::UpstreamUnavailable,
            "overloaded" => Code::Overloaded,
            "deadline_exceeded" => Code::DeadlineExceeded,
            _ => Code::Internal,
        };
        let retry_after = retry_after_ms.map(|ms| ms.div_ceil(1_000).max(1));
        Self { retry_after, ..Self::new(code) }
    }

    /// Says what was wrong this time. Clients see it: no internals.
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// Adds the fault of one field.
    pub fn error(mut self, error: FieldError) -> Self {
        self.errors.push(error);
        self
    }

    /// Says when trying again makes sense, in seconds.
    pub fn retry_after(mut self, seconds: u64) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    /// Names the request that it happened to.
    pub fn for_request(mut self, request_id: impl std::fmt::Display) -> Self {
        self.instance = Some(format!("urn:uuid:{request_id}"));
        self.request_id = Some(request_id.to_string());
        self
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_code_is_one_word_with_an_error_status() {
        let mut seen = HashSet::new();
        for code in Code::ALL {
            assert!(seen.insert(code.as_str()), "{} stands twice", code.as_str());
            assert!((400..=599).contains(&code.status()));
            assert!(code.as_str().bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'));
            assert_eq!(Code::parse(code.as_str()), Some(*code));
        }
    }

    #[test]
    fn every_code_is_documented_as_it_is() {
        let documented = include_str!("../../../docs/problems.md");
        for code in Code::ALL {
            let line = format!("| {} | `{}` | {} |", code.status(), code.as_str(), code.title());
            assert!(documented.lines().any(|documented| documented == line), "docs/problems.md lacks {line}");
        }
        let rows = documented.lines().filter(|line| line.starts_with("| ") && line.contains('`')).count();
        assert_eq!(rows, Code::ALL.len(), "docs/problems.md tells of a code that is gone");
    }

    #[test]
    fn a_problem_leaves_out_what_it_does_not_say() {
        let json = serde_json::to_value(Problem::new(Code::NotFound)).unwrap();
        let mut keys: Vec<_> = json.as_object().unwrap().keys().cloned().collect();
        keys.sort();
        assert_eq!(keys, ["code", "status", "title", "type"]);
    }
}
