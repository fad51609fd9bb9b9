//! Door 1: the public routes.

mod access;
mod sessions;
mod spaces;
mod users;

use std::sync::Arc;

use actix_web::{HttpRequest, http::header, web};
use identity_api::Identity;
use platform::Routes;
use service_registry::ServiceClient;

/// The client through which the routes ask; the same whether the service answers here or elsewhere.
type Client = web::Data<ServiceClient<dyn Identity>>;

/// The public routes of identity over any client of it.
pub fn routes(identity: ServiceClient<dyn Identity>) -> Routes {
    let identity = web::Data::new(identity);
    Arc::new(move |config| {
        config
            .app_data(Client::clone(&identity))
            .service(users::register)
            .service(users::me)
            .service(access::log_in)
            .service(access::refresh)
            .service(access::jwks)
            .service(sessions::list)
            .service(sessions::revoke_all)
            // Before `{id}`, which would take the word for an id.
            .service(sessions::revoke_current)
            .service(sessions::find)
            .service(sessions::revoke)
            .service(spaces::list)
            .service(spaces::create)
            .service(spaces::list_members)
            .service(spaces::add_member)
            .service(spaces::change_role)
            .service(spaces::remove_member);
    })
}

/// What the client says it is.
fn user_agent(request: &HttpRequest) -> Option<String> {
    let value = request.headers().get(header::USER_AGENT)?;
    Some(String::from_utf8_lossy(value.as_bytes()).into_owned())
}
