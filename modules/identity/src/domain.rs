//! The rules: what an address, a password and a name may be, and what a refresh token is worth when it comes.

use identity_api::{NewUser, Secret};
use kernel::{FieldError, Instant};

use crate::Lifetimes;

/// RFC 5321 §4.5.3.1.3, less the angle brackets.
const MAX_EMAIL: usize = 254;
/// RFC 5321 §4.5.3.1.1.
const MAX_LOCAL_PART: usize = 64;
/// NIST SP 800-63B asks for 8 at least; with nothing but length to go by, a few more.
const MIN_PASSWORD: usize = 12;
const MAX_PASSWORD: usize = 128;
const MAX_NAME: usize = 100;
/// Enough to tell a phone from a browser.
const MAX_CLIENT: usize = 200;
const DEFAULT_SPACE_NAME: &str = "Household";

/// A registration that is acceptable, all of it normal.
#[derive(Debug)]
pub(crate) struct Registration {
    pub(crate) email: String,
    pub(crate) password: Secret,
    pub(crate) name: Option<String>,
    pub(crate) space_name: String,
}

impl Registration {
    /// Reads it, or says everything that is wrong with it.
    pub(crate) fn read(user: NewUser) -> Result<Self, Vec<FieldError>> {
        let mut faults = Vec::new();
        let mut note = |fault| faults.push(fault);
        let email = normal_email(&user.email).map_err(&mut note).ok();
        check_password(&user.password).unwrap_or_else(&mut note);
        let name = user.name.map(|name| normal_name("/name", &name)).transpose();
        let name = name.unwrap_or_else(|fault| {
            note(fault);
            None
        });
        let space_name = user.space_name.as_deref().unwrap_or(DEFAULT_SPACE_NAME);
        let space_name = normal_name("/space_name", space_name).map_err(&mut note).ok();
        match (email, space_name) {
            (Some(email), Some(space_name)) if faults.is_empty() => {
                Ok(Self { email, password: user.password, name, space_name })
            }
            _ => Err(faults),
        }
    }
}

/// The address trimmed and in lower case. Whether it exists only a letter can tell, so little is asked of it.
pub(crate) fn normal_email(text: &str) -> Result<String, FieldError> {
    let email = text.trim().to_lowercase();
    let no_address = || FieldError::new("/email", "invalid", "not an e-mail address");
    let (local, domain) = email.rsplit_once('@').ok_or_else(no_address)?;
    let broken =
        |part: &str| part.is_empty() || part.starts_with('.') || part.ends_with('.') || part.contains("..");
    let strange =
        |c: char| c.is_whitespace() || c.is_control() || matches!(c, '@' | '"' | '<' | '>' | ',' | ';');
    if broken(local) || broken(domain) || local.contains(strange) || domain.contains(strange) {
        return Err(no_address());
    }
    if email.len() > MAX_EMAIL || local.len() > MAX_LOCAL_PART {
        return Err(FieldError::new("/email", "too_long", "the address is too long"));
    }
    Ok(email)
}

fn check_password(password: &Secret) -> Result<(), FieldError> {
    match password.reveal().chars().count() {
        ..MIN_PASSWORD => {
            Err(FieldError::new("/password", "too_short", format!("at least {MIN_PASSWORD} characters")))
        }
        MIN_PASSWORD..=MAX_PASSWORD => Ok(()),
        _ => Err(FieldError::new("/password", "too_long", format!("at most {MAX_PASSWORD} characters"))),
    }
}

/// A name for people to read, trimmed.
pub(crate) fn normal_name(pointer: &str, text: &str) -> Result<String, FieldError> {
    let name = text.trim();
    match name.chars().count() {
        0 => Err(FieldError::new(pointer, "empty", "must not be empty")),
        length if length > MAX_NAME => {
            Err(FieldError::new(pointer, "too_long", format!("at most {MAX_NAME} characters")))
        }
        _ if name.contains(char::is_control) => {
            Err(FieldError::new(pointer, "invalid", "must not hold control characters"))
        }
        _ => Ok(name.to_owned()),
    }
}

/// What a client says it is, cut to what can be shown in a list; nothing where it says nothing.
pub(crate) fn normal_client(client: Option<&str>) -> Option<String> {
    let shown: String = client?.chars().filter(|c| !c.is_control()).take(MAX_CLIENT).collect();
    let shown = shown.trim();
    (!shown.is_empty()).then(|| shown.to_owned())
}

/// When a session that is used now ends, unless it is used again before.
pub(crate) fn session_end(lifetimes: &Lifetimes, created_at: Instant, now: Instant) -> Instant {
    (now + lifetimes.idle_session()).min(created_at + lifetimes.session())
}

/// A use of a refresh token, as it was written down.
#[derive(Clone, Debug)]
pub(crate) struct Use {
    pub(crate) at: Instant,
    pub(crate) by: Option<String>,
}

/// What to do when a refresh token comes that is still in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It comes for the first time: give the next one.
    Rotate,
    /// The answer to the first use may have been lost: give the same next one.
    Repeat,
    /// Two have it, so one is a thief (RFC 9700 §4.14.2).
    Reuse,
}

/// Judges a token by its earlier use.
pub(crate) fn judge(
    earlier: Option<&Use>,
    client: Option<&str>,
    now: Instant,
    lifetimes: &Lifetimes,
) -> Verdict {
    match earlier {
        None => Verdict::Rotate,
        Some(used) if used.by.as_deref() == client && now < used.at + lifetimes.refresh_grace() => {
            Verdict::Repeat
        }
        Some(_) => Verdict::Reuse,
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    fn new_user(email: &str, password: &str) -> NewUser {
        NewUser { email: email.into(), password: Secret::new(password), name: None, space_name: None }
    }

    #[test]
    fn addresses_are_trimmed_and_lower_case() {
        assert_eq!(normal_email("  Ada@Example.ORG ").unwrap(), "ada@example.org");
        assert_eq!(normal_email("ada@localhost").unwrap(), "ada@localhost");
    }

    #[test]
    fn what_is_no_address_is_refused() {
        let long = format!("{}@example.org", "a".repeat(65));
        for text in [
            "",
            "ada",
            "@example.org",
            "ada@",
            "a da@example.org",
            "ada@exa mple",
            "a@b@c",
            "ada@.org",
            &long,
        ] {
            assert!(normal_email(text).is_err(), "{text}");
        }
    }

    #[test]
    fn every_fault_of_a_registration_is_named_at_once() {
        let user =
            NewUser { name: Some(" ".into()), space_name: Some("\u{7}".into()), ..new_user("ada", "short") };
        let faults = Registration::read(user).unwrap_err();
        let pointers: Vec<_> = faults.iter().map(|fault| fault.pointer.as_str()).collect();
        assert_eq!(pointers, ["/email", "/password", "/name", "/space_name"]);
    }

    #[test]
    fn passwords_are_counted_in_characters() {
        assert!(Registration::read(new_user("ada@example.org", &"é".repeat(12))).is_ok());
        assert!(Registration::read(new_user("ada@example.org", &"é".repeat(11))).is_err());
        assert!(Registration::read(new_user("ada@example.org", &"é".repeat(129))).is_err());
    }

    #[test]
    fn a_token_may_come_twice_from_one_client_within_the_grace() {
        let (at, lifetimes) = (kernel::now(), Lifetimes::default());
        let used = Use { at, by: Some("phone".into()) };
        let judged =
            |client, seconds| judge(Some(&used), client, at + TimeDelta::seconds(seconds), &lifetimes);
        assert_eq!(judge(None, None, at, &lifetimes), Verdict::Rotate);
        assert_eq!(judged(Some("phone"), 29), Verdict::Repeat);
        assert_eq!(judged(Some("phone"), 30), Verdict::Reuse);
        assert_eq!(judged(Some("other"), 1), Verdict::Reuse);
        assert_eq!(judged(None, 1), Verdict::Reuse);
    }

    #[test]
    fn use_moves_the_end_of_a_session_but_not_past_its_longest() {
        let (created, lifetimes) = (kernel::now(), Lifetimes::default());
        let end = |days| session_end(&lifetimes, created, created + TimeDelta::days(days)) - created;
        assert_eq!(end(0), TimeDelta::days(30));
        assert_eq!(end(10), TimeDelta::days(40));
        assert_eq!(end(80), TimeDelta::days(90));
    }

    #[test]
    fn clients_are_cut_to_what_can_be_shown() {
        assert_eq!(normal_client(Some("curl/8\r\nX: y")), Some("curl/8X: y".into()));
        assert_eq!(normal_client(Some(" ")), None);
        assert_eq!(normal_client(Some(&"x".repeat(500))).map(|client| client.len()), Some(200));
    }
}
