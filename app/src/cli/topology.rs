use std::path::PathBuf;

use clap::{ArgGroup, Args, Subcommand};

use super::Common;

const SHOW: &str = "Examples:
  tributary topology --at http://127.0.0.1:7100
  tributary topology --at http://127.0.0.1:7100 --at http://127.0.0.1:7120 --mermaid

Requests are signed with operator.key of the keys directory. Where private.tls is set they go over TLS, with
operator.pem and operator-key.pem beside private.tls.cert_file.
Exit codes: 0 done, 1 a process does not answer, 2 wrong usage or configuration.";
const RENDER: &str = "Examples:
  tributary topology render --compose --mode hybrid
  tributary topology render --kubernetes --mode microservices --check

Where private.tls is set, all processes have it, each with a certificate of its own: docs/trust.md says where they find it.
Exit codes: 0 done or current, 1 the files on disk differ (--check) or cannot be written, 2 wrong usage or configuration.";

#[derive(Clone, Debug, Args)]
#[command(args_conflicts_with_subcommands = true, after_help = SHOW)]
pub struct Topology {
    #[command(subcommand)]
    pub of: Option<OfTopology>,
    #[command(flatten)]
    pub show: ShowTopology,
}

#[derive(Clone, Debug, Args)]
pub struct ShowTopology {
    /// The private listener of a process; by default the one that these settings make. Several are shown together.
    #[arg(long, value_name = "URL")]
    pub at: Vec<String>,
    /// Print JSON, as each process tells it.
    #[arg(long)]
    pub json: bool,
    /// Print a Mermaid flowchart.
    #[arg(long, conflicts_with = "json")]
    pub mermaid: bool,
    #[command(flatten)]
    pub common: Common,
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
