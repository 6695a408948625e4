//! `postern snapshot verify`

use crate::examples::WORLD;
use crate::{Folder, complaint, postern, stdout, text};
use postern_statement::{KeySet, SecretKey, Statement, hash};
use std::time::{SystemTime, UNIX_EPOCH};

#[test]
fn a_snapshot_is_held_against_its_statement() {
    let folder = Folder::new("verify");
    let world = folder.file("world.json", WORLD);
    let snapshot = folder.0.join("w.snapshot");
    stdout(&postern(&["world", "compile", text(&world), "-o", text(&snapshot)]));
    let bytes = std::fs::read(&snapshot).unwrap();
    let key = SecretKey::from_seed(&[3; 32]);
    let keys = folder.file("jwks.json", &KeySet::of([key.public()]).to_json());
    let now = i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()).unwrap();
    let statement = Statement {
        organization: "acme".to_owned(),
        subject: None,
        epoch: "e1".to_owned(),
        revision: 7,
        as_of: 9,
        hash: hash(&bytes),
        iat: now - 100,
        exp: now + 3600,
    };
    let verify = |statement: &str| {
        postern(&["snapshot", "verify", text(&snapshot), "--statement", statement, "--keys", text(&keys)])
    };
    let answer: serde_json::Value = serde_json::from_str(&stdout(&verify(&key.sign(&statement)))).unwrap();
    assert_eq!(
        (&answer["revision"], &answer["as_of"], &answer["fresh"]),
        (&7.into(), &9.into(), &true.into())
    );
    assert!((100..160).contains(&answer["age_seconds"].as_i64().unwrap()), "{answer}");
    let old = Statement { exp: now - 1, ..statement.clone() };
    let answer: serde_json::Value = serde_json::from_str(&stdout(&verify(&key.sign(&old)))).unwrap();
    assert_eq!(answer["fresh"], false);

    for (statement, why) in [
        (Statement { hash: hash(b"others"), ..statement.clone() }, "the bytes are not the ones"),
        (Statement { revision: 6, ..statement.clone() }, "another organization, revision or kind"),
        (
            Statement { subject: Some("user:a".to_owned()), ..statement.clone() },
            "another organization, revision or kind",
        ),
    ] {
        let said = complaint(&verify(&key.sign(&statement)));
        assert!(said.starts_with(&format!("{}: ", snapshot.display())) && said.contains(why), "{said}");
    }
    let forged = SecretKey::from_seed(&[4; 32]).sign(&statement);
    assert!(
        complaint(&verify(&forged)).contains("--statement: the statement is signed with a key that is not")
    );
    assert!(complaint(&verify("e30.e30.e30")).contains("--statement: this is no statement"));
    std::fs::write(&keys, "{}").unwrap();
    assert!(complaint(&verify("x")).starts_with(&format!("{}: ", keys.display())));
}
