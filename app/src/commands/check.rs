use std::process::ExitCode;

use super::USAGE;
use super::say::say;
use crate::cli::Common;
use crate::config::Settings;

/// Says that the configuration is good, or everything that is wrong with it.
pub(super) fn run(common: &Common) -> ExitCode {
    match Settings::load(&common.overrides()) {
        Ok(settings) => {
            let Settings { environment, mode, modules, .. } = &settings;
            say!("the configuration is good: {environment:?}, {mode:?}, {}", modules.join(" + "));
            ExitCode::SUCCESS
        }
        Err(faults) => {
            eprintln!("tributary: {faults}");
            ExitCode::from(USAGE)
        }
    }
}
