use std::net::IpAddr;
use std::str::FromStr;

use actix_web::dev::ServiceRequest;

/// A block of addresses in CIDR notation (RFC 4632), or one address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    prefix_bits: u32,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is neither an address nor a network")]
pub struct InvalidNetwork(String);

impl Network {
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(ours), IpAddr::V4(theirs)) => {
                same_prefix(ours.to_bits(), theirs.to_bits(), 32, self.prefix_bits)
            }
            (IpAddr::V6(ours), IpAddr::V6(theirs)) => {
                same_prefix_128(ours.to_bits(), theirs.to_bits(), self.prefix_bits)
            }
            _ => false,
        }
    }
}

fn same_prefix(a: u32, b: u32, width: u32, bits: u32) -> bool {
    (a ^ b).checked_shr(width - bits).unwrap_or(0) == 0
}

fn same_prefix_128(a: u128, b: u128, bits: u32) -> bool {
    (a ^ b).checked_shr(128 - bits).unwrap_or(0) == 0
}

impl FromStr for Network {
    type Err = InvalidNetwork;

    fn from_str(text: &str) -> Result<Self, InvalidNetwork> {
        let invalid = || InvalidNetwork(text.to_owned());
        let (address, bits) =
            text.split_once('/').map_or((text, None), |(address, bits)| (address, Some(bits)));
        let address: IpAddr = address.parse().map_err(|_| invalid())?;
        let widest = if address.is_ipv4() { 32 } else { 128 };
        let prefix_bits = bits.map_or(Ok(widest), |bits| bits.parse().map_err(|_| invalid()))?;
        if prefix_bits > widest { Err(invalid()) } else { Ok(Self { address, prefix_bits }) }
    }
}

/// The address of the client: our peer, or what a chain of trusted proxies says about theirs.
///
/// Read from the right: what stands left of the first address that is no proxy of ours was written by a stranger.
pub(super) fn client_address(req: &ServiceRequest, trusted: &[Network]) -> Option<IpAddr> {
    let is_trusted = |address: &IpAddr| trusted.iter().any(|network| network.contains(*address));
    let mut client = req.peer_addr()?.ip().to_canonical();
    let forwarded = req.headers().get_all("x-forwarded-for").filter_map(|value| value.to_str().ok());
    let hops: Vec<_> = forwarded.flat_map(|value| value.split(',')).map(str::trim).collect();
    for hop in hops.into_iter().rev() {
        if !is_trusted(&client) {
            break;
        }
        let Ok(address) = hop.parse::<IpAddr>() else { break };
        client = address.to_canonical();
    }
    Some(client)
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    fn client(peer: &str, forwarded: &str, trusted: &[&str]) -> String {
        let req = TestRequest::default()
            .peer_addr(format!("{peer}:40000").parse().unwrap())
            .insert_header(("x-forwarded-for", forwarded))
            .to_srv_request();
        let trusted: Vec<Network> = trusted.iter().map(|text| text.parse().unwrap()).collect();
        client_address(&req, &trusted).unwrap().to_string()
    }

    #[test]
    fn a_stranger_cannot_say_whose_address_it_has() {
        assert_eq!(client("203.0.113.7", "198.51.100.1", &["10.0.0.0/8"]), "203.0.113.7");
    }

    #[test]
    fn proxies_are_believed_up_to_the_first_stranger() {
        let trusted = ["10.0.0.0/8"];
        assert_eq!(client("10.0.0.1", "198.51.100.1", &trusted), "198.51.100.1");
        assert_eq!(client("10.0.0.1", "1.1.1.1, 198.51.100.1, 10.2.3.4", &trusted), "198.51.100.1");
        assert_eq!(client("10.0.0.1", "not an address", &trusted), "10.0.0.1");
    }

    #[test]
    fn a_network_holds_what_shares_its_prefix() {
        let holds = |network: &str, address: &str| {
            network.parse::<Network>().unwrap().contains(address.parse().unwrap())
        };
        assert!(holds("10.0.0.0/8", "10.255.0.1") && !holds("10.0.0.0/8", "11.0.0.1"));
        assert!(holds("0.0.0.0/0", "11.0.0.1") && holds("::/0", "2001:db8::1"));
        assert!(holds("2001:db8::/32", "2001:db8:1::1") && !holds("2001:db8::/32", "2001:db9::1"));
        assert!(holds("127.0.0.1", "::ffff:127.0.0.1"));
        for bad in ["10.0.0.0/33", "10.0.0/8", "", "host"] {
            assert!(bad.parse::<Network>().is_err(), "{bad}");
        }
    }
}
