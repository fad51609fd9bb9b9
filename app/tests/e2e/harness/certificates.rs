//! A CA of our own, and a certificate for each process.

use std::fs;
use std::path::{Path, PathBuf};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    SanType,
};

/// Signs the certificates of an installation.
pub struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    pub fn new(name: &str) -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key can be made");
        Self(CertifiedIssuer::self_signed(params, key).expect("a CA can sign itself"))
    }

    pub fn pem(&self) -> String {
        self.0.pem()
    }

    /// Certificate and key of a process that runs these modules.
    fn sign(&self, modules: &[&str]) -> (String, String) {
        let uri = |module: &&str| format!("spiffe://tributary/{module}").try_into().expect("a URI is ASCII");
        let mut params = CertificateParams::default();
        params.subject_alt_names = modules.iter().map(|module| SanType::URI(uri(module))).collect();
        params.extended_key_usages =
            vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        let key = KeyPair::generate().expect("a key can be made");
        let certificate = params.signed_by(&key, &self.0).expect("a CA can sign");
        (certificate.pem(), key.serialize_pem())
    }
}

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

    fn file(&self, kind: &str) -> PathBuf {
        self.directory.join(format!("{}.{kind}", self.modules.join("-")))
    }

    /// Gives it a certificate of `authority`.
    pub fn issue(&self, authority: &Authority) {
        let (certificate, key) = authority.sign(self.modules);
        fs::write(self.file("cert"), certificate).expect("a certificate can be written");
        fs::write(self.file("cert-key"), key).expect("a key can be written");
    }

    /// Has it believe these CAs and no others.
    pub fn believe(&self, authorities: &[&Authority]) {
        let pem: String = authorities.iter().map(|authority| authority.pem()).collect();
        fs::write(self.file("ca"), pem).expect("a CA can be written");
    }

    /// What it shows: certificate and key in PEM.
    pub fn shown(&self) -> String {
        ["cert", "cert-key"].map(|kind| fs::read_to_string(self.file(kind)).expect("it was issued")).concat()
    }

    /// What it is told of them.
    pub(super) fn settings(&self) -> [String; 3] {
        [("cert_file", "cert"), ("key_file", "cert-key"), ("ca_file", "ca")]
            .map(|(key, kind)| format!("--set=private.tls.{key}={}", self.file(kind).display()))
    }
}
