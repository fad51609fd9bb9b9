//! A certificate for each process.

#[path = "../../shared/authority.rs"]
mod authority;

use std::fs;
use std::path::{Path, PathBuf};

pub use authority::Authority;

/// Where a process finds its certificates.
#[derive(Clone)]
pub struct Certificates {
    directory: PathBuf,
    modules: &'static [&'static str],
}

impl Certificates {
    pub(super) fn below(directory: &Path, modules: &'static [&'static str]) -> Self {
        Self { directory: directory.to_owned(), modules }
    }

    fn name(&self) -> String {
        self.modules.join("-")
    }

    fn file(&self, kind: &str) -> PathBuf {
        self.directory.join(format!("{}{kind}.pem", self.name()))
    }

    /// Gives it a certificate of `authority`.
    pub fn issue(&self, authority: &Authority) {
        authority.issue(&self.directory, &self.name(), self.modules);
    }

    /// Has it believe these CAs and no others.
    pub fn believe(&self, authorities: &[&Authority]) {
        let pem: String = authorities.iter().map(|authority| authority.pem()).collect();
        fs::write(self.file("-ca"), pem).expect("a CA can be written");
    }

    /// What it shows: certificate and key in PEM.
    pub fn shown(&self) -> String {
        ["", "-key"].map(|kind| fs::read_to_string(self.file(kind)).expect("it was issued")).concat()
    }

    /// What it is told of them.
    pub(super) fn settings(&self) -> [String; 3] {
        [("cert_file", ""), ("key_file", "-key"), ("ca_file", "-ca")]
            .map(|(key, kind)| format!("--set=private.tls.{key}={}", self.file(kind).display()))
    }
}
