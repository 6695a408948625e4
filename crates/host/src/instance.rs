//! One instance with a snapshot in force.

use crate::exports::Exports;
use crate::{HostError, Module};
use postern_abi::{Answer, Description, Request, from_code};
use std::fmt;
use std::sync::Arc;

/// The handle of what a snapshot does not name; a check with it is an error.
const UNKNOWN: u32 = u32::MAX;
/// Bytes of the room for texts that every instance has; longer ones get one of their own.
const TEXT_ROOM: u32 = 8 * 1024;

/// Answers questions about one snapshot. Handles are of that snapshot: after [`Instance::swap`] ask for them again.
///
/// Methods take `&mut self`, since a call runs in the instance's own memory; for several threads open several instances
/// of one [`Module`].
pub struct Instance {
    module: Module,
    snapshot: Arc<[u8]>,
    /// `None` after a trap whose replacement could not be made; the next call tries again.
    live: Option<Live>,
}

/// An instance of the module, with rooms in its memory that the host writes into.
struct Live {
    exports: Exports,
    text: Room,
    triples: Room,
    codes: Room,
}

/// A part of the module's memory that is ours.
#[derive(Clone, Copy)]
struct Room {
    address: u32,
    len: u32,
}

impl Instance {
    pub(crate) fn new(module: Module, snapshot: Arc<[u8]>) -> Result<Instance, HostError> {
        let mut live = Live::new(&module)?;
        live.open(&snapshot)?;
        Ok(Instance { module, snapshot, live: Some(live) })
    }

    /// Puts another snapshot in the place of the one in force.
    ///
    /// # Errors
    /// [`HostError::Open`], [`HostError::Memory`] and those of a trap; the one before is still in force then.
    pub fn swap(&mut self, snapshot: &[u8]) -> Result<(), HostError> {
        self.ask(|live| live.open(snapshot))?;
        self.snapshot = Arc::from(snapshot);
        Ok(())
    }

    /// The revision of the snapshot in force.
    ///
    /// # Errors
    /// Those of a trap.
    pub fn revision(&mut self) -> Result<u64, HostError> {
        self.ask(|live| live.exports.call(|exports| &exports.revision, ()))
    }

    /// Describes the snapshot in force and hands the description to `read`.
    ///
    /// # Errors
    /// Those of a trap; [`HostError::Contract`].
    pub fn describe<R>(&mut self, read: impl FnOnce(Description<'_>) -> R) -> Result<R, HostError> {
        self.ask(|live| {
            let block = live.exports.call(|exports| &exports.describe, ())?;
            let bytes = live.take(block)?;
            let description = Description::from_bytes(&bytes);
            description.map(read).map_err(|_| HostError::Contract("a description that is none"))
        })
    }

    /// The first moment after `now` at which a fact begins or ceases to count; in microseconds.
    ///
    /// # Errors
    /// Those of a trap.
    pub fn next_change(&mut self, now: i64) -> Result<Option<i64>, HostError> {
        let change = self.ask(|live| live.exports.call(|exports| &exports.next_change, now as f64))?;
        Ok(change.is_finite().then_some(change as i64))
    }

    /// The handle of a subject, `<type>:<id>`; `None` where the snapshot does not name it: then [`Instance::answer`].
    ///
    /// # Errors
    /// Those of a trap.
    pub fn subject(&mut self, subject: &str) -> Result<Option<u32>, HostError> {
        self.ask(|live| {
            let [(address, len)] = live.texts([subject])?;
            live.exports.call(|exports| &exports.subject, (address, len))
        })
        .map(known)
    }

    /// The handle of a permission key.
    ///
    /// # Errors
    /// Those of a trap.
    pub fn permission(&mut self, key: &str) -> Result<Option<u32>, HostError> {
        self.ask(|live| {
            let [(address, len)] = live.texts([key])?;
            live.exports.call(|exports| &exports.permission, (address, len))
        })
        .map(known)
    }

    /// The handle of a resource. The organization's is 0.
    ///
    /// # Errors
    /// Those of a trap.
    pub fn resource(&mut self, kind: &str, id: &str) -> Result<Option<u32>, HostError> {
        self.ask(|live| {
            let [(kind, kind_len), (id, id_len)] = live.texts([kind, id])?;
            live.exports.call(|exports| &exports.resource, (kind, kind_len, id, id_len))
        })
        .map(known)
    }

    /// Decides on handles, at a time in microseconds.
    ///
    /// # Errors
    /// Those of a trap; [`HostError::Contract`].
    #[inline]
    pub fn check(
        &mut self,
        subject: u32,
        permission: u32,
        resource: u32,
        now: i64,
    ) -> Result<postern_vocab::Answer, HostError> {
        self.ask(|live| {
            let parameters = (subject, permission, resource, now as f64);
            let code = live.exports.call(|exports| &exports.check, parameters)?;
            u8::try_from(code).ok().and_then(from_code).ok_or(HostError::Contract("a code that is none"))
        })
    }

    /// Decides many at once: `codes` gets one for each triple of subject, permission and resource (see
    /// [`postern_abi::from_code`]). What is left over of the longer one is not touched.
    ///
    /// # Errors
    /// Those of a trap, and [`HostError::Memory`] where they do not fit; `codes` is then as it was.
    pub fn check_batch(&mut self, triples: &[[u32; 3]], now: i64, codes: &mut [u8]) -> Result<(), HostError> {
        let count = triples.len().min(codes.len());
        let (triples, codes) = (&triples[..count], &mut codes[..count]);
        self.ask(|live| live.check_batch(triples, now, codes))
    }

    /// Everything that a subject may do at a resource: `mask` gets one bit per permission, in the order of their keys.
    ///
    /// # Errors
    /// Those of a trap.
    pub fn mask(
        &mut self,
        subject: u32,
        resource: u32,
        now: i64,
        mask: &mut Vec<u8>,
    ) -> Result<(), HostError> {
        self.ask(|live| {
            let Room { address, len } = live.text;
            let parameters = (subject, resource, now as f64, address, len);
            let needed = live.exports.call(|exports| &exports.mask, parameters)?;
            if needed > len {
                return Err(HostError::Contract("a mask of more permissions than a catalog can have"));
            }
            mask.clear();
            mask.extend_from_slice(live.exports.bytes(address, needed as usize)?);
            Ok(())
        })
    }

    /// Answers any question in text.
    ///
    /// # Errors
    /// Those of a trap; [`HostError::Contract`].
    pub fn answer(&mut self, request: &Request<'_>) -> Result<Answer, HostError> {
        self.ask(|live| {
            let bytes = live.answer(&request.to_bytes())?;
            Answer::from_bytes(&bytes).map_err(|_| HostError::Contract("an answer that is none"))
        })
    }

    /// Answers an encoded request with an encoded answer.
    ///
    /// # Errors
    /// Those of a trap, and [`HostError::Memory`] where it does not fit.
    pub fn answer_bytes(&mut self, request: &[u8]) -> Result<Vec<u8>, HostError> {
        self.ask(|live| live.answer(request))
    }

    /// Runs a question; replaces the instance if it can no longer be trusted.
    #[inline]
    fn ask<R>(&mut self, question: impl FnOnce(&mut Live) -> Result<R, HostError>) -> Result<R, HostError> {
        if self.live.is_none() {
            self.replace()?;
        }
        let live = self.live.as_mut().ok_or(HostError::Contract("an instance that could not be replaced"))?;
        let result = question(live);
        if let Err(HostError::Trap(_) | HostError::Limit | HostError::Contract(_)) = result {
            // If even this fails, the next question tries again; this one's error says more.
            let _ = self.replace();
        }
        result
    }

    #[cold]
    fn replace(&mut self) -> Result<(), HostError> {
        self.live = None;
        let mut live = Live::new(&self.module)?;
        live.open(&self.snapshot)?;
        self.live = Some(live);
        Ok(())
    }
}

fn known(handle: u32) -> Option<u32> {
    (handle != UNKNOWN).then_some(handle)
}

impl Live {
    fn new(module: &Module) -> Result<Live, HostError> {
        let none = Room { address: 0, len: 0 };
        let mut live = Live { exports: Exports::new(module)?, text: none, triples: none, codes: none };
        live.text = live.alloc(TEXT_ROOM as usize)?;
        Ok(live)
    }

    fn alloc(&mut self, len: usize) -> Result<Room, HostError> {
        let len = u32::try_from(len).map_err(|_| HostError::Memory)?;
        let address = self.exports.call(|exports| &exports.alloc, len)?;
        // No room is also what the module gives for no bytes; those need none.
        if address == 0 && len != 0 { Err(HostError::Memory) } else { Ok(Room { address, len }) }
    }

    fn free(&mut self, room: Room) -> Result<(), HostError> {
        self.exports.call(|exports| &exports.free, (room.address, room.len))
    }

    /// Copies a block that the module hands over, and gives it back.
    fn take(&mut self, block: u64) -> Result<Vec<u8>, HostError> {
        let room = Room { address: block as u32, len: (block >> 32) as u32 };
        if block == 0 {
            return Err(HostError::Memory);
        }
        let bytes = self.exports.bytes(room.address, room.len as usize)?.to_vec();
        self.free(room)?;
        Ok(bytes)
    }

    fn open(&mut self, snapshot: &[u8]) -> Result<(), HostError> {
        if snapshot.is_empty() {
            // Too short; the module gives no room for nothing.
            return Err(HostError::Open(1));
        }
        let room = self.alloc(snapshot.len())?;
        self.exports.bytes(room.address, snapshot.len())?.copy_from_slice(snapshot);
        // The module takes the room, whatever it says.
        match self.exports.call(|exports| &exports.open, (room.address, room.len))? {
            0 => Ok(()),
            code => Err(HostError::Open(code)),
        }
    }

    /// Writes texts into the room for them, one after the other.
    fn texts<const N: usize>(&mut self, texts: [&str; N]) -> Result<[(u32, u32); N], HostError> {
        let len: usize = texts.iter().map(|text| text.len()).sum();
        if len > self.text.len as usize {
            let larger = self.alloc(len.next_power_of_two())?;
            let smaller = std::mem::replace(&mut self.text, larger);
            self.free(smaller)?;
        }
        let mut at = self.text.address;
        let mut places = [(0, 0); N];
        for (text, place) in texts.iter().zip(&mut places) {
            self.exports.bytes(at, text.len())?.copy_from_slice(text.as_bytes());
            // INVARIANT: no longer than the room, whose length is a u32.
            *place = (at, text.len() as u32);
            at += text.len() as u32;
        }
        Ok(places)
    }

    fn answer(&mut self, request: &[u8]) -> Result<Vec<u8>, HostError> {
        let room = self.alloc(request.len())?;
        self.exports.bytes(room.address, request.len())?.copy_from_slice(request);
        let block = self.exports.call(|exports| &exports.query, (room.address, room.len))?;
        self.free(room)?;
        self.take(block)
    }

    fn check_batch(&mut self, triples: &[[u32; 3]], now: i64, codes: &mut [u8]) -> Result<(), HostError> {
        let count = u32::try_from(triples.len()).map_err(|_| HostError::Memory)?;
        self.triples = self.at_least(self.triples, triples.len() * 12)?;
        self.codes = self.at_least(self.codes, codes.len())?;
        let room = self.exports.bytes(self.triples.address, triples.len() * 12)?;
        for (place, handle) in room.chunks_exact_mut(4).zip(triples.as_flattened()) {
            place.copy_from_slice(&handle.to_le_bytes());
        }
        let parameters = (self.triples.address, count, now as f64, self.codes.address);
        if self.exports.call(|exports| &exports.check_batch, parameters)? != 0 {
            return Err(HostError::Contract("a batch that it did not take"));
        }
        codes.copy_from_slice(self.exports.bytes(self.codes.address, codes.len())?);
        Ok(())
    }

    /// A room of at least so many bytes; the one before is given back if it is too small.
    fn at_least(&mut self, room: Room, len: usize) -> Result<Room, HostError> {
        if room.len as usize >= len {
            return Ok(room);
        }
        let larger = self.alloc(len.next_power_of_two())?;
        self.free(room)?;
        Ok(larger)
    }
}

impl fmt::Debug for Instance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Instance").field("snapshot_bytes", &self.snapshot.len()).finish_non_exhaustive()
    }
}
