//! What a host learns about a snapshot after opening it.

use crate::wire::{Reader, Writer};
use crate::{ANSWER_BYTES_MAX, Malformed, Texts};
use alloc::string::String;
use alloc::vec::Vec;
use postern_resolver::View;
use postern_resolver::view::Id;
use postern_snapshot::Snapshot;
use postern_vocab::format_uuid;

/// The head of a snapshot, and the keys of its catalog in the order of a mask's bits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Description<'a> {
    /// Raised by every change of a fact.
    pub revision: u64,
    /// It is the part of a snapshot that one subject may see.
    pub slice: bool,
    /// Some fact has a time bound: the same question may be answered differently later.
    pub timed: bool,
    /// The organization's id.
    pub organization: &'a str,
    /// A slice's subject, `<type>:<id>`; none for a whole snapshot.
    pub subject: Texts,
    /// Permission keys, sorted by bytes: key number n is the handle n, and bit n of a mask.
    pub permissions: Texts,
}

impl<'a> Description<'a> {
    /// Describes a snapshot.
    pub fn of(snapshot: &'a Snapshot<'_>) -> Description<'a> {
        let keys = (0..snapshot.permission_count()).map(|key| String::from(snapshot.permission_key(key)));
        Description {
            revision: snapshot.revision(),
            slice: snapshot.is_slice(),
            timed: snapshot.is_timed(),
            organization: snapshot.organization(),
            subject: Texts(snapshot.own_subject().map(|own| subject(snapshot, own)).into_iter().collect()),
            permissions: Texts(keys.collect()),
        }
    }

    /// The bytes of this description.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut writer = Writer(Vec::new());
        writer.u64(self.revision);
        writer.0.push(u8::from(self.slice));
        writer.0.push(u8::from(self.timed));
        writer.text(self.organization);
        writer.texts(&self.subject.0);
        writer.texts(&self.permissions.0);
        writer.0
    }

    /// Reads a description.
    ///
    /// # Errors
    /// [`Malformed`] where the bytes are no description.
    pub fn from_bytes(bytes: &'a [u8]) -> Result<Description<'a>, Malformed> {
        Reader::whole(bytes, ANSWER_BYTES_MAX, |reader| {
            Ok(Description {
                revision: reader.u64()?,
                slice: reader.flag()?,
                timed: reader.flag()?,
                organization: reader.text()?,
                subject: Texts(reader.texts()?),
                permissions: Texts(reader.texts()?),
            })
        })
    }
}

/// A subject in text.
fn subject(snapshot: &Snapshot<'_>, subject: u32) -> String {
    let uuid;
    let id = match snapshot.subject_id(subject) {
        Id::Text(id) => id,
        Id::Uuid(bytes) => {
            uuid = format_uuid(&bytes);
            core::str::from_utf8(&uuid).unwrap_or_default()
        }
        Id::Hidden => "",
    };
    let kind = snapshot.subject_kind(subject);
    let mut text = String::with_capacity(kind.len() + 1 + id.len());
    text.push_str(kind);
    text.push(':');
    text.push_str(id);
    text
}
