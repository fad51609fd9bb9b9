//! The base URL of a remote service: scheme, host and port, no path; or a Unix socket of this machine.

use std::os::unix::net::SocketAddr;

/// The path of the Unix socket that `url` means, such as `/run/tributary/ledger.sock` for
/// `unix:///run/tributary/ledger.sock`; none for an address.
pub fn socket_of(url: &str) -> Option<&str> {
    url.strip_prefix("unix://")
}

/// Says what is wrong with the base URL of a remote service.
pub fn check_url(url: &str) -> Result<(), &'static str> {
    if let Some(path) = socket_of(url) {
        return check_socket(path);
    }
    let rest = url
        .strip_prefix("http://")
        .or_else(|| url.strip_prefix("https://"))
        .ok_or("must start with http://, https:// or unix://")?;
    let authority = rest.strip_suffix('/').unwrap_or(rest);
    if authority.contains(['/', '?', '#']) {
        return Err("must not have a path, a query or a fragment");
    }
    if authority.contains('@') {
        return Err("must not hold a user or a password");
    }
    check_authority(authority)
}

/// No character that a URL would write in another way, so that there is one way to write a path.
fn check_socket(path: &str) -> Result<(), &'static str> {
    if !path.starts_with('/') || path.ends_with('/') {
        return Err("must name a socket by its absolute path, as unix:///run/tributary/ledger.sock does");
    }
    if !path.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '/' | '.' | '-' | '_' | '+')) {
        return Err("has a path with characters other than letters, digits and / . - _ +");
    }
    if path.split('/').any(|segment| matches!(segment, "." | "..")) {
        return Err("has a path with . or .. in it");
    }
    SocketAddr::from_pathname(path).map(drop).map_err(|_| "has a path that is too long for a socket")
}

fn check_authority(authority: &str) -> Result<(), &'static str> {
    let (host, port) = match authority.strip_prefix('[') {
        Some(v6) => {
            let (address, rest) = v6.split_once(']').ok_or("has an unclosed bracket")?;
            address.parse::<std::net::Ipv6Addr>().map_err(|_| "has a bad IPv6 address")?;
            (address, rest)
        }
        None => authority.find(':').map_or((authority, ""), |colon| authority.split_at(colon)),
    };
    if host.is_empty() {
        return Err("has no host");
    }
    if !host.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':')) {
        return Err("has a bad host name");
    }
    match port.strip_prefix(':').map(str::parse::<u16>) {
        None if port.is_empty() => Ok(()),
        Some(Ok(1..)) => Ok(()),
        _ => Err("has a bad port"),
    }
}

#[cfg(test)]
mod tests {
    use super::{check_url, socket_of};

    #[test]
    fn base_urls_of_a_listener_are_good() {
        for url in [
            "http://127.0.0.1:9101",
            "https://ledger.tributary.svc:9102/",
            "http://[::1]:80",
            "http://ledger",
        ] {
            assert_eq!(check_url(url), Ok(()), "{url}");
        }
    }

    #[test]
    fn a_socket_is_named_by_its_path() {
        for path in ["/run/tributary/ledger.sock", "/tmp/a-b_c+1/x"] {
            let url = format!("unix://{path}");
            assert_eq!((check_url(&url), socket_of(&url)), (Ok(()), Some(path)));
        }
        assert_eq!(socket_of("http://ledger:7130"), None);
        let long = format!("unix:///{}", "x".repeat(200));
        assert_eq!(check_url(&long), Err("has a path that is too long for a socket"));
    }

    #[test]
    fn anything_else_is_named() {
        for url in [
            "unix:/run/ledger.sock",
            "unix://run/ledger.sock",
            "unix://",
            "unix:///",
            "unix:///run/",
            "unix:///run/../ledger.sock",
            "unix:///run/a%20b",
            "unix:///run/a b",
            "unix:///run/x?y",
            "ledger:9101",
            "ftp://ledger",
            "http://",
            "http://:80",
            "http://ledger/rpc",
            "http://me@ledger",
            "http://ledger:0",
            "http://ledger:port",
            "http://ledger:70000",
            "http://led ger",
            "http://[::1",
        ] {
            assert!(check_url(url).is_err(), "{url}");
        }
    }
}
