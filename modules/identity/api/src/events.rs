//! The types of the events that identity tells. Thin: they say what changed and where, not how it looks now.

/// Somebody registered. Payload: `user_id`, `space_id`.
pub const USER_REGISTERED: &str = "user.registered";
/// Somebody logged in. Payload: `session_id`, `user_id`.
pub const SESSION_CREATED: &str = "session.created";
/// A session ended before its time. Payload: `session_id`, `user_id`, `reason`.
pub const SESSION_REVOKED: &str = "session.revoked";
/// A household was made. Payload: `space_id`, `user_id` of its first owner.
pub const SPACE_CREATED: &str = "space.created";
/// Somebody became a member. Payload: `space_id`, `user_id`, `role`.
pub const MEMBER_ADDED: &str = "member.added";
/// A member's role changed. Payload: `space_id`, `user_id`, `role`.
pub const MEMBER_ROLE_CHANGED: &str = "member.role_changed";
/// Somebody is no longer a member. Payload: `space_id`, `user_id`.
pub const MEMBER_REMOVED: &str = "member.removed";
