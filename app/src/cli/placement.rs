use clap::{Args, Subcommand};

use super::Common;

const EXIT_CODES: &str = "Requests are signed with operator.key of the keys directory. Where private.tls is set they go over TLS, with\n\
    operator.pem and operator-key.pem beside private.tls.cert_file.\n\
    Exit codes: 0 done, 1 refused or failed, 2 wrong usage or configuration.";
const SET: &str = "Examples:
  tributary placement set ledger split --share 5 --url http://10.0.0.7:7130 --fallback local
  tributary placement set ledger split --share 50
  tributary placement set ledger local

It holds for the one process at --at until that ends; what is to outlast it belongs into its configuration.
Requests are signed with operator.key of the keys directory. Where private.tls is set they go over TLS, with
operator.pem and operator-key.pem beside private.tls.cert_file.
Exit codes: 0 done, 1 refused or failed, 2 wrong usage or configuration.";

#[derive(Clone, Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub struct Placement {
    #[command(subcommand)]
    pub of: OfPlacement,
}

#[derive(Clone, Debug, Subcommand)]
pub enum OfPlacement {
    /// Where each service is placed now, or one of them.
    #[command(after_help = EXIT_CODES)]
    Show {
        /// The service; all where none is named.
        service: Option<String>,
        #[command(flatten)]
        at: Operated,
    },
    /// Move a service. What is not said stays as it is, as far as it can apply.
    #[command(after_help = SET)]
    Set {
        #[command(flatten)]
        wanted: SetPlacement,
        #[command(flatten)]
        at: Operated,
    },
    /// What moving each service out would cost, reckoned from the calls that the process has seen.
    #[command(after_help = EXIT_CODES)]
    Advise {
        #[command(flatten)]
        at: Operated,
    },
}

/// A running process, and how to speak with it.
#[derive(Clone, Debug, Args)]
pub struct Operated {
    /// The private listener of the process; by default the one that these settings make.
    #[arg(long, value_name = "URL")]
    pub at: Option<String>,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub common: Common,
}

#[derive(Clone, Debug, Args)]
pub struct SetPlacement {
    /// The service.
    pub service: String,
    /// Where its calls go: local, in the process itself; remote, elsewhere; split, both.
    #[arg(value_parser = ["local", "remote", "split"])]
    pub side: String,
    /// Percent of the households whose calls go elsewhere, 0 to 100, with one decimal at most.
    #[arg(long, value_name = "PERCENT", required_if_eq("side", "split"))]
    pub share: Option<f64>,
    /// The private listener of the process elsewhere. May be given several times.
    #[arg(long = "url", value_name = "URL")]
    pub urls: Vec<String>,
    /// What becomes of calls that cannot be sent: done in the process itself, or answered 503.
    #[arg(long, value_parser = ["local", "none"])]
    pub fallback: Option<String>,
    /// Go back by itself when this many percent of the calls elsewhere fail; 0 for never.
    #[arg(long, value_name = "PERCENT")]
    pub guard_error_percent: Option<f64>,
    /// Go back by itself when one in a hundred calls elsewhere takes longer than this; 0 for never.
    #[arg(long, value_name = "MS")]
    pub guard_p99_ms: Option<u64>,
    /// Run reads on the other side too, and count where the answers differ.
    #[arg(long, value_parser = ["on", "off"])]
    pub shadow: Option<String>,
}
