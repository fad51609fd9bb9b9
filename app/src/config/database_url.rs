use std::fmt;
use std::net::IpAddr;

use reqwest::Url;
use serde::Deserialize;

/// Where the database is; may hold a password, so it is never shown as it is.
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct DatabaseUrl(String);

impl From<String> for DatabaseUrl {
    fn from(url: String) -> Self {
        Self(url)
    }
}

impl DatabaseUrl {
    /// The URL with its password, for the driver alone; nothing when SQLite in the data directory is meant.
    pub fn expose(&self) -> Option<&str> {
        (!self.0.is_empty()).then_some(self.0.as_str())
    }

    /// Whether the driver would connect to this machine: over a local socket, or to a loopback address.
    pub fn is_local(&self) -> bool {
        self.host().is_some_and(|host| {
            let host = host.trim_matches(['[', ']']);
            host.is_empty()
                || host.starts_with('/')
                || host == "localhost"
                || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
        })
    }

    /// Whom the driver connects to: the host of the authority, unless an option names another. Nothing when this is
    /// no URL.
    fn host(&self) -> Option<String> {
        let url = Url::parse(&self.0).ok()?;
        let option = last_option(&url, &["host", "hostaddr"]);
        // A socket's directory stands in the authority with its slashes escaped.
        Some(
            option.unwrap_or_else(|| {
                url.host_str().unwrap_or_default().replace("%2F", "/").replace("%2f", "/")
            }),
        )
    }

    /// Whether the driver is told to insist on TLS.
    pub fn wants_tls(&self) -> bool {
        let mode = Url::parse(&self.0).ok().and_then(|url| last_option(&url, &["sslmode", "ssl-mode"]));
        mode.is_some_and(|mode| {
            ["require", "verify-ca", "verify-full"].iter().any(|insists| mode.eq_ignore_ascii_case(insists))
        })
    }
}

/// What the driver goes by where an option, under any of its names, is given more than once.
fn last_option(url: &Url, names: &[&str]) -> Option<String> {
    let options = url.query_pairs().filter(|(name, _)| names.contains(&name.as_ref()));
    options.last().map(|(_, value)| value.into_owned())
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for DatabaseUrl {
    /// Scheme, host and path; user, password and options left out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some((scheme, rest)) = self.0.split_once("://") else {
            return f.write_str(if self.0.is_empty() { "SQLite" } else { "…" });
        };
        let rest = rest.split('?').next().unwrap_or(rest);
        match rest.rsplit_once('@') {
            Some((_, place)) => write!(f, "{scheme}://…@{place}"),
            None => write!(f, "{scheme}://{rest}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_never_shown() {
        let url = DatabaseUrl::from(
            "postgres://tributary:hun@ter2@db.example:5432/money?password=hunter2".to_owned(),
        );
        for shown in [format!("{url}"), format!("{url:?}")] {
            assert_eq!(shown, "postgres://…@db.example:5432/money");
        }
    }

    fn url(text: &str) -> DatabaseUrl {
        DatabaseUrl::from(text.to_owned())
    }

    #[test]
    fn regression_an_option_can_move_the_database_to_another_machine() {
        for local in [
            "postgres://localhost/money",
            "postgres://127.0.0.1:5432/money",
            "postgres://tributary@[::1]/money",
            "postgres:///money",
            "postgres://%2Fvar%2Frun%2Fpostgresql/money",
            "postgres://db.example/money?host=/var/run/postgresql",
            "postgres://db.example/money?host=%2Fvar%2Frun%2Fpostgresql",
        ] {
            assert!(url(local).is_local(), "{local}");
        }
        for remote in [
            "postgres://db.example/money",
            "postgres://localhost/money?host=db.example",
            "postgres://localhost/money?hostaddr=192.0.2.1",
            "postgres://localhost/money?h%6fst=db.example",
            "postgres:///money?host=localhost&host=db.example",
            "postgres://localhost@db.example/money",
            "not a url",
        ] {
            assert!(!url(remote).is_local(), "{remote}");
        }
    }

    #[test]
    fn regression_only_the_option_that_counts_says_whether_tls_is_wanted() {
        let wants = |options: &str| url(&format!("postgres://db.example/money?{options}")).wants_tls();
        assert!(wants("sslmode=require") && wants("ssl-mode=verify-ca") && wants("a=b&sslmode=VERIFY-FULL"));
        assert!(wants("sslmode=disable&sslmode=verify-full"));
        assert!(!wants("sslmode=verify-full&ssl-mode=disable"));
        assert!(!wants("application_name=sslmode=require"));
        assert!(!wants("sslmode=prefer") && !wants("xsslmode=require"));
        assert!(!url("postgres://sslmode=require@db.example/money").wants_tls());
    }
}
