use super::say::say;
use std::process::ExitCode;

/// Prints the description of the API.
pub(super) fn run() -> anyhow::Result<ExitCode> {
    say!("{}", serde_json::to_string_pretty(&crate::openapi::document())?);
    Ok(ExitCode::SUCCESS)
}
