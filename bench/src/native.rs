//! Deciding in this process, on the bytes of the snapshot.

use crate::measure::{Figures, best};
use crate::workload::{QUERIES, Work};
use anyhow::Result;
use postern_resolver::{
    Context, Question, check, check_handles, mask, permission_handle, resource_handle, subject_handle,
};
use postern_snapshot::Snapshot;
use std::hint::black_box;

pub(crate) fn run(work: &Work, figures: &mut Figures) -> Result<()> {
    let snapshot = Snapshot::open(&work.bytes)?;
    let allowed = |code: postern_resolver::Reason| usize::from((code as u8) < 16);

    let (ns, hits) = best(QUERIES, || {
        work.handles.iter().map(|[s, p, r]| allowed(check_handles(&snapshot, *s, *p, *r, 0))).sum()
    });
    work.expect("native by handle", hits)?;
    figures.add("native: by handle", ns);

    // Permission and resource stay handles, as generated keys make them; the subject comes as text each time.
    let keyed: Vec<(&str, u32, u32)> =
        work.subjects.iter().zip(&work.handles).map(|(subject, [_, p, r])| (subject.as_str(), *p, *r)).collect();
    let (ns, hits) = best(QUERIES, || {
        keyed
            .iter()
            .map(|(subject, p, r)| match subject_handle(&snapshot, subject) {
                Some(subject) => allowed(check_handles(&snapshot, subject, *p, *r, 0)),
                None => 0,
            })
            .sum()
    });
    work.expect("native by text id", hits)?;
    figures.add("native: subject by text id", ns);

    let (ns, hits) = best(QUERIES, || {
        let texts = work.workload.queries.iter().zip(&work.subjects);
        texts
            .map(|(query, subject)| {
                let resource = Some(("site", work.sites[usize::from(query.site)].as_str()));
                let permission = &work.permissions[usize::from(query.permission)];
                let question = Question { subject, permission, resource, context: Context::default() };
                usize::from(check(&snapshot, &question).is_ok_and(|reason| (reason as u8) < 16))
            })
            .sum()
    });
    work.expect("native by texts", hits)?;
    figures.add("native: everything by text, complete way", ns);

    let mut answers = vec![0u8; QUERIES];
    let (ns, hits) = best(QUERIES, || {
        postern_resolver::check_batch(&snapshot, &work.handles, 0, &mut answers);
        answers.iter().filter(|code| **code < 16).count()
    });
    work.expect("native batch", hits)?;
    figures.add("native: batch", ns);

    let mut bits = [0u8; 25];
    let (ns, _) = best(QUERIES, || {
        work.handles
            .iter()
            .map(|[s, _, r]| {
                mask(&snapshot, *s, *r, 0, &mut bits);
                usize::from(black_box(&bits)[0] & 1)
            })
            .sum()
    });
    figures.add("native: mask of all 200 permissions", ns);

    let (ns, _) = best(QUERIES, || {
        work.workload
            .queries
            .iter()
            .zip(&work.subjects)
            .map(|(query, subject)| {
                let found = subject_handle(&snapshot, subject).unwrap_or(0)
                    ^ permission_handle(&snapshot, &work.permissions[usize::from(query.permission)]).unwrap_or(0)
                    ^ resource_handle(&snapshot, "site", &work.sites[usize::from(query.site)]).unwrap_or(0);
                (found & 1) as usize
            })
            .sum()
    });
    figures.add("native: three ids to handles", ns);
    Ok(())
}

/// The floor: per user one bit for each permission at each site, nothing else to know.
pub(crate) fn floor(work: &Work, figures: &mut Figures) -> Result<()> {
    let users = work.workload.users.len();
    if users > 100_000 {
        // 500 bytes a user: the full table of a million does not fit a small machine beside everything else.
        return Ok(());
    }
    let snapshot = Snapshot::open(&work.bytes)?;
    let mut table = vec![0u8; users * 20 * 25];
    for user in 0..users as u32 {
        for site in 0..20u32 {
            let at = (user as usize * 20 + site as usize) * 25;
            mask(&snapshot, user, site + 1, 0, &mut table[at..at + 25]);
        }
    }
    let (ns, hits) = best(QUERIES, || {
        work.handles
            .iter()
            .map(|[s, p, r]| {
                let at = (*s as usize * 20 + *r as usize - 1) * 25 + *p as usize / 8;
                usize::from(table[at] >> (p % 8) & 1)
            })
            .sum()
    });
    work.expect("bitset floor", hits)?;
    figures.add("floor: native bitset, everything materialised", ns);
    Ok(())
}

/// Opening beside copying, and the size.
pub(crate) fn open(work: &Work, figures: &mut Figures) -> Result<()> {
    let mut copy = vec![0u8; work.bytes.len()];
    let (copied, _) = best(1, || {
        copy.copy_from_slice(&work.bytes);
        usize::from(black_box(&copy)[0])
    });
    let (opened, _) = best(1, || usize::from(Snapshot::open(&work.bytes).is_ok()));
    figures.plain("snapshot, bytes", work.bytes.len() as f64);
    figures.plain("snapshot, bytes a user", work.bytes.len() as f64 / work.workload.users.len() as f64);
    figures.plain("open with full validation, ms", opened / 1e6);
    figures.plain("copy of the bytes, ms", copied / 1e6);
    figures.plain("open / copy", opened / copied);
    Ok(())
}
