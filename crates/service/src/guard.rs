//! Where the server goes by itself, to endpoints and to issuers: which addresses are spoken to, and
//! which URLs can be saved.
//!
//! SECURITY: the server stands inside a network that its administrators need not all reach. What is
//! not public is refused, by its address and not by its name, when a URL is read and again on the
//! address that is connected to (threats F01 to F04). Only the operator's allow-list permits more.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use url::{Host, Url};

/// The longest URL.
const MAX_URL_CHARS: usize = 2000;

const fn v4(a: u8, b: u8, c: u8, prefix: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, 0), prefix)
}

const fn v6(a: u16, b: u16, prefix: u8) -> Ipv6Net {
    Ipv6Net::new_assert(Ipv6Addr::new(a, b, 0, 0, 0, 0, 0, 0), prefix)
}

/// What is not public of IPv4: the IANA registry of special-purpose addresses, multicast, and the
/// reserved rest.
const SPECIAL_V4: [Ipv4Net; 15] = [
    v4(0, 0, 0, 8),
    v4(10, 0, 0, 8),
    v4(100, 64, 0, 10),
    v4(127, 0, 0, 8),
    v4(169, 254, 0, 16),
    v4(172, 16, 0, 12),
    v4(192, 0, 0, 24),
    v4(192, 0, 2, 24),
    v4(192, 88, 99, 24),
    v4(192, 168, 0, 16),
    v4(198, 18, 0, 15),
    v4(198, 51, 100, 24),
    v4(203, 0, 113, 24),
    v4(224, 0, 0, 4),
    v4(240, 0, 0, 4),
];

/// All that is public of IPv6 is in here; loopback, ULA, link-local, multicast, addresses that carry
/// one of IPv4 (mapped, NAT64) are not.
const GLOBAL_V6: Ipv6Net = v6(0x2000, 0, 3);
/// What is not public within it: protocols and tunnels, documentation, 6to4.
const SPECIAL_V6: [Ipv6Net; 4] =
    [v6(0x2001, 0, 23), v6(0x2001, 0xdb8, 32), v6(0x2002, 0, 16), v6(0x3fff, 0, 20)];

/// What the operator permits beyond the public internet.
#[derive(Clone, Debug, Default)]
pub struct Guard {
    allowed: Vec<IpNet>,
}

/// Why nothing goes there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadUrl {
    #[error("is no URL of the form https://HOST/PATH, in at most 2,000 characters, without spaces")]
    NoUrl,
    #[error("must not have a user name, a password or a part after #")]
    Extras,
    #[error(
        "must begin with https://; http:// is only for networks that the operator allows (see `countersign serve --help`)"
    )]
    Insecure,
    #[error(
        "names an address that is not public; the operator can allow its network (see `countersign serve --help`)"
    )]
    NotPublic,
}

impl Guard {
    /// Permits these networks beside what is public.
    pub fn new(allowed: Vec<IpNet>) -> Self {
        Self { allowed }
    }

    /// Whether an address may be connected to. Without TLS, only one that the operator allows.
    pub fn permits(&self, address: IpAddr, encrypted: bool) -> bool {
        let address = address.to_canonical();
        self.allowed.iter().any(|net| net.contains(&address)) || encrypted && is_public(address)
    }

    /// Reads a URL, in its one written form.
    ///
    /// # Errors
    /// [`BadUrl`] says what is wrong with it.
    pub fn read(&self, text: &str) -> Result<Url, BadUrl> {
        // The parser drops or turns some of these; what was typed must be what is meant (F02).
        let odd = |c: char| c.is_whitespace() || c.is_control() || c == '\\';
        if text.len() > MAX_URL_CHARS || text.contains(odd) {
            return Err(BadUrl::NoUrl);
        }
        let url = Url::parse(text).map_err(|_| BadUrl::NoUrl)?;
        let has_extras =
            !url.username().is_empty() || url.password().is_some() || url.fragment().is_some();
        let encrypted = match url.scheme() {
            "https" => true,
            "http" => false,
            _ => return Err(BadUrl::NoUrl),
        };
        if has_extras {
            return Err(BadUrl::Extras);
        }
        match literal(&url) {
            Some(address) if self.permits(address, encrypted) => Ok(url),
            Some(address) if self.permits(address, true) => Err(BadUrl::Insecure),
            Some(_) => Err(BadUrl::NotPublic),
            None if url.host_str().unwrap_or_default().is_empty() => Err(BadUrl::NoUrl),
            // What the name stands for is told when it is connected to.
            None if encrypted || !self.allowed.is_empty() => Ok(url),
            None => Err(BadUrl::Insecure),
        }
    }
}

/// The address that a URL names without any look-up. `localhost` is one (RFC 6761 §6.3).
pub fn literal(url: &Url) -> Option<IpAddr> {
    match url.host()? {
        Host::Ipv4(address) => Some(address.into()),
        Host::Ipv6(address) => Some(address.into()),
        Host::Domain(name) => {
            let name = name.trim_end_matches('.');
            let local = name == "localhost" || name.ends_with(".localhost");
            local.then_some(Ipv4Addr::LOCALHOST.into())
        }
    }
}

fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => !SPECIAL_V4.iter().any(|net| net.contains(&address)),
        IpAddr::V6(address) => {
            GLOBAL_V6.contains(&address) && !SPECIAL_V6.iter().any(|net| net.contains(&address))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOT_PUBLIC: [&str; 28] = [
        "127.0.0.1",
        "0.0.0.0",
        "10.0.0.1",
        "100.64.0.1",
        "100.127.255.255",
        "169.254.169.254",
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.1",
        "192.0.2.1",
        "192.168.1.1",
        "198.18.0.1",
        "198.51.100.1",
        "203.0.113.1",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "[::1]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[::ffff:a00:1]",
        "[64:ff9b::7f00:1]",
        "[64:ff9b::808:808]",
        "[fc00::1]",
        "[fe80::1]",
        "[ff02::1]",
        "[2001:db8::1]",
        "[2002:7f00:1::1]",
    ];

    fn allowing(nets: &[&str]) -> Guard {
        Guard::new(nets.iter().map(|net| net.parse().unwrap()).collect())
    }

    #[test]
    fn f01_what_is_not_public_is_refused_at_save_and_when_it_is_connected_to() {
        let guard = Guard::default();
        for host in NOT_PUBLIC {
            assert_eq!(guard.read(&format!("https://{host}/x")), Err(BadUrl::NotPublic), "{host}");
            let address: IpAddr = host.trim_matches(['[', ']']).parse().unwrap();
            assert!(!guard.permits(address, true), "{host}");
        }
        for name in ["localhost", "LOCALHOST", "a.localhost", "localhost."] {
            assert_eq!(guard.read(&format!("https://{name}/x")), Err(BadUrl::NotPublic), "{name}");
        }
        for host in
            ["8.8.8.8", "100.128.0.1", "172.32.0.1", "[2606:4700::1111]", "[::ffff:808:808]"]
        {
            assert!(guard.read(&format!("https://{host}/x")).is_ok(), "{host}");
        }
    }

    #[test]
    fn f01_the_operator_permits_more_and_only_that() {
        let guard = allowing(&["127.0.0.1/32", "fd00::/8"]);
        for good in [
            "http://127.0.0.1:80/x",
            "https://[fd12::1]/",
            "http://localhost/",
            "https://[::ffff:127.0.0.1]/",
            "http://bridge.internal/",
        ] {
            assert!(guard.read(good).is_ok(), "{good}");
        }
        assert_eq!(guard.read("http://127.0.0.2/x"), Err(BadUrl::NotPublic));
        assert_eq!(guard.read("http://8.8.8.8/x"), Err(BadUrl::Insecure));
        assert!(!guard.permits("8.8.8.8".parse().unwrap(), false), "http goes nowhere else");
    }

    #[test]
    fn f02_another_spelling_gets_the_verdict_of_the_canonical_form() {
        let guard = Guard::default();
        for host in [
            "2130706433",
            "0x7f.1",
            "0177.0.0.1",
            "127.1",
            "127.0.0.1.",
            "ⓛocalhost",
            "%6cocalhost",
            "１２７.0.0.1",
            "0",
            "[0:0:0:0:0:ffff:7f00:1]",
        ] {
            assert_eq!(guard.read(&format!("https://{host}/x")), Err(BadUrl::NotPublic), "{host}");
        }
        for odd in [
            "https://good.example\\@127.0.0.1/",
            "https://good.example/\n",
            " https://a.example",
            "https://a\t.example",
        ] {
            assert_eq!(guard.read(odd), Err(BadUrl::NoUrl), "{odd:?}");
        }
        for extras in [
            "https://user@good.example/",
            "https://:p@good.example/",
            "https://good.example/#@127.0.0.1",
        ] {
            assert_eq!(guard.read(extras), Err(BadUrl::Extras), "{extras}");
        }
        for other in [
            "",
            "good.example",
            "ftp://good.example/",
            "file:///etc/passwd",
            "https://",
            "https:///",
            "unix:/x",
            "https://300.1.1.1/",
        ] {
            assert!(guard.read(other).is_err(), "{other}");
        }
        let long = format!("https://good.example/{}", "x".repeat(MAX_URL_CHARS));
        assert_eq!(guard.read(&long), Err(BadUrl::NoUrl));
    }

    #[test]
    fn http_is_refused_where_nothing_is_allowed() {
        assert_eq!(Guard::default().read("http://good.example/"), Err(BadUrl::Insecure));
        assert!(Guard::default().read("https://good.example/").is_ok());
    }
}
