//! Deciding in this process, on the bytes of the snapshot.

use crate::measure::{Engine, allows, best_ms};
use crate::workload::Work;
use anyhow::{Result, ensure};
use postern_resolver::{
    Context, Question, Reason, check, check_batch, check_handles, mask, permission_handle, resource_handle,
    subject_handle,
};
use postern_snapshot::{Snapshot, apply, diff};
use std::hint::black_box;

/// Sites and bytes of one mask, as the workload has them.
const SITES: usize = 20;
const MASK_BYTES: usize = 25;
/// Users for whom the table of everything, 500 bytes each, still fits beside all the rest.
const TABLE_USERS_MAX: usize = 100_000;

pub(crate) fn engines<'w>(work: &'w Work, snapshot: &'w Snapshot<'w>) -> Result<Vec<Engine<'w>>> {
    let allowed = |reason: Reason| allows(reason as u8);
    let mut engines = Vec::new();
    if let Some(floor) = bitset(work, snapshot)? {
        engines.push(floor);
    }
    engines.push(Engine::one_by_one("native: by handle", work, move |number| {
        let [subject, permission, resource] = work.handles[number];
        Ok(allowed(check_handles(snapshot, subject, permission, resource, 0)))
    })?);
    // Permissions and sites stay handles, as constants of a program do; the subject comes as text with every question.
    engines.push(Engine::one_by_one("native: by text id", work, move |number| {
        let [_, permission, resource] = work.handles[number];
        Ok(subject_handle(snapshot, &work.subjects[number])
            .is_some_and(|subject| allowed(check_handles(snapshot, subject, permission, resource, 0))))
    })?);
    engines.push(Engine::one_by_one("native: all three by text", work, move |number| {
        let query = &work.workload.queries[number];
        let resource = Some(("site", work.sites[usize::from(query.site)].as_str()));
        let permission = &work.permissions[usize::from(query.permission)];
        let question =
            Question { subject: &work.subjects[number], permission, resource, context: Context::default() };
        Ok(check(snapshot, &question).is_ok_and(allowed))
    })?);
    engines.push(Engine::at_once("native: batch", work, move |codes| {
        check_batch(snapshot, &work.handles, 0, codes);
        Ok(())
    })?);
    let mut bits = [0; MASK_BYTES];
    engines.push(Engine::one_by_one("native: mask of all 200 permissions", work, move |number| {
        let [subject, permission, resource] = work.handles[number];
        mask(snapshot, subject, resource, 0, &mut bits);
        Ok(bit(black_box(&bits), permission))
    })?);
    let found = |handle: Option<u32>| handle.unwrap_or(u32::MAX);
    engines.push(Engine::empty("native: three ids to handles", move |number| {
        let query = &work.workload.queries[number as usize];
        Ok(found(subject_handle(snapshot, &work.subjects[number as usize]))
            ^ found(permission_handle(snapshot, &work.permissions[usize::from(query.permission)]))
            ^ found(resource_handle(snapshot, "site", &work.sites[usize::from(query.site)])))
    }));
    Ok(engines)
}

fn bit(bits: &[u8], permission: u32) -> bool {
    bits[permission as usize / 8] >> (permission % 8) & 1 != 0
}

/// The floor: one bit for each permission of each user at each site, and nothing else to know.
fn bitset<'w>(work: &'w Work, snapshot: &Snapshot<'_>) -> Result<Option<Engine<'w>>> {
    let users = work.workload.users.len();
    if users > TABLE_USERS_MAX {
        return Ok(None);
    }
    let mut table = vec![0; users * SITES * MASK_BYTES];
    for (number, bits) in table.chunks_exact_mut(MASK_BYTES).enumerate() {
        mask(snapshot, (number / SITES) as u32, (number % SITES) as u32 + 1, 0, bits);
    }
    let floor = Engine::one_by_one("floor: native bitset of everything", work, move |number| {
        let [subject, permission, resource] = work.handles[number];
        let at = (subject as usize * SITES + resource as usize - 1) * MASK_BYTES;
        Ok(bit(&table[at..at + MASK_BYTES], permission))
    })?;
    Ok(Some(floor))
}

/// Milliseconds: to copy the bytes, and to open them with full validation.
pub(crate) fn open(work: &Work) -> Result<[f64; 2]> {
    let mut copy = vec![0; work.bytes.len()];
    let copied = best_ms(15, || {
        copy.copy_from_slice(black_box(&work.bytes));
        black_box(&copy);
        Ok(())
    })?;
    let opened = best_ms(15, || {
        black_box(Snapshot::open(black_box(&work.bytes))?);
        Ok(())
    })?;
    Ok([copied, opened])
}

/// What one assignment less costs: bytes of the delta, and milliseconds to find it and to apply it.
pub(crate) fn delta(work: &Work) -> Result<[f64; 3]> {
    let (old, new) = (Snapshot::open(&work.bytes)?, Snapshot::open(&work.next)?);
    let delta = diff(&old, &new);
    ensure!(apply(&old, &delta)? == work.next, "the delta leads somewhere else");
    let found = best_ms(3, || {
        black_box(diff(black_box(&old), black_box(&new)));
        Ok(())
    })?;
    let applied = best_ms(5, || {
        black_box(apply(black_box(&old), black_box(&delta))?);
        Ok(())
    })?;
    Ok([delta.len() as f64, found, applied])
}
