use std::sync::Arc;

use kernel::{Denied, Principal, Role, Scope, SpaceId, UserId};
use service_registry::{CallContext, Caller, Proof};

/// Who asks, where a person asks within a household; nothing for anyone else.
pub fn principal(cx: &CallContext) -> Option<Principal> {
    let caller = cx.caller()?;
    Some(Principal {
        user: UserId(caller.subject),
        space: SpaceId(caller.space?),
        session: caller.session.map(Into::into),
        role: caller.role.parse::<Role>().ok()?,
    })
}

/// Who asks, provided that they may.
pub fn may(cx: &CallContext, scope: Scope) -> Result<Principal, Denied> {
    let who = principal(cx).ok_or(Denied::Unauthenticated)?;
    if who.may(scope) { Ok(who) } else { Err(Denied::Forbidden(scope)) }
}

/// A caller for work that goes on after the user's request: the module vouches for it with its own key.
pub fn delegated(principal: &Principal) -> Caller {
    let scopes: Arc<[String]> =
        principal.role.scopes().iter().map(|scope| scope.as_str().to_owned()).collect();
    Caller {
        subject: principal.user.0,
        space: Some(principal.space.0),
        session: None,
        role: principal.role.to_string(),
        scopes,
        proof: Proof::Delegated,
    }
}
