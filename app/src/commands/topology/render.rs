use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;

use super::plan::Plan;
use super::{compose, files, kubernetes};
use crate::cli::Render;
use crate::commands::say::say;

/// Writes the deployment files, or names what is not as they would be.
pub(super) fn run(wanted: &Render) -> Result<ExitCode> {
    let plan = Plan::of(&wanted.common)?;
    let (rendered, usual) = match wanted.compose {
        true => (compose::render(&plan)?, "deploy/compose"),
        false => (kubernetes::render(&plan)?, "deploy/kubernetes"),
    };
    let out = wanted.out.clone().unwrap_or_else(|| PathBuf::from(usual));
    if wanted.check {
        let drift = files::drift(&out, &rendered)?;
        drift.iter().for_each(|drift| eprintln!("tributary: {drift}"));
        return Ok(if drift.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE });
    }
    files::write(&out, &rendered)?;
    rendered.iter().for_each(|file| say!("{}", out.join(&file.path).display()));
    Ok(ExitCode::SUCCESS)
}
