//! Every check of `docs/statements.md`, with what breaks it; and vectors from the standards.

use postern_statement::{Held, KeySet, PublicKey, Refused, SecretKey, Statement, hash};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// RFC 8037, appendix A.
const SEED: &str = "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A";
const X: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
const THUMBPRINT: &str = "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k";

fn key() -> SecretKey {
    SecretKey::from_seed(&URL_SAFE_NO_PAD.decode(SEED).unwrap().try_into().unwrap())
}

fn keys() -> KeySet {
    KeySet::of([key().public()])
}

fn statement() -> Statement {
    Statement {
        organization: "acme".to_owned(),
        subject: None,
        epoch: "e1".to_owned(),
        revision: 42,
        as_of: 45,
        hash: hash(b"bytes"),
        iat: 1000,
        exp: 1060,
    }
}

/// A statement made by hand, so that it can be wrong.
fn signed(header: &str, payload: &str) -> String {
    use ed25519_dalek::{Signer, SigningKey};
    let seed: [u8; 32] = URL_SAFE_NO_PAD.decode(SEED).unwrap().try_into().unwrap();
    let text = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload));
    let signature = SigningKey::from_bytes(&seed).sign(text.as_bytes());
    format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature.to_bytes()))
}

fn header() -> String {
    format!(r#"{{"alg":"EdDSA","kid":"{THUMBPRINT}","typ":"postern-statement+jwt"}}"#)
}

#[test]
fn the_key_of_rfc_8037_has_its_thumbprint_and_is_read_back() {
    let public = key().public();
    assert_eq!(public.id(), THUMBPRINT);
    let json = KeySet::of([public]).to_json();
    assert!(json.contains(&format!(r#""x":"{X}""#)), "{json}");
    assert_eq!(KeySet::parse(&json), Ok(keys()));
    // The private part, or a key of another kind, is not needed and does not hurt.
    let set = format!(
        r#"{{"keys":[{{"kty":"RSA","n":"AQAB"}},{{"kty":"OKP","crv":"Ed25519","x":"{X}","d":"{SEED}"}}]}}"#
    );
    assert_eq!(KeySet::parse(&set), Ok(keys()));
}

#[test]
fn sets_without_a_good_key_are_refused() {
    let small_order = URL_SAFE_NO_PAD.encode([0; 32]);
    let jwk = |inner: &str| format!(r#"{{"keys":[{{"kty":"OKP","crv":"Ed25519",{inner}}}]}}"#);
    for bad in [
        "",
        "[]",
        r#"{"keys":[]}"#,
        r#"{"keys":{}}"#,
        &jwk(&format!(r#""x":"{X}","use":"enc""#)),
        &jwk(&format!(r#""x":"{X}","alg":"ES256""#)),
        &jwk(&format!(r#""x":"{X}=""#)),
        &jwk(&format!(r#""x":"{}""#, &X[1..])),
        &jwk(&format!(r#""x":"{small_order}""#)),
        &jwk(r#""x":7"#),
    ] {
        assert!(matches!(KeySet::parse(bad), Err(Refused::Malformed(_))), "{bad}");
    }
}

#[test]
fn what_is_signed_is_read_back() {
    let text = key().sign(&statement());
    assert_eq!(keys().verify(&text), Ok(statement()));
    let slice = Statement { subject: Some("user:zoë".to_owned()), ..statement() };
    assert_eq!(keys().verify(&key().sign(&slice)), Ok(slice));
    // Members of later versions are ignored.
    let payload = serde_json::to_string(&statement()).unwrap().replacen('{', r#"{"later":[1],"#, 1);
    assert_eq!(keys().verify(&signed(&header(), &payload)), Ok(statement()));
    let renamed = header().replace("EdDSA", "Ed25519");
    assert_eq!(keys().verify(&signed(&renamed, &payload)), Ok(statement()));
}

#[test]
fn malformed_ones_are_refused() {
    let payload = serde_json::to_string(&statement()).unwrap();
    let good = signed(&header(), &payload);
    let header = header();
    let short_hash = payload.replace(&hash(b"bytes"), "00");
    let upper_hash = payload.replace(&hash(b"bytes"), &hash(b"bytes").to_uppercase());
    for (bad, why) in [
        (String::new(), "empty"),
        (good.replacen('.', "", 1), "two parts"),
        (format!("{good}.{good}"), "more parts"),
        (format!("{good}="), "padding"),
        (format!(" {good}"), "a space"),
        (format!("{good}{}", "A".repeat(16 * 1024)), "too long"),
        (signed("[]", &payload), "a header that is a list"),
        (signed(&header.replace("EdDSA", "none"), &payload), "alg none"),
        (signed(&header.replace("EdDSA", "HS256"), &payload), "alg HS256"),
        (signed(&header.replace("statement", "subject"), &payload), "another typ"),
        (signed(&header.replace(r#","typ":"postern-statement+jwt""#, ""), &payload), "no typ"),
        (signed(&header.replacen('{', r#"{"crit":["b64"],"b64":false,"#, 1), &payload), "crit"),
        (signed(&header.replacen('{', r#"{"alg":"EdDSA","#, 1), &payload), "a member twice"),
        (signed(&header, &payload.replacen('{', r#"{"organization":"other","#, 1)), "a claim twice"),
        (signed(&header, "not json"), "no JSON"),
        (signed(&header, r#"["acme",null,"e1",42,45,"00",1000,1060]"#), "a list of claims"),
        (signed(&header, &payload.replace(r#""epoch":"e1","#, "")), "no epoch"),
        (signed(&header, &payload.replace("1060", "\"1060\"")), "a text for a number"),
        (signed(&header, &payload.replace(":42", ":-1")), "a negative revision"),
        (signed(&header, &payload.replace(":45", ":41")), "as_of before its revision"),
        (signed(&header, &short_hash), "a short hash"),
        (signed(&header, &upper_hash), "a hash in upper case"),
    ] {
        assert!(
            matches!(keys().verify(&bad), Err(Refused::Malformed(_))),
            "{why}: {:?}",
            keys().verify(&bad)
        );
    }
}

#[test]
fn no_changed_character_passes() {
    let text = key().sign(&statement());
    for place in 0..text.len() {
        for other in ['A', 'b', '9', '_'] {
            let mut changed: Vec<char> = text.chars().collect();
            if changed[place] == other || changed[place] == '.' {
                continue;
            }
            changed[place] = other;
            let changed: String = changed.into_iter().collect();
            assert!(keys().verify(&changed).is_err(), "{place} {other}");
        }
    }
}

#[test]
fn other_keys_are_refused() {
    let other = SecretKey::from_seed(&[9; 32]);
    assert_eq!(keys().verify(&other.sign(&statement())), Err(Refused::UnknownKey));
    // One that claims to be the known one.
    let kid = other.public().id().to_owned();
    let header = header().replace(THUMBPRINT, &kid);
    let payload = serde_json::to_string(&statement()).unwrap();
    let forged = signed(&header, &payload);
    assert_eq!(KeySet::of([other.public()]).verify(&forged), Err(Refused::BadSignature));
    let both: [PublicKey; 2] = [other.public(), key().public()];
    assert_eq!(KeySet::of(both).verify(&other.sign(&statement())), Ok(statement()));
}

#[test]
fn a_statement_is_about_one_state_and_names_its_bytes() {
    let (whole, slice) = (statement(), Statement { subject: Some("user:a".to_owned()), ..statement() });
    assert_eq!(whole.is_about("acme", None), Ok(()));
    assert_eq!(slice.is_about("acme", Some("user:a")), Ok(()));
    for (statement, organization, subject) in [
        (&whole, "other", None),
        (&whole, "acme", Some("user:a")),
        (&slice, "acme", None),
        (&slice, "acme", Some("user:b")),
    ] {
        assert_eq!(statement.is_about(organization, subject), Err(Refused::OtherState));
    }
    assert_eq!(whole.names(b"bytes"), Ok(()));
    assert_eq!(whole.names(b"byteS"), Err(Refused::OtherBytes));
}

#[test]
fn nothing_older_takes_the_place_of_what_is_held() {
    let followed_by = |change: fn(&mut Statement)| {
        let mut next = statement();
        change(&mut next);
        let mut held = Held::new(statement(), 1000, 0);
        held.take(next, 1000, 0).map(|()| held)
    };
    assert!(followed_by(|next| (next.revision, next.as_of) = (46, 46)).is_ok());
    assert!(followed_by(|next| next.as_of = 46).is_ok());
    assert!(followed_by(|next| (next.revision, next.hash) = (45, hash(b"the same facts"))).is_ok());
    for older in [
        followed_by(|next| next.as_of = 44),
        followed_by(|next| (next.revision, next.as_of) = (41, 46)),
        followed_by(|next| next.hash = hash(b"another state of this revision")),
        followed_by(|next| (next.epoch, next.revision) = ("e2".to_owned(), 90)),
    ] {
        assert_eq!(older, Err(Refused::Older));
    }
    // A database that was restored begins again with lower numbers; only a later statement says so.
    let restored = followed_by(|next| {
        *next = Statement { epoch: "e2".to_owned(), revision: 3, as_of: 3, iat: 1001, ..next.clone() };
    });
    assert_eq!(restored.map(|held| held.statement().revision), Ok(3));
}

#[test]
fn age_follows_the_clock_that_only_runs_forward() {
    const SECOND: i64 = 1_000_000;
    let mut held = Held::new(statement(), 1003, 50 * SECOND);
    assert_eq!(held.age_micros(50 * SECOND), 3 * SECOND);
    assert!(held.is_fresh(50 * SECOND + 56_999_999));
    assert!(!held.is_fresh(50 * SECOND + 57 * SECOND));
    // Said again: younger. Said again with less: as it was.
    let again = |iat| Statement { iat, exp: iat + 60, ..statement() };
    held.take(again(1030), 1031, 80 * SECOND).unwrap();
    assert_eq!(held.age_micros(80 * SECOND), SECOND);
    held.take(again(1010), 1031, 81 * SECOND).unwrap();
    assert_eq!(held.age_micros(81 * SECOND), 2 * SECOND);
    // A clock that is behind makes nothing younger than now; one that is ahead makes everything old.
    assert_eq!(Held::new(statement(), 10, 0).age_micros(0), 0);
    assert!(!Held::new(statement(), 4600, 0).is_fresh(0));
    // A clock that ran backward is one that stood still.
    assert_eq!(held.age_micros(0), SECOND);
}
