//! A CA of our own.

use std::fs;
use std::path::Path;

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

    /// Writes `name.pem` and `name-key.pem`, for whoever is known by these names.
    pub fn issue(&self, directory: &Path, name: &str, named: &[&str]) {
        let uri = |name: &&str| format!("spiffe://tributary/{name}").try_into().expect("a URI is ASCII");
        let mut params = CertificateParams::default();
        params.subject_alt_names = named.iter().map(|name| SanType::URI(uri(name))).collect();
        params.extended_key_usages =
            vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        let key = KeyPair::generate().expect("a key can be made");
        let certificate = params.signed_by(&key, &self.0).expect("a CA can sign");
        for (file, pem) in
            [(format!("{name}.pem"), certificate.pem()), (format!("{name}-key.pem"), key.serialize_pem())]
        {
            fs::write(directory.join(file), pem).expect("a certificate can be written");
        }
    }
}
