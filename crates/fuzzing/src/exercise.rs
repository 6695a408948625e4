//! Every question, asked about a snapshot that may have been written by an enemy.

use postern_abi::{Answer, Description, Op, Pairs, Request, answer};
use postern_resolver::view::{Id, View};
use postern_resolver::{ORGANIZATION, check_handles, mask};
use postern_snapshot::Snapshot;
use postern_vocab::format_uuid;

/// How many subjects, permissions and resources of a snapshot are asked about: some, so that one input takes
/// microseconds and the fuzzer can try many.
const SOME: u32 = 6;
/// When is asked.
const NOW: i64 = 1_767_225_600_000_000;

/// Asks what a host could ask. Nothing may panic, and no answer may be without meaning.
pub fn exercise(snapshot: &Snapshot<'_>) {
    let _ = (snapshot.counts(), snapshot.sections(), snapshot.next_change(NOW), snapshot.role_name(0));
    let description = Description::of(snapshot).to_bytes();
    assert!(Description::from_bytes(&description).is_ok(), "a description that cannot be read");

    let counts = snapshot.counts();
    // Beyond the ends as well: a handle of another snapshot is a number like any other.
    let subjects = || (0..counts.subjects.min(SOME)).chain([counts.subjects, u32::MAX]);
    let permissions = || (0..counts.permissions.min(SOME)).chain([counts.permissions, u32::MAX]);
    let resources = || {
        [ORGANIZATION]
            .into_iter()
            .chain(1..=counts.resources.min(SOME))
            .chain([counts.resources + 1, u32::MAX])
    };
    let mut bits = vec![0; snapshot.permission_count().div_ceil(8) as usize];
    for subject in subjects() {
        for resource in resources() {
            mask(snapshot, subject, resource, NOW, &mut bits);
            for permission in permissions() {
                let reason = check_handles(snapshot, subject, permission, resource, NOW);
                let in_mask =
                    bits.get((permission / 8) as usize).is_some_and(|byte| byte >> (permission % 8) & 1 == 1);
                let listed = permission < counts.permissions;
                assert!(
                    !listed || in_mask == ((reason as u8) < 16),
                    "the mask and the check differ: {reason:?}"
                );
            }
        }
    }
    for subject in subjects().take(SOME as usize) {
        in_text(snapshot, subject);
    }
}

/// The same snapshot asked in text, about the ids that it names.
fn in_text(snapshot: &Snapshot<'_>, subject: u32) {
    let (mut room, mut other) = ([0; 36], [0; 36]);
    let subject =
        format!("{}:{}", snapshot.subject_kind(subject), text(snapshot.subject_id(subject), &mut room));
    let resource = snapshot.counts().resources.checked_sub(1).map(|last| {
        (snapshot.type_name(snapshot.resource_kind(last)), text(snapshot.resource_id(last), &mut other))
    });
    let parent = resource.unwrap_or(("site", "s1"));
    for op in [Op::Check, Op::Filter, Op::Subjects, Op::Actions, Op::Anywhere, Op::Everywhere] {
        for resource in [None, resource, Some((parent.0, "nobody lists this"))] {
            let request = Request {
                op,
                subject: &subject,
                permission: snapshot.permission_key(0),
                resource,
                kind: parent.0,
                parents: Pairs(vec![parent]),
                owner: Some(&subject),
                dimensions: Pairs(vec![("env", "x")]),
                session: Some("s1"),
                now: NOW,
            };
            let answered = answer(snapshot, &request);
            assert_eq!(
                Answer::from_bytes(&answered.to_bytes()).as_ref(),
                Ok(&answered),
                "an answer without meaning"
            );
        }
    }
}

fn text<'a>(id: Id<'a>, room: &'a mut [u8; 36]) -> &'a str {
    match id {
        Id::Text(text) => text,
        Id::Uuid(bytes) => {
            *room = format_uuid(&bytes);
            std::str::from_utf8(room).unwrap_or_default()
        }
        Id::Hidden => "",
    }
}
