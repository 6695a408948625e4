//! Target `decide`: bytes that claim to be a request, asked about worlds of ours.

use postern_abi::{Answer, Request, answer, answer_bytes, code};
use postern_resolver::{check_handles, permission_handle, resource_handle, subject_handle};
use postern_snapshot::{Facts, Snapshot};
use postern_testkit::{Chance, random};
use postern_vocab::QueryError;
use std::sync::OnceLock;

/// How many worlds the requests are asked about.
const WORLDS: u64 = 8;

/// A world's facts, in memory and as bytes.
struct Asked {
    facts: Facts,
    bytes: Vec<u8>,
    slice: Vec<u8>,
}

/// The worlds that requests are asked about: random ones, the same for ever.
pub fn worlds() -> impl Iterator<Item = postern_world::World> {
    (0..WORLDS).map(|seed| random::world(&mut Chance::new(seed)))
}

fn asked() -> &'static [Asked] {
    static ASKED: OnceLock<Vec<Asked>> = OnceLock::new();
    ASKED.get_or_init(|| {
        let asked = worlds().map(|world| {
            let facts = postern_compile::compile(&world).expect("INVARIANT: random worlds are worlds");
            let bytes = facts.to_bytes();
            let snapshot = Snapshot::open(&bytes).expect("INVARIANT: what was written can be opened");
            let subject = world.subjects.first().map_or("user:a", |subject| &subject.id);
            let slice =
                postern_snapshot::slice(&snapshot, subject).expect("INVARIANT: a listed subject has a slice");
            Asked { slice: slice.to_bytes(), facts, bytes }
        });
        asked.collect()
    })
}

/// Asks about every world. Facts in memory and snapshot must give the same bytes, and a check by handle, where there are
/// handles, the same code as one by text.
pub fn decide(bytes: &[u8]) {
    let request = Request::from_bytes(bytes);
    for Asked { facts, bytes: whole, slice } in asked() {
        let snapshot = Snapshot::open(whole).expect("INVARIANT: opened before");
        let slice = Snapshot::open(slice).expect("INVARIANT: what was written can be opened");
        let answered = answer_bytes(&snapshot, bytes);
        assert_eq!(
            answered,
            answer_bytes(facts, bytes),
            "the snapshot and the facts it was written from differ"
        );
        let on_slice = answer_bytes(&slice, bytes);
        assert!(Answer::from_bytes(&answered).is_ok() && Answer::from_bytes(&on_slice).is_ok());
        let Ok(request) = &request else {
            assert_eq!(Answer::from_bytes(&answered), Ok(Answer::Error(QueryError::InvalidRequest as u8)));
            continue;
        };
        by_handle(&snapshot, request);
    }
}

fn by_handle(snapshot: &Snapshot<'_>, request: &Request<'_>) {
    let plain = Request { op: postern_abi::Op::Check, owner: None, session: None, ..request.clone() };
    let plain = Request { parents: Default::default(), dimensions: Default::default(), ..plain };
    let subject = subject_handle(snapshot, plain.subject);
    let permission = permission_handle(snapshot, plain.permission);
    let resource = match plain.resource {
        None => Some(postern_resolver::ORGANIZATION),
        Some((kind, id)) => resource_handle(snapshot, kind, id),
    };
    if let (Some(subject), Some(permission), Some(resource)) = (subject, permission, resource) {
        let reason = check_handles(snapshot, subject, permission, resource, plain.now);
        // An id that stands for many names nobody in a question, though a world may list a resource called `all`.
        if let Answer::Check(number) = answer(snapshot, &plain)
            && number != QueryError::InvalidRequest as u8
        {
            assert_eq!(number, code(Ok(reason)), "by handle and by text: {plain:?}");
        }
    }
}
