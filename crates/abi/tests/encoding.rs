//! The encoding, byte by byte, as `docs/wasm-abi.md` gives it, and what malformed bytes are answered with.

use postern_abi::{Answer, Malformed, Op, Pairs, Request, Texts, code, from_code};
use postern_vocab::{QueryError, Reason};

fn full() -> Request<'static> {
    Request {
        op: Op::Subjects,
        subject: "user:ä",
        permission: "miner:reboot",
        resource: Some(("site", "s1")),
        kind: "user",
        parents: Pairs(vec![("region", "r1"), ("project", "p1")]),
        owner: Some("user:b"),
        dimensions: Pairs(vec![("department", "Legal")]),
        session: Some("s"),
        now: -1,
    }
}

#[test]
fn the_documented_example_is_the_encoding() {
    let request = Request { subject: "user:a", permission: "miner:reboot", ..Request::default() };
    let mut expected = vec![0; 4];
    expected.extend([6, 0, 0, 0, 0, 0, 0, 0]);
    expected.extend(b"user:a");
    expected.extend([12, 0, 0, 0, 0, 0, 0, 0]);
    expected.extend(b"miner:reboot");
    expected.extend([0; 1 + 8 + 8 + 1 + 8 + 1 + 8]);
    assert_eq!(request.to_bytes(), expected);
    assert_eq!(expected.len(), 73);
}

#[test]
fn requests_and_answers_come_back_as_they_went() {
    let request = full();
    assert_eq!(Request::from_bytes(&request.to_bytes()), Ok(request));
    for answer in [
        Answer::Check(Reason::Owner as u8),
        Answer::Check(QueryError::NotInSlice as u8),
        Answer::List(Texts(vec!["a".into(), String::new()])),
        Answer::Decision(true),
        Answer::Error(QueryError::UnknownPermission as u8),
    ] {
        assert_eq!(Answer::from_bytes(&answer.to_bytes()), Ok(answer));
    }
    assert_eq!(Answer::Decision(true).to_bytes(), [2, 0, 0, 0, 1]);
}

#[test]
fn bytes_that_are_cut_or_too_many_are_refused() {
    let mut bytes = full().to_bytes();
    for len in 0..bytes.len() {
        assert_eq!(Request::from_bytes(&bytes[..len]), Err(Malformed), "cut at {len}");
    }
    bytes.push(0);
    assert_eq!(Request::from_bytes(&bytes), Err(Malformed), "one byte too many");
}

#[test]
fn a_list_that_claims_to_be_huge_is_refused_without_room_for_it() {
    let mut bytes = Request::default().to_bytes();
    // The count of parents, 29 bytes in: op, two empty texts, no resource, an empty kind.
    for count in [1, 1 << 16, u64::MAX] {
        bytes[29..37].copy_from_slice(&u64::to_le_bytes(count));
        assert_eq!(Request::from_bytes(&bytes), Err(Malformed), "{count}");
    }
}

#[test]
fn an_answer_with_a_code_that_is_none_is_refused() {
    assert_eq!(Answer::from_bytes(&[0, 0, 0, 0, 0]), Err(Malformed), "0 is no answer");
    assert_eq!(
        Answer::from_bytes(&[3, 0, 0, 0, Reason::Owner as u8]),
        Err(Malformed),
        "an allow is no error"
    );
    assert_eq!(Answer::from_bytes(&[4, 0, 0, 0]), Err(Malformed), "there is no variant 4");
}

#[test]
fn codes_stand_for_one_answer_each() {
    let known: Vec<u8> = (0..=u8::MAX).filter(|number| from_code(*number).is_some()).collect();
    assert_eq!(known, [1, 2, 3, 16, 17, 18, 19, 20, 21, 22, 23, 32, 33, 34]);
    for number in known {
        assert_eq!(from_code(number).map(code), Some(number));
    }
}

/// The request and the answers once more, as bincode encodes them.
mod by_bincode {
    #[derive(bincode::Encode)]
    pub struct Request<'a> {
        pub op: Op,
        pub subject: &'a str,
        pub permission: &'a str,
        pub resource: Option<(&'a str, &'a str)>,
        pub kind: &'a str,
        pub parents: &'a [(&'a str, &'a str)],
        pub owner: Option<&'a str>,
        pub dimensions: &'a [(&'a str, &'a str)],
        pub session: Option<&'a str>,
        pub now: i64,
    }

    #[derive(bincode::Encode)]
    #[allow(dead_code, reason = "the place of a variant is its number")]
    pub enum Op {
        Check,
        Filter,
        Subjects,
    }

    #[derive(bincode::Encode)]
    pub enum Answer<'a> {
        Check(u8),
        List(&'a [&'a str]),
        Decision(bool),
        Error(u8),
    }

    pub fn bytes(value: impl bincode::Encode) -> Vec<u8> {
        let config = bincode::config::standard().with_fixed_int_encoding().with_little_endian();
        bincode::encode_to_vec(value, config).expect("it can be encoded")
    }
}

#[test]
fn the_encoding_is_that_of_bincode() {
    let request = full();
    let same = by_bincode::Request {
        op: by_bincode::Op::Subjects,
        subject: request.subject,
        permission: request.permission,
        resource: request.resource,
        kind: request.kind,
        parents: &request.parents.0,
        owner: request.owner,
        dimensions: &request.dimensions.0,
        session: request.session,
        now: request.now,
    };
    assert_eq!(request.to_bytes(), by_bincode::bytes(same));
    for (ours, theirs) in [
        (Answer::Check(19), by_bincode::Answer::Check(19)),
        (Answer::List(Texts(vec!["a".into(), "ß".into()])), by_bincode::Answer::List(&["a", "ß"])),
        (Answer::Decision(false), by_bincode::Answer::Decision(false)),
        (Answer::Error(33), by_bincode::Answer::Error(33)),
    ] {
        assert_eq!(ours.to_bytes(), by_bincode::bytes(theirs));
    }
}
