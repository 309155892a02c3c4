//! Documents of others, asked for over HTTP: where to, how much, how long.
//!
//! SECURITY: threats F01 to F07. The address that is connected to is looked at, not only the name: private, local
//! and reserved ones are refused unless the operator allows their network; there only, plain http
//! will do. No redirect is followed, no proxy asked, and nothing larger or slower than the bounds
//! is read.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{ACCEPT, CACHE_CONTROL};
use reqwest::{Client, Url, redirect};
use service::workload::{Fetch, Fetched, NotFetched};

/// The largest document.
const MAX_BYTES: usize = 256 * 1024;
/// How long a connection may take to come about.
const CONNECT: Duration = Duration::from_secs(3);
/// How long all of it may take.
const ANSWERED_WITHIN: Duration = Duration::from_secs(5);

/// IPv4 networks that are nobody's on the internet (RFC 6890 and its successors).
const RESERVED_V4: [(Ipv4Addr, u8); 14] = [
    (Ipv4Addr::new(0, 0, 0, 0), 8),
    (Ipv4Addr::new(10, 0, 0, 0), 8),
    (Ipv4Addr::new(100, 64, 0, 0), 10),
    (Ipv4Addr::new(127, 0, 0, 0), 8),
    (Ipv4Addr::new(169, 254, 0, 0), 16),
    (Ipv4Addr::new(172, 16, 0, 0), 12),
    (Ipv4Addr::new(192, 0, 0, 0), 24),
    (Ipv4Addr::new(192, 0, 2, 0), 24),
    (Ipv4Addr::new(192, 168, 0, 0), 16),
    (Ipv4Addr::new(198, 18, 0, 0), 15),
    (Ipv4Addr::new(198, 51, 100, 0), 24),
    (Ipv4Addr::new(203, 0, 113, 0), 24),
    (Ipv4Addr::new(224, 0, 0, 0), 4),
    (Ipv4Addr::new(240, 0, 0, 0), 4),
];
/// The IPv6 networks that are somebody's: global unicast, without those that stand for others.
const GLOBAL_V6: (Ipv6Addr, u8) = (Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);
const RESERVED_V6: [(Ipv6Addr, u8); 3] = [
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23),
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32),
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16),
];

/// Where may be asked.
#[derive(Clone, Debug, Default)]
pub struct Reach {
    allowed: Vec<IpNet>,
}

impl Reach {
    /// The internet, and these networks.
    pub fn new(allowed: Vec<IpNet>) -> Self {
        Self { allowed }
    }

    fn is_allowed(&self, address: IpAddr) -> bool {
        self.allowed.iter().any(|net| net.contains(&address.to_canonical()))
    }

    fn reaches(&self, address: IpAddr) -> bool {
        self.is_allowed(address) || is_public(address.to_canonical())
    }
}

fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => {
            let within =
                |(net, bits): (Ipv4Addr, u8)| Ipv4Net::new_assert(net, bits).contains(&address);
            !RESERVED_V4.into_iter().any(within)
        }
        IpAddr::V6(address) => {
            let within =
                |(net, bits): (Ipv6Addr, u8)| Ipv6Net::new_assert(net, bits).contains(&address);
            within(GLOBAL_V6) && !RESERVED_V6.into_iter().any(within)
        }
    }
}

/// Names to addresses, of which only those stay that may be asked.
struct Resolver {
    reach: Arc<Reach>,
    /// Only networks that the operator allows: what is asked goes in the clear.
    in_the_clear: bool,
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let (reach, in_the_clear) = (Arc::clone(&self.reach), self.in_the_clear);
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let fits = |address: &SocketAddr| match in_the_clear {
                true => reach.is_allowed(address.ip()),
                false => reach.reaches(address.ip()),
            };
            let addresses: Vec<SocketAddr> = found.filter(fits).collect();
            if addresses.is_empty() {
                return Err(format!("`{}` has no address that may be asked", name.as_str()).into());
            }
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}

/// Asks for documents.
pub struct Outbound {
    reach: Arc<Reach>,
    encrypted: Client,
    in_the_clear: Client,
}

impl Outbound {
    /// Asks only where `reach` goes.
    ///
    /// # Errors
    /// When there are no roots to check servers by.
    pub fn new(reach: Reach) -> Result<Self, reqwest::Error> {
        // Whoever came first has installed the same.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let reach = Arc::new(reach);
        let client = |in_the_clear| {
            Client::builder()
                .redirect(redirect::Policy::none())
                .no_proxy()
                .connect_timeout(CONNECT)
                .timeout(ANSWERED_WITHIN)
                .dns_resolver(Arc::new(Resolver { reach: Arc::clone(&reach), in_the_clear }))
                .build()
        };
        Ok(Self { encrypted: client(false)?, in_the_clear: client(true)?, reach })
    }

    fn client(&self, url: &Url) -> Result<&Client, NotFetched> {
        let refused = || NotFetched(format!("`{url}` may not be asked"));
        if !url.username().is_empty() || url.password().is_some() {
            return Err(refused());
        }
        let host = url.host_str().unwrap_or_default();
        // An address in place of a name is never resolved, so it is looked at here.
        let address: Option<IpAddr> = host.trim_matches(['[', ']']).parse().ok();
        match url.scheme() {
            "https" if address.is_none_or(|address| self.reach.reaches(address)) => {
                Ok(&self.encrypted)
            }
            "http" if address.is_none_or(|address| self.reach.is_allowed(address)) => {
                Ok(&self.in_the_clear)
            }
            _ => Err(refused()),
        }
    }
}

#[async_trait]
impl Fetch for Outbound {
    async fn fetch(&self, url: &str) -> Result<Fetched, NotFetched> {
        let address = Url::parse(url).map_err(|_| NotFetched(format!("`{url}` is no address")))?;
        let client = self.client(&address)?;
        let lost = |error: reqwest::Error| {
            let error = error.without_url();
            let cause = std::error::Error::source(&error).map(ToString::to_string);
            NotFetched(format!("`{url}`: {error}: {}", cause.unwrap_or_default()))
        };
        let request = client.get(address).header(ACCEPT, "application/json");
        let mut response = request.send().await.map_err(lost)?;
        if response.status() != reqwest::StatusCode::OK {
            return Err(NotFetched(format!("`{url}` answers {}", response.status())));
        }
        let cached = response.headers().get(CACHE_CONTROL).and_then(|value| value.to_str().ok());
        let max_age_s = cached.and_then(max_age);
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(lost)? {
            if body.len() + chunk.len() > MAX_BYTES {
                return Err(NotFetched(format!("`{url}` sends more than 256 kB")));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Fetched { body, max_age_s })
    }
}

/// How long an answer may be kept by its Cache-Control; `None` where it does not say.
fn max_age(cache_control: &str) -> Option<i64> {
    let mut directives = cache_control.split(',').map(str::trim);
    let not_kept = |directive: &str| {
        ["no-store", "no-cache"].iter().any(|no| directive.eq_ignore_ascii_case(no))
    };
    if directives.clone().any(not_kept) {
        return Some(0);
    }
    let (_, seconds) = directives.find_map(|directive| {
        directive.split_once('=').filter(|(name, _)| name.eq_ignore_ascii_case("max-age"))
    })?;
    seconds.trim_matches('"').parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn f01_f02_addresses_that_are_nobodys_on_the_internet_are_not_asked() {
        let outbound = Outbound::new(Reach::default()).unwrap();
        let may = |url: &str| outbound.client(&Url::parse(url).unwrap()).is_ok();
        for url in [
            "https://127.0.0.1",
            "https://10.1.2.3",
            "https://169.254.169.254/latest",
            "https://100.64.0.1",
            "https://0.0.0.0",
            "https://[::1]",
            "https://[fe80::1]",
            "https://[fd00::1]",
            "https://[::ffff:10.0.0.1]",
            "https://[64:ff9b::a00:1]",
            "https://[2002:a00:1::]",
            "https://0x7f000001",
            "https://2130706433",
            "http://93.184.216.34",
            "http://127.0.0.1",
            "ftp://93.184.216.34",
            "https://me@93.184.216.34",
        ] {
            assert!(!may(url), "{url}");
        }
        assert!(may("https://93.184.216.34") && may("https://[2606:2800:220:1::1]"));
        let near = Outbound::new(Reach::new(vec!["10.1.0.0/16".parse().unwrap()])).unwrap();
        let may = |url: &str| near.client(&Url::parse(url).unwrap()).is_ok();
        assert!(
            may("http://10.1.2.3") && may("https://10.1.2.3") && may("https://[::ffff:10.1.2.3]")
        );
        assert!(!may("https://10.2.2.3") && !may("http://93.184.216.34"));
    }

    #[tokio::test]
    async fn f03_f04_a_name_is_asked_only_at_addresses_that_may_be() {
        let resolver = |allowed: Vec<IpNet>, in_the_clear| {
            let reach = Arc::new(Reach::new(allowed));
            Resolver { reach, in_the_clear }
        };
        let local: Vec<IpNet> = vec!["127.0.0.0/8".parse().unwrap(), "::1/128".parse().unwrap()];
        let name = || "localhost".parse::<Name>().unwrap();
        assert!(resolver(Vec::new(), false).resolve(name()).await.is_err());
        assert!(resolver(local.clone(), false).resolve(name()).await.is_ok());
        assert!(resolver(local, true).resolve(name()).await.is_ok());
    }

    #[test]
    fn a_documents_age_is_read_from_its_cache_control() {
        assert_eq!(max_age("public, max-age=3600, must-revalidate"), Some(3600));
        assert_eq!(max_age("no-cache"), Some(0));
        assert_eq!(max_age("public"), None);
        assert_eq!(max_age("max-age=much"), None);
    }
}
