//! What is not let in: one line in the log says who asked for what, and a counter counts it.

use std::net::SocketAddr;

use actix_web::HttpRequest;
use actix_web::http::header::HeaderMap;
use metrics::counter;
use service_registry::{CallError, Permissions, ServiceDescriptor};
use tracing::warn;

use crate::gone::Certified;
use crate::server::RpcAuth;
use crate::wire::{REQUEST_ID, text_header};

/// Most characters of a name that is nowhere known, in the log.
const SHOWN: usize = 80;

/// Why somebody is not let in. Their words are what [`Reason::label`] gives to metrics, and stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    #[error("no service token")]
    NoToken,
    #[error("not a token")]
    NotAToken,
    #[error("not a service token")]
    NotAServiceToken,
    #[error("a token of another algorithm")]
    OtherAlgorithm,
    #[error("a token without an issuer")]
    NoIssuer,
    #[error("a service without a known key")]
    UnknownService,
    #[error("a forged token")]
    Forged,
    #[error("an expired token")]
    Expired,
    #[error("a token for another target")]
    OtherTarget,
    #[error("an unreadable token")]
    Unreadable,
    #[error("a token in another service's name")]
    OtherName,
    #[error("a token from the future")]
    FromTheFuture,
    #[error("a token that lives too long")]
    LivesTooLong,
    #[error("a service that may not vouch for a user here")]
    MayNotVouch,
    #[error("a user token beside a delegated caller")]
    TwoUsers,
    #[error("a user token that is no good")]
    UserToken,
    #[error("{}", Permissions::REFUSAL)]
    Method,
    #[error("no certificate")]
    NoCertificate,
    #[error("a certificate of another service")]
    OtherCertificate,
    #[error("a public route, and only a gateway passes those on")]
    NotAGateway,
    #[error("a public route for a user without their own token")]
    NoUserToken,
    #[error("what is for operators alone")]
    NotAnOperator,
}

impl Reason {
    /// The value of the label `reason` of `rpc_refusals_total`; stable.
    pub fn label(self) -> &'static str {
        match self {
            Self::NoToken => "no_token",
            Self::NotAToken => "not_a_token",
            Self::NotAServiceToken => "not_a_service_token",
            Self::OtherAlgorithm => "other_algorithm",
            Self::NoIssuer => "no_issuer",
            Self::UnknownService => "unknown_service",
            Self::Forged => "forged",
            Self::Expired => "expired",
            Self::OtherTarget => "other_target",
            Self::Unreadable => "unreadable",
            Self::OtherName => "other_name",
            Self::FromTheFuture => "from_the_future",
            Self::LivesTooLong => "lives_too_long",
            Self::MayNotVouch => "may_not_vouch",
            Self::TwoUsers => "two_users",
            Self::UserToken => "user_token",
            Self::Method => "method",
            Self::NoCertificate => "no_certificate",
            Self::OtherCertificate => "other_certificate",
            Self::NotAGateway => "not_a_gateway",
            Self::NoUserToken => "no_user_token",
            Self::NotAnOperator => "not_an_operator",
        }
    }
}

/// A request at the door of the private listener: who is asked for what.
pub struct Asked<'a> {
    /// The service by the name that the request gives.
    pub(crate) target: &'a str,
    /// The same where there is such a service.
    known: Option<&'static str>,
    /// Its method, or the path of its public route.
    what: &'a str,
    pub(crate) headers: &'a HeaderMap,
    peer: Option<SocketAddr>,
    /// The services that the certificate of the connection names.
    certificate: Option<&'a [String]>,
}

impl<'a> Asked<'a> {
    /// `service` is what is known of `target`.
    pub fn of(
        request: &'a HttpRequest,
        target: &'a str,
        service: Option<&ServiceDescriptor>,
        what: &'a str,
    ) -> Self {
        let known = service.map(|service| service.name);
        let certificate = request.conn_data::<Certified>().and_then(|certified| certified.0.as_deref());
        Self { target, known, what, headers: request.headers(), peer: request.peer_addr(), certificate }
    }

    /// What the certificate of the connection says against `caller`, where certificates are asked for. Without a
    /// caller, that there has to be one.
    pub(crate) fn judge_certificate(&self, auth: &RpcAuth, caller: Option<&str>) -> Option<Reason> {
        match (self.certificate, caller) {
            _ if !auth.certificates => None,
            (None, _) => Some(Reason::NoCertificate),
            (Some(named), Some(caller)) => {
                let names = named.iter().any(|service| service == caller);
                (!names).then_some(Reason::OtherCertificate)
            }
            (Some(_), None) => None,
        }
    }

    /// Refuses a connection that has shown no certificate, where one is asked for.
    pub fn check_certificate(&self, auth: &RpcAuth) -> Result<(), CallError> {
        match self.judge_certificate(auth, None) {
            Some(reason) => Err(self.refuse(auth, None, reason)),
            None => Ok(()),
        }
    }

    /// Writes down that `caller`, as far as anybody knows who that is, is not let in, and gives what to answer.
    pub fn refuse(&self, auth: &RpcAuth, caller: Option<&str>, reason: Reason) -> CallError {
        // Labels and messages hold names that we know; what a stranger makes up is cut and quoted.
        let service = self.known.unwrap_or("unknown");
        let known = caller.filter(|caller| auth.services.knows(caller)).unwrap_or("unknown");
        let labels = [
            ("service", service.to_owned()),
            ("caller", known.to_owned()),
            ("reason", reason.label().to_owned()),
        ];
        counter!("rpc_refusals_total", &labels).increment(1);
        warn!(
            service = cut(self.target),
            method = cut(self.what),
            caller = caller.map_or("unknown", cut),
            reason = reason.label(),
            request_id = text_header(self.headers, &REQUEST_ID).ok().flatten().map(cut),
            certificate = self.certificate.map(|named| tracing::field::display(named.join(" "))),
            peer = self.peer.map(tracing::field::display),
            "Refused {known} a call to {service}: {reason}"
        );
        CallError::refused(format!("{reason} (call to {})", self.target))
    }
}

/// As much of a name that somebody made up as a line of the log should hold.
pub(crate) fn cut(name: &str) -> &str {
    name.char_indices().nth(SHOWN).map_or(name, |(end, _)| &name[..end])
}
