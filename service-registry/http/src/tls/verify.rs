use std::sync::Arc;

use metrics::counter;
use rustls::client::ResolvesClientCert;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::verify_tls13_signature;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{CertificateError, DigitallySignedStruct, DistinguishedName, Error, SignatureScheme};
use tracing::warn;

use super::Tls;
use super::material::provider;

/// What comes before a service's name in the URI of its certificate.
const URI: &str = "spiffe://tributary/";

/// The services that a certificate names: by URI, or as whole DNS names.
pub(crate) fn services_named(certificate: &CertificateDer<'_>) -> Vec<String> {
    let Ok(certificate) = webpki::EndEntityCert::try_from(certificate) else { return Vec::new() };
    let by_uri = certificate.valid_uri_names().filter_map(|uri| uri.strip_prefix(URI));
    by_uri.chain(certificate.valid_dns_names()).map(str::to_owned).collect()
}

/// Shows our own certificate, to callers and to callees.
#[derive(Debug)]
pub(super) struct Own(pub(super) Arc<Tls>);

impl Own {
    fn now(&self) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0.current.load().own))
    }
}

impl ResolvesServerCert for Own {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.now()
    }
}

impl ResolvesClientCert for Own {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.now()
    }

    fn has_certs(&self) -> bool {
        true
    }
}

/// Judges the certificates of those who connect here, by the CA that holds now.
#[derive(Debug)]
pub(super) struct Callers(pub(super) Arc<Tls>);

impl ClientCertVerifier for Callers {
    fn client_auth_mandatory(&self) -> bool {
        false
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        // Hints would have to live as long as we do, and the CA may be another one tomorrow.
        &[]
    }

    fn verify_client_cert(
        &self,
        certificate: &CertificateDer<'_>,
        between: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        let judged = self.0.current.load().callers.verify_client_cert(certificate, between, now);
        judged.inspect_err(|error| {
            let labels = [("service", "unknown"), ("caller", "unknown"), ("reason", "bad_certificate")];
            counter!("rpc_refusals_total", &labels).increment(1);
            let claims = services_named(certificate).join(" ");
            warn!(certificate = claims, %error, "Refused a connection: its certificate is no good");
        })
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(tls12())
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        provider().signature_verification_algorithms.supported_schemes()
    }
}

/// Judges the certificate of whoever answers for a service, or for one of several.
#[derive(Debug)]
pub(super) struct Callee {
    pub(super) tls: Arc<Tls>,
    pub(super) services: Vec<String>,
}

impl ServerCertVerifier for Callee {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        between: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let named = services_named(certificate);
        let judged = self.tls.current.load().verify_callee(certificate, between, now);
        let judged =
            judged.and_then(|()| match self.services.iter().any(|service| named.contains(service)) {
                true => Ok(ServerCertVerified::assertion()),
                false => Err(CertificateError::NotValidForName.into()),
            });
        judged.inspect_err(|error| {
            let (service, claims) = (self.services.join(" or "), named.join(" "));
            warn!(service, certificate = claims, %error, "Refused the certificate of who answers for {service}");
        })
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(tls12())
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        provider().signature_verification_algorithms.supported_schemes()
    }
}

fn tls12() -> Error {
    Error::General("only TLS 1.3 is spoken here".to_owned())
}

fn tls13_signature(
    message: &[u8],
    certificate: &CertificateDer<'_>,
    signed: &DigitallySignedStruct,
) -> Result<HandshakeSignatureValid, Error> {
    verify_tls13_signature(message, certificate, signed, &provider().signature_verification_algorithms)
}
