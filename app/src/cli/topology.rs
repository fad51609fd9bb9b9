use std::path::PathBuf;

use clap::{ArgGroup, Args, Subcommand};

use super::Common;

const RENDER: &str = "Examples:
  tributary topology render --compose --mode hybrid
  tributary topology render --kubernetes --mode microservices --check

Exit codes: 0 done or current, 1 the files on disk differ (--check) or cannot be written, 2 wrong usage or configuration.";

#[derive(Clone, Debug, Args)]
pub struct Topology {
    #[command(subcommand)]
    pub of: OfTopology,
}

#[derive(Clone, Debug, Subcommand)]
pub enum OfTopology {
    /// Write the deployment files of the processes that the settings describe, or check that those on disk are current.
    #[command(after_help = RENDER)]
    Render(Render),
}

#[derive(Clone, Debug, Args)]
#[command(group = ArgGroup::new("what").required(true))]
pub struct Render {
    /// One Compose file.
    #[arg(long, group = "what")]
    pub compose: bool,
    /// Kubernetes manifests, one file for each process, and a kustomization that names them.
    #[arg(long, group = "what")]
    pub kubernetes: bool,
    /// Where the files go; by default deploy/compose or deploy/kubernetes.
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Write nothing; name each file that is not as it would be written.
    #[arg(long)]
    pub check: bool,
    #[command(flatten)]
    pub common: Common,
}
