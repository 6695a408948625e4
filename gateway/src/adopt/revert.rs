//! `--revert`

use super::error::AdoptError;
use super::plan::Plan;
use super::run::begin;
use crate::store::adopt::record;
use crate::store::adopt::revert::{ORDER, Swept, clear, pages, sweep};
use crate::store::{StoreError, heads};
use sqlx::PgConnection;
use std::io;
use std::time::Duration;

/// What was taken back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reverted {
    /// Facts that were deleted.
    pub deleted: u64,
    /// Facts of the plan that stay, because facts depend on them which are not its own.
    pub left: u64,
    /// Facts that the plan made and that were changed, which makes them somebody else's, or deleted since.
    pub others: u64,
    /// The organization's revision now.
    pub revision: u64,
}

/// Pages in a transaction at first; then as many as hold about a batch of the plan's rows.
const PAGES: i64 = 16;
/// Batches of a table's rows, above which what is left of them is cleared away before the next table: clearing reads the
/// whole table once, and what follows reads it once for each batch.
const CLEARED: i64 = 4;
/// Times that a table is gone through again for rows that somebody held.
const ROUNDS: usize = 3;
/// Times that pages are tried again which other writers got in the way of.
const TRIES: u32 = 8;

/// Deletes every fact that the plan made and nobody changed, and forgets the adoption. Can be interrupted and run again.
pub async fn revert(
    plan: &Plan,
    target: &mut PgConnection,
    batch: usize,
    tell: &mut (dyn FnMut(&str, u64) -> io::Result<()> + Send),
) -> Result<Reverted, AdoptError> {
    begin(plan, target).await?;
    let organization = &plan.organization;
    let Some(adoption) = record::find(target, organization, &plan.name).await? else {
        return Err(AdoptError::NothingToRevert {
            organization: organization.clone(),
            plan: plan.name.clone(),
        });
    };
    // Whatever becomes of this, the next run begins from the start.
    record::forget_progress(target, organization, adoption.id).await?;
    let rules = record::rules(target, organization, adoption.id).await?;
    let numbers: Vec<i32> = rules.iter().map(|(number, ..)| *number).collect();
    let batch = i64::try_from(batch).unwrap_or(i64::MAX);
    let mut done = Reverted::default();
    for kind in ORDER {
        let (mut left, before) = (0, done.deleted);
        for _ in 0..ROUNDS {
            left = 0;
            let (mut from, mut step, end) = (0, PAGES, pages(target, kind).await?);
            while from < end {
                let swept = patiently(target, organization, &numbers, kind, (from, from + step)).await?;
                done.deleted += u64::try_from(swept.deleted).unwrap_or(0);
                left += u64::try_from(swept.left).unwrap_or(0);
                from += step;
                // Empty pages are passed quickly, full ones in bites.
                step = match swept.deleted {
                    0 => (step * 2).min(4096),
                    deleted => (step * batch / deleted).clamp(1, step * 2),
                };
                if swept.deleted > 0 {
                    tell(kind.table(), done.deleted)?;
                }
            }
            if left == 0 {
                break;
            }
        }
        done.left += left;
        let deleted = i64::try_from(done.deleted - before).unwrap_or(i64::MAX);
        if deleted > batch.saturating_mul(CLEARED) {
            clear(target, kind).await?;
        }
    }
    let created: i64 = rules.iter().map(|(.., created)| created).sum();
    let accounted = done.deleted + done.left;
    done.others = u64::try_from(created).unwrap_or(0).saturating_sub(accounted);
    if done.left == 0 {
        record::forget(target, organization, adoption.id).await?;
    } else {
        record::settle(target, organization, adoption.id, &numbers).await?;
    }
    done.revision = heads::revision(target, organization).await?.unwrap_or(0);
    Ok(done)
}

async fn patiently(
    target: &mut PgConnection,
    organization: &str,
    rules: &[i32],
    kind: crate::store::adopt::facts::Kind,
    range: (i64, i64),
) -> Result<Swept, StoreError> {
    let mut tried = 0;
    loop {
        match sweep(target, organization, rules, kind, range).await {
            Err(error) if tried < TRIES && error.is_contention() => {
                tried += 1;
                tokio::time::sleep(Duration::from_millis(20 << tried)).await;
            }
            other => return other,
        }
    }
}
