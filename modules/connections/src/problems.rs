use connections_formats::FormatError;
use kernel::{Code, FieldError, Problem};

/// What a client is told of a file that cannot be read. `None` where it is not the file's fault.
pub(crate) fn of_file(error: &FormatError) -> Option<Problem> {
    let code = match error {
        FormatError::EmptyFile => Code::EmptyFile,
        FormatError::BinaryFile => Code::BinaryFile,
        FormatError::UnsupportedFormat { .. } => Code::UnsupportedFormat,
        FormatError::UnknownFormat => Code::UnknownFormat,
        FormatError::MalformedFile { .. } => Code::MalformedFile,
        FormatError::TruncatedFile { .. } => Code::TruncatedFile,
        FormatError::StatementRefusedByBank(_) => Code::StatementRefused,
        FormatError::UnknownCurrency { .. } => Code::UnknownCurrency,
        FormatError::NeedsCurrency => Code::NeedsCurrency,
        FormatError::NoDateColumn => Code::NoDateColumn,
        FormatError::NoAmountColumn => Code::NoAmountColumn,
        FormatError::AmbiguousDates(_) => Code::AmbiguousDates,
        FormatError::HeaderNotFound { .. } => Code::HeaderNotFound,
        FormatError::TooManyAccounts { .. } => Code::TooManyAccounts,
        FormatError::InvalidMapping { what } => return Some(of_mapping(what)),
        FormatError::MappingMissing | FormatError::Stopped | FormatError::Unreadable(_) => return None,
    };
    Some(Problem::new(code).detail(error.to_string()))
}

fn of_mapping(what: &str) -> Problem {
    let field = FieldError::new("/mapping", "invalid", format!("{what} is not usable in a mapping"));
    Problem::new(Code::ValidationFailed).error(field)
}
