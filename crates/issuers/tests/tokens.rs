//! Tokens of a running issuer: taken, refused, and its keys kept and replaced.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use postern_issuers::dev::{DevIssuer, DevIssuerError};
use postern_issuers::{Identity, Issuers, Refused, Settings};
use serde_json::{Map, Value, json};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_micros() as i64
}

fn claims(value: Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

async fn dev() -> DevIssuer {
    DevIssuer::start("127.0.0.1:0".parse().unwrap(), "postern").await.unwrap()
}

fn trusting(dev: &DevIssuer, rest: &str) -> Issuers {
    let text = format!("[[issuer]]\nissuer = \"{}\"\naudience = \"postern\"\n{rest}", dev.issuer);
    Issuers::new(Settings::parse(&text).unwrap()).unwrap().asking_again_after(Duration::from_millis(200))
}

fn invalid(result: Result<Identity, Refused>) -> &'static str {
    match result {
        Err(Refused::Invalid(why)) => why,
        other => panic!("not refused as invalid: {other:?}"),
    }
}

#[tokio::test]
async fn a_token_is_its_subjects_name() {
    let dev = dev().await;
    let issuers = trusting(&dev, "organization = \"acme\"");
    let token = dev.token(claims(json!({"sub": "ann", "exp": now() / 1_000_000 + 60})));
    let identity = issuers.verify(&token, now()).await.unwrap();
    assert_eq!((identity.organization.as_str(), identity.subject.as_str()), ("acme", "user:ann"));
    assert_eq!(identity.expires_at % 1_000_000, 0);
    // Good until that microsecond, and no longer.
    assert!(issuers.verify(&token, identity.expires_at - 1).await.is_ok());
    assert_eq!(issuers.verify(&token, identity.expires_at).await, Err(Refused::Expired));
    assert_eq!(dev.read(), 1, "keys are asked for once");

    let by_claims = trusting(&dev, "organization_claim = \"org\"\nsubject = \"user:{tenant}/{sub}\"");
    let token = dev.token(claims(json!({"sub": "ann", "org": "other", "tenant": "t7"})));
    let identity = by_claims.verify(&token, now()).await.unwrap();
    assert_eq!((identity.organization.as_str(), identity.subject.as_str()), ("other", "user:t7/ann"));
    for missing in [
        json!({"sub": "ann", "org": "other"}),
        json!({"sub": "ann", "tenant": "t7"}),
        json!({"sub": "ann", "org": "", "tenant": "t7"}),
        json!({"sub": "ann", "org": ["other"], "tenant": "t7"}),
        json!({"sub": "ann", "org": "other", "tenant": ""}),
    ] {
        invalid(by_claims.verify(&dev.token(claims(missing)), now()).await);
    }
}

#[tokio::test]
async fn what_is_no_access_token_for_us_is_refused() {
    let dev = dev().await;
    let issuers = trusting(&dev, "organization = \"acme\"\nalgorithms = [\"EdDSA\", \"ES256\"]");
    let strict = trusting(&dev, "organization = \"acme\"\nrequire_at_jwt = true");
    let second = now() / 1_000_000;
    let good = json!({"sub": "ann"});
    let header = json!({"alg": "EdDSA", "typ": "at+jwt"});
    let with = |name: &str, value: Value| {
        let mut claims = claims(good.clone());
        claims.insert(name.to_owned(), value);
        claims
    };
    for (name, value, why) in [
        ("iss", json!("https://elsewhere.example"), "its issuer is none that is trusted"),
        ("iss", json!(format!("{}/", dev.issuer)), "its issuer is none that is trusted"),
        ("iss", json!([dev.issuer]), "it names no issuer"),
        ("aud", json!("other"), "it is for another audience"),
        ("aud", json!([]), "it is for another audience"),
        ("aud", json!(["postern", 7]), "it is for another audience"),
        ("aud", Value::Null, "it is for another audience"),
        ("sub", json!(""), "it has no subject"),
        ("sub", json!(7), "it has no subject"),
        ("sub", json!("*"), "its subject is none that can ask"),
        ("sub", json!("all"), "its subject is none that can ask"),
        ("exp", json!("soon"), "a time is no number"),
        ("exp", json!(second + 24 * 3600 + 100), "it is good for more than 24 hours"),
        ("exp", json!(1e300), "it is good for more than 24 hours"),
        ("nbf", json!(second + 120), "it is not good yet"),
        ("iat", json!(second + 120), "it is not good yet"),
        ("cnf", json!({"jkt": "x"}), "it is bound to a key, whose proof is not taken"),
    ] {
        assert_eq!(
            invalid(issuers.verify(&dev.token(with(name, value.clone())), now()).await),
            why,
            "{name} {value}"
        );
    }
    assert_eq!(dev.read(), 0, "what is refused anyway makes nobody ask");
    assert!(issuers.verify(&dev.token(with("aud", json!(["other", "postern"]))), now()).await.is_ok());
    assert!(issuers.verify(&dev.token(with("exp", json!(second as f64 + 60.5))), now()).await.is_ok());

    let headed = |header: Value, claims: Map<String, Value>| dev.token_with(header, claims);
    for (alg, typ, more, verdict) in [
        ("EdDSA", json!("application/at+jwt"), json!({}), None),
        ("EdDSA", json!("JWT"), json!({}), None),
        ("EdDSA", Value::Null, json!({}), None),
        ("EdDSA", json!("JWT"), json!({"nonce": "n"}), Some("it is an ID token")),
        ("EdDSA", json!("logout+jwt"), json!({}), Some("its type is not that of an access token")),
        ("EdDSA", json!("secevent+jwt"), json!({}), Some("its type is not that of an access token")),
        ("none", json!("at+jwt"), json!({}), Some("its algorithm is none that is verified")),
        ("HS256", json!("at+jwt"), json!({}), Some("its algorithm is none that is verified")),
        ("RS256", json!("at+jwt"), json!({}), Some("its algorithm is not allowed for its issuer")),
        // Allowed, but not what the key is for.
        ("ES256", json!("at+jwt"), json!({}), Some("its key is none that its issuer publishes")),
    ] {
        let mut header = json!({"alg": alg});
        if !typ.is_null() {
            header["typ"] = typ.clone();
        }
        let mut claims = claims(good.clone());
        claims.extend(more.as_object().unwrap().clone());
        let result = issuers.verify(&headed(header, claims), now()).await;
        match verdict {
            None => assert!(result.is_ok(), "{alg} {typ}: {result:?}"),
            Some(why) => assert_eq!(invalid(result), why, "{alg} {typ}"),
        }
    }
    let plain = headed(json!({"alg": "EdDSA", "typ": "JWT"}), claims(good.clone()));
    assert_eq!(invalid(strict.verify(&plain, now()).await), "its type is not that of an access token");
    assert!(strict.verify(&dev.token(claims(good.clone())), now()).await.is_ok());
    let critical = headed(json!({"alg": "EdDSA", "typ": "at+jwt", "crit": ["b64"]}), claims(good.clone()));
    assert_eq!(
        invalid(issuers.verify(&critical, now()).await),
        "a critical header is none that is understood"
    );
    // A key that the token brings along is not looked at.
    let brought =
        headed(json!({"alg": "EdDSA", "kid": "mine", "jku": "https://evil.example/jwks"}), claims(good));
    assert_eq!(invalid(issuers.verify(&brought, now()).await), "its key is none that its issuer publishes");
    assert_eq!(header["alg"], "EdDSA");
}

/// Every byte that is changed, and every way to write the same twice.
#[tokio::test]
async fn a_changed_token_is_refused() {
    let dev = dev().await;
    let issuers = trusting(&dev, "organization = \"acme\"");
    let token = dev.token(claims(json!({"sub": "ann"})));
    assert!(issuers.verify(&token, now()).await.is_ok());
    for place in 0..token.len() {
        let mut changed = token.clone().into_bytes();
        changed[place] = if changed[place] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(changed).unwrap();
        invalid(issuers.verify(&changed, now()).await);
    }
    let parts: Vec<&str> = token.split('.').collect();
    let twice = |text: &str| URL_SAFE_NO_PAD.encode(text);
    for bad in [
        String::new(),
        "..".to_owned(),
        format!("{token}."),
        format!("{token}="),
        parts[..2].join("."),
        format!("{}.{}.{}", twice("{\"alg\":\"none\",\"alg\":\"EdDSA\"}"), parts[1], parts[2]),
        format!("{}.{}.{}", parts[0], twice("{\"iss\":\"a\",\"iss\":\"b\"}"), parts[2]),
        format!("{}.{}.{}", parts[0], twice("[]"), parts[2]),
        "a".repeat(16 * 1024 + 1),
        format!("{}.{}.{}", "[".repeat(5000), parts[1], parts[2]),
    ] {
        invalid(issuers.verify(&bad, now()).await);
    }
    assert!(dev.read() <= 2);
}

#[tokio::test]
async fn keys_are_replaced_and_strangers_do_not_make_us_ask() {
    let dev = dev().await;
    let issuers = trusting(&dev, "organization = \"acme\"");
    let old = dev.token(claims(json!({"sub": "ann"})));
    assert!(issuers.verify(&old, now()).await.is_ok());
    tokio::time::sleep(Duration::from_millis(250)).await;
    dev.rotate().unwrap();
    let new = dev.token(claims(json!({"sub": "ann"})));
    assert!(issuers.verify(&new, now()).await.is_ok(), "the new key is asked for");
    assert_eq!(dev.read(), 2);
    // The old one is not published any more.
    invalid(issuers.verify(&old, now()).await);
    let before = dev.read();
    let stranger = dev.token_with(json!({"alg": "EdDSA", "kid": "nobody"}), claims(json!({"sub": "ann"})));
    for _ in 0..50 {
        invalid(issuers.verify(&stranger, now()).await);
    }
    assert!(dev.read() <= before + 1, "asked {} times", dev.read() - before);
}

#[tokio::test]
async fn an_issuer_that_is_away_is_not_one_that_refuses() {
    let dev = dev().await;
    let issuers = Arc::new(trusting(&dev, "organization = \"acme\""));
    let token = dev.token(claims(json!({"sub": "ann"})));
    assert!(issuers.verify(&token, now()).await.is_ok());
    let fresh = trusting(&dev, "organization = \"acme\"");
    drop(dev);
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(issuers.verify(&token, now()).await.is_ok(), "the keys that it had are known");
    assert_eq!(fresh.verify(&token, now()).await, Err(Refused::Unavailable));
}

#[tokio::test]
async fn many_who_come_at_once_ask_once() {
    let dev = dev().await;
    let issuers = Arc::new(trusting(&dev, "organization = \"acme\""));
    let token = dev.token(claims(json!({"sub": "ann"})));
    let all = (0..64).map(|_| {
        let (issuers, token) = (issuers.clone(), token.clone());
        tokio::spawn(async move { issuers.verify(&token, now()).await })
    });
    for one in all.collect::<Vec<_>>() {
        assert!(one.await.unwrap().is_ok());
    }
    assert_eq!(dev.read(), 1);
}

/// Metadata of another issuer, keys elsewhere, and what is no answer.
#[tokio::test]
async fn an_issuers_metadata_has_to_be_its_own() {
    let dev = dev().await;
    let token = |issuer: &str| dev.token(claims(json!({"sub": "ann", "iss": issuer})));
    // Named otherwise than it calls itself.
    let other = dev.issuer.replace("127.0.0.1", "localhost");
    let settings =
        format!("[[issuer]]\nissuer = \"{other}\"\naudience = \"postern\"\norganization = \"acme\"\n");
    let issuers = Issuers::new(Settings::parse(&settings).unwrap()).unwrap();
    assert_eq!(issuers.verify(&token(&other), now()).await, Err(Refused::Unavailable));
    // Where its keys are may be said instead.
    let said = format!("{settings}jwks_uri = \"{}/jwks.json\"\n", dev.issuer);
    let issuers = Issuers::new(Settings::parse(&said).unwrap()).unwrap();
    assert!(issuers.verify(&token(&other), now()).await.is_ok());
    let said = format!("{settings}jwks_uri = \"{}/nowhere\"\n", dev.issuer);
    let issuers = Issuers::new(Settings::parse(&said).unwrap()).unwrap();
    assert_eq!(issuers.verify(&token(&other), now()).await, Err(Refused::Unavailable));
}

#[tokio::test]
async fn the_development_issuer_is_for_this_machine() {
    let everywhere = DevIssuer::start("0.0.0.0:0".parse().unwrap(), "postern").await;
    assert!(matches!(everywhere, Err(DevIssuerError::NotLoopback(_))));
}
