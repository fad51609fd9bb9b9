//! What runs where: seen in a running installation, or written down for one that is to run.

mod compose;
mod files;
mod kubernetes;
mod mermaid;
mod plan;
mod render;
mod show;

use std::process::ExitCode;

use anyhow::Result;

pub(super) use self::show::time;
use crate::cli::{OfTopology, Topology};

/// Does what the command line says.
pub(super) async fn run(topology: Topology) -> Result<ExitCode> {
    match topology.of {
        Some(OfTopology::Render(wanted)) => render::run(&wanted),
        None => show::run(topology.show).await,
    }
}
