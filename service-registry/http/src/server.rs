//! The receiving side: `POST /rpc/{service}/v{version}/{method}` on the private listener, and for whoever calls the
//! first time `GET /rpc/{service}` (the fingerprints of its contracts) and `GET /rpc/{service}/v{version}` (the shapes).

use std::pin::pin;
use std::sync::Arc;

use actix_web::http::{Method, StatusCode};
use actix_web::{HttpRequest, HttpResponse, web};
use bytes::Bytes;
use service_registry::{CallContext, CallError, Dispatch, Registry, Reply};

use crate::auth::{CallerVerifier, authenticate};
use crate::gone::CallerWatch;
use crate::refusal::{Asked, Reason};
use crate::verifier::ServiceVerifier;
use crate::wire::{CONTRACT, REFUSAL, REPLAYED, context_from_headers};

/// Largest body of a call, in bytes.
pub const BODY_LIMIT_BYTES: usize = 32 * 1024 * 1024;

/// Who is let in: services by their tokens and certificates, users by their tokens.
pub struct RpcAuth {
    pub services: ServiceVerifier,
    pub callers: Arc<dyn CallerVerifier>,
    /// Whether callers must show a certificate that names the service of their token. True over TLS; see
    /// [`crate::Tls::server_config`].
    pub certificates: bool,
}

/// Mounts the calls to everything that `registry` provides, now or later:
/// `App::new().configure(rpc_routes(&registry, &auth))`.
pub fn rpc_routes(
    registry: &Registry,
    auth: &Arc<RpcAuth>,
) -> impl FnOnce(&mut web::ServiceConfig) + Clone + use<> {
    let door = web::Data::new(Door { registry: registry.clone(), auth: Arc::clone(auth) });
    // A scope with one handler for all below it, and not a pattern with names: actix matches those with a
    // regular expression, which takes longer than the rest of a small call.
    move |config| {
        config.service(web::scope("/rpc").app_data(door).default_service(web::to(answer)));
    }
}

struct Door {
    registry: Registry,
    auth: Arc<RpcAuth>,
}

async fn answer(door: web::Data<Door>, request: HttpRequest, body: web::Payload) -> HttpResponse {
    if request.method() == Method::GET {
        return door.introduce(&request).await.unwrap_or_else(Refused::into_response);
    }
    let admitted = match Address::of(&request) {
        Ok(address) => door.admit(address, &request, body).await,
        Err(refused) => Err(refused),
    };
    match admitted {
        // A caller is watched only while there is work for them: the wait for a body ends with its connection anyway.
        Ok(call) => match CallerWatch::of(&request).unless_gone(pin!(call.run())).await {
            Some(response) => response,
            // A read was dropped with its caller, a write goes on by itself; nobody hears this.
            None => HttpResponse::RequestTimeout().finish(),
        },
        Err(refused) => refused.into_response(),
    }
}

/// What is called: `/rpc/{service}/v{version}/{method}`.
#[derive(Clone, Copy)]
struct Address<'a> {
    service: &'a str,
    version: u32,
    method: &'a str,
}

impl<'a> Address<'a> {
    fn of(request: &'a HttpRequest) -> Result<Self, Refused> {
        if request.method() != Method::POST {
            return Err(Refused(StatusCode::METHOD_NOT_ALLOWED, CallError::protocol("a call is a POST")));
        }
        Self::parse(request.path()).ok_or_else(|| not_here(format!("nothing to call at {}", request.path())))
    }

    fn parse(path: &'a str) -> Option<Self> {
        let mut segments = path.strip_prefix("/rpc/")?.split('/');
        let (service, version, method) = (segments.next()?, segments.next()?, segments.next()?);
        let version = version.strip_prefix('v')?.parse().ok()?;
        segments.next().is_none().then_some(Self { service, version, method })
    }
}

fn not_here(what: String) -> Refused {
    Refused(StatusCode::NOT_FOUND, CallError::protocol(what))
}

/// A call that was let in, with its arguments.
struct Admitted<'a> {
    dispatcher: Arc<dyn Dispatch>,
    /// The service whose token came with it.
    caller: String,
    method: &'a str,
    cx: CallContext,
    arguments: Bytes,
}

impl Admitted<'_> {
    async fn run(self) -> HttpResponse {
        match self.dispatcher.dispatch(&self.caller, self.method, self.cx.clone(), self.arguments).await {
            Ok(reply) => write_reply(&self.cx, reply),
            Err(error) => Refused::from(error).into_response(),
        }
    }
}

impl Door {
    /// Who calls and whether they may is settled before a byte of the body is read, and whether there is time before
    /// the work.
    async fn admit<'a>(
        &self,
        address: Address<'a>,
        request: &HttpRequest,
        body: web::Payload,
    ) -> Result<Admitted<'a>, Refused> {
        let (auth, Address { service, method, .. }) = (&self.auth, address);
        let asked = Asked::of(request, service, self.registry.descriptor(service), method);
        let sender = authenticate(&asked, auth).await?;
        let dispatcher = self.dispatcher(&address)?;
        if !self.registry.permissions().allow(&sender.service, service, method) {
            return Err(asked.refuse(auth, Some(&sender.service), Reason::Method).into());
        }
        let believed = request.headers().get(&CONTRACT.read);
        if believed.is_some_and(|believed| believed.as_bytes() != dispatcher.mark().as_bytes()) {
            return Err(Refused(StatusCode::PRECONDITION_FAILED, CallError::unavailable(service)));
        }
        let cx = context_from_headers(request.headers(), sender.caller)?;
        let arguments = tokio::time::timeout_at(cx.deadline().into(), read(body))
            .await
            .map_err(|_| CallError::deadline_exceeded(service, method))??;
        Ok(Admitted { dispatcher, caller: sender.service, method, cx, arguments })
    }

    /// Says what a caller must agree with, to those who may call.
    async fn introduce(&self, request: &HttpRequest) -> Result<HttpResponse, Refused> {
        let nothing = || not_here(format!("nothing to read at {}", request.path()));
        let path = request.path().strip_prefix("/rpc/").ok_or_else(nothing)?;
        let (service, version) = path.split_once("/v").map_or((path, None), |(name, v)| (name, Some(v)));
        authenticate(&Asked::of(request, service, self.registry.descriptor(service), "contract"), &self.auth)
            .await?;
        let offer = self.registry.offer(service).ok_or_else(|| self.absent(service))?;
        let Some(version) = version else { return Ok(HttpResponse::Ok().json(offer)) };
        let version = version.parse().map_err(|_| nothing())?;
        let dispatcher = self.registry.dispatcher(service, version).ok_or_else(nothing)?;
        Ok(HttpResponse::Ok().json(dispatcher.contract()))
    }

    fn dispatcher(&self, address: &Address<'_>) -> Result<Arc<dyn Dispatch>, Refused> {
        let Address { service, version, method } = *address;
        let Some(dispatcher) = self.registry.dispatcher(service, version) else {
            return Err(match self.registry.offer(service) {
                Some(_) => not_here(format!("service {service} has no version {version} here")),
                None => self.absent(service),
            });
        };
        if !dispatcher.methods().iter().any(|known| known.name == method) {
            return Err(not_here(format!("service {service} v{version} has no method {method}")));
        }
        Ok(dispatcher)
    }
}

impl Door {
    fn absent(&self, service: &str) -> Refused {
        match self.registry.runs(service) {
            // Not provided yet: this process is still starting, so the caller should wait.
            true => CallError::unavailable(service).into(),
            false => not_here(format!("no service {service} here")),
        }
    }
}

async fn read(body: web::Payload) -> Result<Bytes, Refused> {
    match body.to_bytes_limited(BODY_LIMIT_BYTES).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(_)) => Err(CallError::protocol("the body broke off").into()),
        Err(_) => {
            let limit = CallError::protocol(format!("a call is at most {BODY_LIMIT_BYTES} bytes"));
            Err(Refused(StatusCode::PAYLOAD_TOO_LARGE, limit))
        }
    }
}

fn write_reply(cx: &CallContext, reply: Reply) -> HttpResponse {
    let (mut response, body) = match reply {
        Reply::Answer(body) => (HttpResponse::Ok(), body),
        Reply::Refusal(body) => {
            let mut response = HttpResponse::UnprocessableEntity();
            response.insert_header((REFUSAL.read.clone(), "1"));
            (response, body)
        }
    };
    if cx.was_replayed() {
        response.insert_header((REPLAYED.read.clone(), "true"));
    }
    response.content_type("application/json").body(body)
}

/// A call that was not let through, and its status.
struct Refused(StatusCode, CallError);

impl From<CallError> for Refused {
    fn from(error: CallError) -> Self {
        let status = match &error {
            CallError::Unavailable { .. } | CallError::Overloaded { .. } | CallError::Incompatible(_) => {
                StatusCode::SERVICE_UNAVAILABLE
            }
            CallError::DeadlineExceeded { .. } => StatusCode::GATEWAY_TIMEOUT,
            CallError::Refused { .. } => StatusCode::FORBIDDEN,
            CallError::Protocol { .. } => StatusCode::BAD_REQUEST,
            CallError::DepthExceeded | CallError::Panicked { .. } | CallError::Failed { .. } => {
                StatusCode::INTERNAL_SERVER_ERROR
            }
        };
        Self(status, error)
    }
}

impl Refused {
    fn into_response(self) -> HttpResponse {
        let Self(status, error) = self;
        let mut response = HttpResponse::build(status);
        if let Some(wait_ms) = error.retry_after_ms() {
            response.insert_header(("retry-after", wait_ms.div_ceil(1000).to_string()));
        }
        response.json(error)
    }
}
