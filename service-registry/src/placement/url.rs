//! The base URL of a remote service: scheme, host and port, no path.

/// Says what is wrong with the base URL of a remote service.
pub(crate) fn check_url(url: &str) -> Result<(), &'static str> {
    let rest = url
        .strip_prefix("http://")
        .or_else(|| url.strip_prefix("https://"))
        .ok_or("must start with http:// or https://")?;
    let authority = rest.strip_suffix('/').unwrap_or(rest);
    if authority.contains(['/', '?', '#']) {
        return Err("must not have a path, a query or a fragment");
    }
    if authority.contains('@') {
        return Err("must not hold a user or a password");
    }
    check_authority(authority)
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
    use super::check_url;

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
    fn anything_else_is_named() {
        for url in [
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
