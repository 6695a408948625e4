//! Where webhooks may be told: what whoever runs the gateway has named, and nowhere else.

/// `<scheme>://<host>[:port]`, where the host may begin with `*.` for whatever is below it, or be `*` for every one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    https: bool,
    host: String,
    port: u16,
}

impl Target {
    /// Reads a target.
    ///
    /// # Errors
    /// What is wrong, for people.
    pub fn parse(text: &str) -> Result<Target, String> {
        let wrong =
            || "write https://hooks.example.com, https://*.example.com, or http://localhost:9000".to_owned();
        let (https, host, port, rest) = split(text).ok_or_else(wrong)?;
        let name = host.strip_prefix("*.").unwrap_or(&host);
        if !rest.is_empty() || (name.contains('*') && host != "*") {
            return Err(wrong());
        }
        Ok(Target { https, host, port })
    }

    /// Whether a webhook's address is one of these.
    pub fn allows(&self, url: &str) -> bool {
        let Some((https, host, port, _)) = split(url) else { return false };
        let named = match self.host.strip_prefix('*') {
            Some("") => true,
            Some(below) => host.len() > below.len() && host.ends_with(below),
            None => host == self.host,
        };
        named && https == self.https && port == self.port
    }
}

/// Whether a text is an address that can be told something, without a name and password, or a fragment, in it.
pub fn is_url(text: &str) -> bool {
    split(text).is_some_and(|(_, host, ..)| !host.contains('*'))
        && text.parse::<axum::http::Uri>().is_ok_and(|uri| uri.host().is_some())
}

/// Whether it is `https`, the host, the port, and what comes after.
fn split(text: &str) -> Option<(bool, String, u16, &str)> {
    let (https, rest) = match text.strip_prefix("https://") {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix("http://")?),
    };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, rest) = rest.split_at(end);
    if rest.contains('#') || authority.contains(['@', '\\', ' ']) || !authority.is_ascii() {
        return None;
    }
    // An address in brackets has colons of its own.
    let colon = authority.rfind(':').filter(|colon| !authority[*colon..].contains(']'));
    let (host, port) = match colon {
        Some(colon) => (&authority[..colon], authority[colon + 1..].parse().ok()?),
        None => (authority, if https { 443 } else { 80 }),
    };
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    (!host.is_empty() && port > 0).then_some((https, host, port, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_allowed_by_its_scheme_host_and_port() {
        let allows = |target: &str, url: &str| Target::parse(target).unwrap().allows(url);
        for (target, url) in [
            ("https://hooks.example.com", "https://hooks.example.com/a?b=c"),
            ("https://hooks.example.com", "https://HOOKS.example.com:443"),
            ("https://hooks.example.com", "https://hooks.example.com./x"),
            ("https://*.example.com", "https://a.b.example.com/"),
            ("https://*", "https://anything"),
            ("http://localhost:9000", "http://localhost:9000/hook"),
            ("http://[::1]:9000", "http://[::1]:9000/hook"),
        ] {
            assert!(allows(target, url) && is_url(url), "{target} {url}");
        }
        for (target, url) in [
            ("https://hooks.example.com", "http://hooks.example.com/"),
            ("https://hooks.example.com", "https://hooks.example.com:8443/"),
            ("https://hooks.example.com", "https://hooks.example.com.evil.example/"),
            ("https://hooks.example.com", "https://evil.example/hooks.example.com"),
            ("https://hooks.example.com", "https://hooks.example.com@evil.example/"),
            ("https://hooks.example.com", "https://evil.example\\@hooks.example.com/"),
            ("https://*.example.com", "https://example.com/"),
            ("https://*.example.com", "https://evilexample.com/"),
            ("https://*", "http://anything/"),
            ("http://localhost:9000", "http://localhost/"),
        ] {
            assert!(!allows(target, url), "{target} {url}");
        }
        for bad in [
            "",
            "example.com",
            "ftp://a",
            "https://",
            "https://a/b",
            "https://a*",
            "https://*a.b",
            "https://a:0",
            "https://a:x",
            "https://*.*.b",
        ] {
            assert!(Target::parse(bad).is_err(), "{bad}");
        }
        for bad in ["https://*/", "https://a/#b", "https://a b/", "file:///etc/passwd", "https://:443/", "/a"]
        {
            assert!(!is_url(bad), "{bad}");
        }
    }
}
