//! Which issuers are trusted: a TOML file.

use crate::keys::Algorithm;
use hyper::Uri;
use postern_vocab::{is_reserved_id, split_subject};
use serde::Deserialize;
use std::net::IpAddr;

/// What the file says.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Each `[[issuer]]`.
    #[serde(rename = "issuer")]
    pub issuers: Vec<IssuerSettings>,
}

/// One issuer.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IssuerSettings {
    /// The `iss` of its tokens, to the letter; its metadata is at `/.well-known/openid-configuration` below it.
    pub issuer: String,
    /// What its tokens have to be for: one of these in `aud`.
    pub audience: OneOrMany,
    /// The organization that its subjects belong to.
    pub organization: Option<String>,
    /// Or the claim that says which: for an issuer that is trusted for every organization.
    pub organization_claim: Option<String>,
    /// What a subject is called, with claims in braces.
    #[serde(default = "user_sub")]
    pub subject: String,
    /// With which algorithms it may sign.
    #[serde(default = "all")]
    pub algorithms: Vec<Algorithm>,
    /// Refuses tokens whose header does not say `at+jwt` (RFC 9068).
    #[serde(default)]
    pub require_at_jwt: bool,
    /// Where its keys are, instead of where its metadata says.
    pub jwks_uri: Option<String>,
}

/// A text or a list of texts.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum OneOrMany {
    /// One.
    One(String),
    /// Several.
    Many(Vec<String>),
}

impl OneOrMany {
    /// All of them.
    pub fn all(&self) -> &[String] {
        match self {
            OneOrMany::One(one) => std::slice::from_ref(one),
            OneOrMany::Many(many) => many,
        }
    }
}

fn user_sub() -> String {
    "user:{sub}".to_owned()
}

fn all() -> Vec<Algorithm> {
    Algorithm::ALL.to_vec()
}

/// Why the file cannot be used: where, what is wrong, and what would be right.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SettingsError(String);

impl Settings {
    /// Reads the file's text.
    ///
    /// # Errors
    /// The line of what is no such file; the issuer whose settings do not go together.
    pub fn parse(text: &str) -> Result<Self, SettingsError> {
        let settings: Settings =
            toml::from_str(text).map_err(|error| SettingsError(error.to_string().trim_end().to_owned()))?;
        if settings.issuers.is_empty() {
            return Err(SettingsError("it names no [[issuer]]".to_owned()));
        }
        for issuer in &settings.issuers {
            issuer.check().map_err(|what| SettingsError(format!("issuer `{}`: {what}", issuer.issuer)))?;
        }
        for (number, one) in settings.issuers.iter().enumerate() {
            for other in &settings.issuers[..number] {
                if one.issuer == other.issuer {
                    return Err(SettingsError(format!("issuer `{}` is there twice", one.issuer)));
                }
                if one.may_be_mistaken_for(other) {
                    return Err(SettingsError(format!(
                        "issuers `{}` and `{}` could both speak for the same subject: a `sub` means something to its issuer \
                         only. Let what stands before the first brace of `subject` differ (`{}` and `{}`), so that neither \
                         begins with the other",
                        other.issuer, one.issuer, other.subject, one.subject
                    )));
                }
            }
        }
        Ok(settings)
    }
}

impl IssuerSettings {
    fn check(&self) -> Result<(), String> {
        if !may_be_asked(&self.issuer) {
            return Err("an issuer is an https:// address without query, or http:// on loopback".to_owned());
        }
        if let Some(uri) = &self.jwks_uri
            && !may_be_asked(uri)
        {
            return Err(format!("jwks_uri `{uri}`: write an https:// address, or http:// on loopback"));
        }
        if self.audience.all().is_empty() || self.audience.all().iter().any(String::is_empty) {
            return Err("`audience` is empty: say what its tokens for this gateway are for".to_owned());
        }
        if self.algorithms.is_empty() {
            return Err("`algorithms` is empty".to_owned());
        }
        match (&self.organization, &self.organization_claim) {
            (Some(id), None) if !id.is_empty() => {}
            (None, Some(claim)) if !claim.is_empty() => {}
            _ => {
                return Err("write either `organization`, the one that its subjects belong to, or \
                    `organization_claim`, the claim that says which"
                    .to_owned());
            }
        }
        let template = Template::parse(&self.subject)?;
        let sample: String = template.0.iter().map(|part| part.text().unwrap_or("x")).collect();
        match split_subject(&sample) {
            Some((kind, id)) if !matches!(kind, "group" | "role") && !is_reserved_id(id) => {}
            _ => {
                return Err(format!(
                    "subject `{}` is not `<type>:<id>` of somebody who can ask, such as `user:{{sub}}`",
                    self.subject
                ));
            }
        }
        match self.prefix().contains(':') && template.0.iter().any(|part| part.text().is_none()) {
            true => Ok(()),
            false => Err(format!("subject `{}`: a claim has to stand behind the type", self.subject)),
        }
    }

    /// What every subject of the issuer begins with.
    fn prefix(&self) -> &str {
        self.subject.split('{').next().unwrap_or_default()
    }

    fn may_be_mistaken_for(&self, other: &Self) -> bool {
        let apart = matches!((&self.organization, &other.organization), (Some(one), Some(two)) if one != two);
        let (one, two) = (self.prefix(), other.prefix());
        !apart && (one.starts_with(two) || two.starts_with(one))
    }
}

/// A subject's name, with claims in it.
#[derive(Clone, Debug)]
pub(crate) struct Template(Vec<Part>);

#[derive(Clone, Debug)]
enum Part {
    Text(String),
    Claim(String),
}

impl Part {
    fn text(&self) -> Option<&str> {
        match self {
            Part::Text(text) => Some(text),
            Part::Claim(_) => None,
        }
    }
}

impl Template {
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, behind)) = rest.split_once('{') {
            let wrong = || format!("subject `{text}`: a brace is not closed around the name of a claim");
            let (claim, after) = behind.split_once('}').ok_or_else(wrong)?;
            if claim.is_empty() || claim.contains('{') || before.contains('}') {
                return Err(wrong());
            }
            parts.push(Part::Text(before.to_owned()));
            parts.push(Part::Claim(claim.to_owned()));
            rest = after;
        }
        if rest.contains('}') {
            return Err(format!("subject `{text}`: a brace is closed that was not opened"));
        }
        parts.push(Part::Text(rest.to_owned()));
        Ok(Template(parts))
    }

    /// With claims filled in; `None` where one is missing, empty, or no text.
    pub(crate) fn fill<'c>(&self, claim: impl Fn(&str) -> Option<&'c str>) -> Option<String> {
        let mut filled = String::new();
        for part in &self.0 {
            match part {
                Part::Text(text) => filled.push_str(text),
                Part::Claim(name) => filled.push_str(claim(name).filter(|value| !value.is_empty())?),
            }
        }
        Some(filled)
    }
}

/// Whether an address may be asked: nobody on the way can answer instead.
pub(crate) fn may_be_asked(address: &str) -> bool {
    let Ok(uri) = address.parse::<Uri>() else { return false };
    let (Some(scheme), Some(host)) = (uri.scheme_str(), uri.host()) else { return false };
    let plain = !address.contains(['?', '#', '@', ' ']);
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let loopback = host == "localhost" || bare.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
    plain && (scheme == "https" || scheme == "http" && loopback)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> String {
        Settings::parse(text).unwrap_err().to_string()
    }

    const GOOD: &str =
        "[[issuer]]\nissuer = \"https://id.example\"\naudience = \"postern\"\norganization = \"acme\"\n";

    #[test]
    fn a_file_says_whom_to_trust_for_whom() {
        let settings = Settings::parse(GOOD).unwrap();
        let issuer = &settings.issuers[0];
        assert_eq!(
            (issuer.subject.as_str(), issuer.audience.all()),
            ("user:{sub}", &["postern".to_owned()][..])
        );
        assert_eq!(issuer.algorithms, Algorithm::ALL);
    }

    #[test]
    fn what_is_wrong_is_named() {
        assert!(error("").contains("missing field `issuer`"), "{}", error(""));
        let odd = error(&format!("{GOOD}odd = 1\n"));
        assert!(odd.contains("line 5") && odd.contains("odd"), "{odd}");
        let changed = |from: &str, to: &str| error(&GOOD.replace(from, to));
        for (from, to, what) in [
            ("https://id", "http://id", "https://"),
            ("https://id.example", "https://id.example?x=1", "https://"),
            ("audience = \"postern\"", "audience = []", "`audience` is empty"),
            ("organization = \"acme\"", "", "`organization_claim`"),
            (
                "organization = \"acme\"",
                "organization = \"acme\"\norganization_claim = \"o\"",
                "`organization_claim`",
            ),
            (
                "organization = \"acme\"",
                "organization = \"acme\"\nsubject = \"user:ann\"",
                "a claim has to stand",
            ),
            (
                "organization = \"acme\"",
                "organization = \"acme\"\nsubject = \"{type}:{sub}\"",
                "a claim has to stand",
            ),
            (
                "organization = \"acme\"",
                "organization = \"acme\"\nsubject = \"group:{sub}\"",
                "somebody who can ask",
            ),
            ("organization = \"acme\"", "organization = \"acme\"\nsubject = \"user:{sub\"", "not closed"),
            ("organization = \"acme\"", "organization = \"acme\"\nalgorithms = [\"HS256\"]", "HS256"),
            ("organization = \"acme\"", "organization = \"acme\"\njwks_uri = \"ftp://x\"", "jwks_uri"),
        ] {
            let told = changed(from, to);
            assert!(told.contains(what), "{to}: {told}");
        }
    }

    #[test]
    fn two_issuers_never_speak_for_one_subject() {
        let second = |rest: &str| {
            format!("{GOOD}[[issuer]]\nissuer = \"https://two.example\"\naudience = \"postern\"\n{rest}")
        };
        assert!(error(&second("organization = \"acme\"")).contains("same subject"));
        assert!(error(&second("organization_claim = \"org\"")).contains("same subject"));
        let inside = "organization = \"acme\"\nsubject = \"user:partner/{sub}\"";
        assert!(error(&second(inside)).contains("same subject"));
        for good in ["organization = \"other\"", "organization = \"acme\"\nsubject = \"service:{sub}\""] {
            assert!(Settings::parse(&second(good)).is_ok(), "{good}");
        }
        assert!(error(&format!("{GOOD}{GOOD}")).contains("twice"));
    }

    #[test]
    fn plain_http_is_for_loopback() {
        for good in ["https://id.example/a/b", "http://127.0.0.1:9", "http://localhost:9/x", "http://[::1]:9"]
        {
            assert!(may_be_asked(good), "{good}");
        }
        for bad in
            ["http://id.example", "https://a@b", "id.example", "https://", "http://127.0.0.1.evil.example"]
        {
            assert!(!may_be_asked(bad), "{bad}");
        }
    }
}
