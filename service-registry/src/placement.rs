//! Where the calls of a service go, in the words that configuration, operators and the wire share.

mod percent;
mod url;

use std::fmt;

use serde::{Deserialize, Serialize};

pub use self::percent::Percent;
pub use self::url::{check_url, socket_of};

/// Where calls of one service go. May be changed while they run: [`crate::Registry::place`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Placement {
    pub side: Side,
    /// How much of a split goes remote. A key (the space of the caller) stays on its side while this does not
    /// change, and moves once as it grows.
    pub share: Percent,
    /// Private listeners of processes that are alike, each a scheme, a host and a port, or a Unix socket by its path:
    /// `unix:///run/tributary/ledger.sock`. A name that stands for several addresses stands for as many endpoints.
    pub urls: Vec<String>,
    /// Who answers when the remote side does not. Both sides must work on one database.
    pub fallback: Fallback,
    /// When the remote side is given up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub guard: Option<Guard>,
    /// Whether reads run on the other side too, for their answers to be compared.
    pub shadow: bool,
}

/// Who answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// This process.
    #[default]
    Local,
    /// Another one.
    Remote,
    /// Another one for a share of the keys, this one for the others.
    Split,
}

/// Who answers in place of the remote side.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Fallback {
    /// Nobody: the call is `Unavailable`.
    #[default]
    None,
    Local,
}

/// How bad the remote side may become. One of the two limits must be given; a breach rolls the placement back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Guard {
    /// Calls without an answer, in percent of all of the window. A refusal by the callee is an answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_percent: Option<Percent>,
    /// Time within which 99 of 100 calls must end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p99_ms: Option<u64>,
    /// How far back it looks. Shorter: a hiccup rolls back; longer: users suffer longer.
    pub window_ms: u64,
    /// Calls in the window below which nothing is judged.
    pub least_calls: u64,
}

/// Looks at ten seconds with twenty calls at least, and has no limit yet.
impl Default for Guard {
    fn default() -> Self {
        Self { error_percent: None, p99_ms: None, window_ms: 10_000, least_calls: 20 }
    }
}

impl Placement {
    pub fn local() -> Self {
        Self::default()
    }

    /// In one other process.
    pub fn remote(url: impl Into<String>) -> Self {
        Self::remote_at([url.into()])
    }

    /// In other processes that are alike.
    pub fn remote_at(urls: impl IntoIterator<Item = String>) -> Self {
        Self { side: Side::Remote, urls: urls.into_iter().collect(), ..Self::default() }
    }

    /// A share of the keys in other processes that are alike, the others here.
    pub fn split(share: Percent, urls: impl IntoIterator<Item = String>) -> Self {
        Self { side: Side::Split, share, ..Self::remote_at(urls) }
    }

    /// Whether an implementation in this process may be asked.
    pub(crate) fn stays_in(&self) -> bool {
        self.side != Side::Remote || self.fallback == Fallback::Local || self.shadow
    }

    /// Whether another process may be asked.
    pub(crate) fn goes_out(&self) -> bool {
        self.side != Side::Local || self.shadow
    }

    /// How much of the keys another process answers.
    pub(crate) fn remote_share(&self) -> Percent {
        match self.side {
            Side::Local => Percent::NONE,
            Side::Remote => Percent::ALL,
            Side::Split => self.share,
        }
    }
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Local => "local",
            Self::Remote => "remote",
            Self::Split => "split",
        })
    }
}

impl fmt::Display for Placement {
    /// As logs say it: `split, 5 % remote, fallback local`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.side)?;
        if self.side == Side::Split {
            write!(f, ", {} remote", self.share)?;
        }
        if self.fallback == Fallback::Local {
            f.write_str(", fallback local")?;
        }
        if self.guard.is_some() {
            f.write_str(", guarded")?;
        }
        if self.shadow {
            f.write_str(", reads shadowed")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn percent(value: f64) -> Percent {
        Percent::try_from(value).unwrap()
    }

    #[test]
    fn every_word_survives_the_wire() {
        let guard =
            Guard { error_percent: Some(percent(2.5)), p99_ms: Some(250), window_ms: 5_000, least_calls: 50 };
        let placement = Placement {
            fallback: Fallback::Local,
            guard: Some(guard),
            shadow: true,
            ..Placement::split(percent(12.5), ["http://ledger:9102".to_owned()])
        };
        let json = serde_json::to_string(&placement).unwrap();
        assert_eq!(
            json,
            r#"{"side":"split","share":12.5,"urls":["http://ledger:9102"],"fallback":"local","guard":{"error_percent":2.5,"p99_ms":250,"window_ms":5000,"least_calls":50},"shadow":true}"#
        );
        assert_eq!(serde_json::from_str::<Placement>(&json).unwrap(), placement);
    }

    #[test]
    fn what_is_not_said_is_as_in_a_monolith_and_what_is_unknown_is_refused() {
        assert_eq!(serde_json::from_str::<Placement>("{}").unwrap(), Placement::local());
        assert_eq!(serde_json::from_str::<Guard>("{}").unwrap().window_ms, 10_000);
        for wrong in [r#"{"shares":5}"#, r#"{"side":"Local"}"#, r#"{"share":101}"#, r#"{"share":0.25}"#] {
            assert!(serde_json::from_str::<Placement>(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_log_line_says_it_in_words() {
        let placement = Placement { fallback: Fallback::Local, ..Placement::split(percent(5.0), []) };
        assert_eq!(placement.to_string(), "split, 5 % remote, fallback local");
    }
}
