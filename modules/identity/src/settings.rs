use chrono::TimeDelta;
use identity_api::Clock;

use crate::{PasswordCost, RefreshKey, SigningKey};

/// What identity has to be told by the process that it runs in.
#[derive(Clone, Debug)]
pub struct IdentitySettings {
    /// `iss` of access tokens, and what every process expects there: the public URL of this installation.
    pub issuer: String,
    /// Signs access tokens. All processes of identity have the same one.
    pub signing_key: SigningKey,
    /// Makes refresh tokens. Changed, it ends every session at its next refresh.
    pub refresh_key: RefreshKey,
    /// What a guess at a stolen password hash costs.
    pub password_cost: PasswordCost,
    /// How long things last.
    pub lifetimes: Lifetimes,
    /// Tells the time.
    pub clock: Clock,
}

/// How long tokens and sessions last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lifetimes {
    /// Seconds that an access token is good for. Longer keeps more revocations in memory everywhere; shorter
    /// makes clients refresh more often. 60 to 900.
    pub access_token_s: u32,
    /// Days after which a session that is not used ends. 1 to 90.
    pub idle_session_days: u16,
    /// Days after which every session ends. Not less than `idle_session_days`.
    pub session_days: u16,
    /// Seconds in which a refresh token may come twice, because the first answer was lost. Longer gives a thief
    /// more time; shorter locks out who has a bad line. 0 to 60.
    pub refresh_grace_s: u32,
}

impl Default for Lifetimes {
    fn default() -> Self {
        Self { access_token_s: 600, idle_session_days: 30, session_days: 90, refresh_grace_s: 30 }
    }
}

/// A setting that identity cannot work with.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("identity.{setting}: {reason}")]
pub struct SettingsFault {
    /// Its name.
    pub setting: &'static str,
    /// What is wrong with it.
    pub reason: &'static str,
}

impl IdentitySettings {
    /// Everything that is wrong with them.
    pub fn faults(&self) -> Vec<SettingsFault> {
        let Lifetimes { access_token_s, idle_session_days, session_days, refresh_grace_s } = self.lifetimes;
        let rules = [
            (self.issuer.is_empty(), "issuer", "must not be empty"),
            (!(60..=900).contains(&access_token_s), "access_token_s", "must be 60 to 900"),
            (!(1..=90).contains(&idle_session_days), "idle_session_days", "must be 1 to 90"),
            (session_days < idle_session_days, "session_days", "must not be less than idle_session_days"),
            (refresh_grace_s > 60, "refresh_grace_s", "must be 0 to 60"),
        ];
        let broken = rules.into_iter().filter(|(broken, ..)| *broken);
        broken.map(|(_, setting, reason)| SettingsFault { setting, reason }).collect()
    }
}

impl Lifetimes {
    pub(crate) fn access_token(&self) -> TimeDelta {
        TimeDelta::seconds(self.access_token_s.into())
    }

    pub(crate) fn idle_session(&self) -> TimeDelta {
        TimeDelta::days(self.idle_session_days.into())
    }

    pub(crate) fn session(&self) -> TimeDelta {
        TimeDelta::days(self.session_days.into())
    }

    pub(crate) fn refresh_grace(&self) -> TimeDelta {
        TimeDelta::seconds(self.refresh_grace_s.into())
    }
}
