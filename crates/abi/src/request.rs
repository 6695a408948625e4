//! The question, as it crosses the boundary.

use crate::wire::{Reader, Writer};
use crate::{Malformed, REQUEST_BYTES_MAX};
use alloc::vec::Vec;

/// What is asked. The numbers are those on the wire, in this order from 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Op {
    /// May the subject do it there?
    #[default]
    Check,
    /// Where, among the listed resources of a type?
    Filter,
    /// Who, among the listed subjects of a type?
    Subjects,
    /// What may the subject do there?
    Actions,
    /// At organization level or at one scope at least?
    Anywhere,
    /// At organization level and at every scope?
    Everywhere,
}

/// Pairs of text: parents (type, id) or dimensions (name, value).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pairs<'a>(pub Vec<(&'a str, &'a str)>);

/// One question. What its `op` does not use is ignored. Text that is absent is empty, which rule 1 answers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Request<'a> {
    /// What is asked.
    pub op: Op,
    /// `<type>:<id>`
    pub subject: &'a str,
    /// A permission key.
    pub permission: &'a str,
    /// Type and id; `None` asks at organization level.
    pub resource: Option<(&'a str, &'a str)>,
    /// The type that `filter` and `subjects` list.
    pub kind: &'a str,
    /// The stated parents of a resource that the world does not list: type and id.
    pub parents: Pairs<'a>,
    /// The stated owner of a resource that the world does not list.
    pub owner: Option<&'a str>,
    /// Stated dimensions: name and value, each name once.
    pub dimensions: Pairs<'a>,
    /// The session that the subject is in.
    pub session: Option<&'a str>,
    /// Microseconds since 1970-01-01T00:00:00Z.
    pub now: i64,
}

impl<'a> Request<'a> {
    /// The bytes of this request.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut writer = Writer(Vec::new());
        writer.u32(self.op as u32);
        writer.text(self.subject);
        writer.text(self.permission);
        writer.optional(self.resource, |writer, (kind, id)| {
            writer.text(kind);
            writer.text(id);
        });
        writer.text(self.kind);
        writer.pairs(&self.parents.0);
        writer.optional(self.owner, Writer::text);
        writer.pairs(&self.dimensions.0);
        writer.optional(self.session, Writer::text);
        writer.u64(self.now.cast_unsigned());
        writer.0
    }

    /// Reads a request, borrowing its text.
    ///
    /// # Errors
    /// [`Malformed`] where the bytes are too many, too few, not UTF-8 where text belongs, or no request at all.
    pub fn from_bytes(bytes: &'a [u8]) -> Result<Request<'a>, Malformed> {
        const OPS: [Op; 6] = [Op::Check, Op::Filter, Op::Subjects, Op::Actions, Op::Anywhere, Op::Everywhere];
        Reader::whole(bytes, REQUEST_BYTES_MAX, |reader| {
            Ok(Request {
                op: *OPS.get(reader.u32()? as usize).ok_or(Malformed)?,
                subject: reader.text()?,
                permission: reader.text()?,
                resource: reader.optional(Reader::pair)?,
                kind: reader.text()?,
                parents: Pairs(reader.pairs()?),
                owner: reader.optional(Reader::text)?,
                dimensions: Pairs(reader.pairs()?),
                session: reader.optional(Reader::text)?,
                now: reader.u64()?.cast_signed(),
            })
        })
    }
}
