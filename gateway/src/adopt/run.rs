//! Running a plan: page by page, each in one transaction with how far it has come.

use super::error::{AdoptError, Refused};
use super::fill::Owner;
use super::pages::{Page, Reader};
use super::plan::{Plan, PlanQuery};
use super::progress::{Meter, Tell};
use crate::clock::steady_micros;
use crate::store::adopt::facts::{Fact, KINDS, Kind, Set};
use crate::store::adopt::record::{self, Begin, Progress};
use crate::store::adopt::source::Source;
use crate::store::{StoreError, heads, manage};
use sqlx::{Connection, PgConnection};
use std::collections::BTreeMap;
use std::time::Duration;

/// Times that a batch is tried again which other writers of the organization got in the way of.
const TRIES: u32 = 8;
/// Times that the queries are read again because the source has grown meanwhile.
const ROUNDS: usize = 3;

/// Microseconds to wait for another program that runs the plan, before it is believed to go on.
const PATIENCE: i64 = 15_000_000;

/// What a run did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Adopted {
    /// A run that was interrupted went on.
    pub resumed: bool,
    /// Rows of the source that this run read.
    pub rows: u64,
    /// Facts that it made.
    pub created: u64,
    /// Facts that were there already, or that several rows say.
    pub kept: u64,
    /// The organization's revision now.
    pub revision: u64,
    /// Rows that the source has more than were read, because it grows faster than it is read again.
    pub behind: u64,
}

/// One run.
pub(super) struct Run<'r> {
    plan: &'r Plan,
    target: &'r mut PgConnection,
    source: &'r mut Source,
    tell: Tell<'r>,
    adoption: i32,
    /// Of each query, of each rule.
    rules: Vec<Vec<i32>>,
    readers: Vec<Reader>,
    batch: usize,
    done: Adopted,
}

/// Whether a pass keeps how far it has come.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Keep {
    /// After each batch, so that the next run goes on from there.
    Progress,
    /// Nothing: what was made is made, and it begins again if it is interrupted.
    Nothing,
}

/// Runs a plan, or goes on where a run was interrupted.
pub async fn adopt(
    plan: &Plan,
    target: &mut PgConnection,
    source: &mut Source,
    batch: usize,
    tell: Tell<'_>,
) -> Result<Adopted, AdoptError> {
    begin(plan, target).await?;
    let readers = Reader::all(plan, source).await?;
    let address = source.address().await?;
    let digest = plan.digest();
    let mut transaction = target.begin().await.map_err(StoreError::from)?;
    let known = record::find(&mut transaction, &plan.organization, &plan.name).await?;
    let interrupted = known.filter(|known| !known.finished && known.digest == digest);
    let resumed = interrupted.is_some();
    let adoption = match interrupted {
        Some(known) => known.id,
        None => {
            let begin = Begin {
                organization: &plan.organization,
                plan: &plan.name,
                text: &plan.text,
                digest: &digest,
                source: &address,
            };
            record::begin(&mut transaction, &begin).await?
        }
    };
    let mut rules = Vec::new();
    for query in &plan.queries {
        let mut numbers = Vec::new();
        for rule in &query.rules {
            let number =
                record::rule(&mut transaction, &plan.organization, adoption, &query.name, &rule.name);
            numbers.push(number.await?);
        }
        rules.push(numbers);
    }
    let mut progress = record::progress(&mut transaction, &plan.organization, adoption).await?;
    transaction.commit().await.map_err(StoreError::from)?;

    let done = Adopted { resumed, ..Adopted::default() };
    let mut run = Run { plan, target, source, tell, adoption, rules, readers, batch, done };
    for number in 0..plan.queries.len() {
        let name = &plan.queries[number].name;
        let from = progress.remove(name).unwrap_or_default();
        if !from.finished {
            let read = run.pass(number, from, Keep::Progress).await?;
            progress.insert(name.clone(), read);
        } else {
            progress.insert(name.clone(), from);
        }
    }
    run.catch_up(&mut progress).await?;
    record::finish(run.target, &plan.organization, adoption).await?;
    let mut done = run.done;
    done.revision = heads::revision(target, &plan.organization).await?.unwrap_or(0);
    Ok(done)
}

/// The organization is there, and nobody else runs the plan.
pub(super) async fn begin(plan: &Plan, target: &mut PgConnection) -> Result<(), AdoptError> {
    if heads::revision(target, &plan.organization).await?.is_none() {
        return Err(AdoptError::NoOrganization(plan.organization.clone()));
    }
    // Of a program that was killed, the server finishes the statement first, and then notices.
    let until = steady_micros() + PATIENCE;
    while !record::lock(target, &plan.organization, &plan.name).await? {
        if steady_micros() > until {
            return Err(AdoptError::Running(plan.name.clone()));
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Ok(())
}

impl Run<'_> {
    /// Reads what the source has got since the queries were read. Rows may have come before the last key as well as
    /// after it, so that such a query is read from its beginning; facts that are there cost little.
    async fn catch_up(&mut self, progress: &mut BTreeMap<String, Progress>) -> Result<(), AdoptError> {
        for round in 0..=ROUNDS {
            self.done.behind = 0;
            for number in 0..self.plan.queries.len() {
                let query = &self.plan.queries[number];
                let read = progress.get(&query.name).map_or(0, |progress| progress.rows_read);
                let there = self.count(number).await?;
                let more = there.saturating_sub(u64::try_from(read).unwrap_or(0));
                if more == 0 {
                    continue;
                }
                if round == ROUNDS {
                    self.done.behind += more;
                    continue;
                }
                let passed = self.pass(number, Progress::default(), Keep::Nothing).await?;
                let (organization, name) = (&self.plan.organization, &self.plan.queries[number].name);
                record::advance(self.target, organization, self.adoption, name, &passed).await?;
                progress.insert(name.clone(), passed);
            }
            if self.done.behind > 0 {
                return Ok(());
            }
        }
        Ok(())
    }

    async fn count(&mut self, number: usize) -> Result<u64, AdoptError> {
        self.readers[number].count(&self.plan.queries[number], self.source).await
    }

    /// Reads a query to its end; where it then is.
    async fn pass(&mut self, number: usize, from: Progress, keep: Keep) -> Result<Progress, AdoptError> {
        let total = self.count(number).await?;
        let plan = self.plan;
        let query = &plan.queries[number];
        let mut progress = from;
        let read = u64::try_from(progress.rows_read).unwrap_or(0);
        let mut meter = Meter::new(&query.name, read, total, steady_micros());
        let mut page =
            self.readers[number].page(query, self.source, progress.last_key.as_deref(), self.batch).await?;
        loop {
            let rows = page.rows.len();
            let facts = self.facts(number, &page)?;
            progress.rows_read += i64::try_from(rows).unwrap_or(i64::MAX);
            progress.finished = page.is_last;
            if let Some(key) = &page.last_key {
                progress.last_key = Some(key.clone());
            }
            // The next page is read while this one is written.
            let write = Write { plan, number, adoption: self.adoption, keep, progress: &progress };
            let next = async {
                match page.is_last {
                    true => Ok(None),
                    false => {
                        let after = page.last_key.as_deref();
                        self.readers[number].page(query, self.source, after, self.batch).await.map(Some)
                    }
                }
            };
            let (made, next) = tokio::join!(write.batch(self.target, &facts), next);
            let made = match made {
                Ok(made) => made,
                // Where the source is in use, a row may name one that an earlier query did not find yet.
                Err(refused) if refused.names_what_is_missing() && number > 0 && keep == Keep::Progress => {
                    for earlier in 0..number {
                        Box::pin(self.pass(earlier, Progress::default(), Keep::Nothing)).await?;
                    }
                    let write = Write { plan, number, adoption: self.adoption, keep, progress: &progress };
                    write
                        .batch(self.target, &facts)
                        .await
                        .map_err(|error| refused_rows(query, &page, error))?
                }
                Err(error) => return Err(refused_rows(query, &page, error)),
            };
            let mapped: usize = facts.values().map(Set::len).sum();
            self.done.rows += rows as u64;
            self.done.created += made;
            self.done.kept += (mapped as u64).saturating_sub(made);
            meter.read(rows as u64, steady_micros());
            (self.tell)(&meter)?;
            match next? {
                Some(next) => page = next,
                None => break,
            }
        }
        Ok(progress)
    }

    fn facts(&self, number: usize, page: &Page) -> Result<BTreeMap<Kind, Set>, AdoptError> {
        let query = &self.plan.queries[number];
        let mut sets: BTreeMap<Kind, Set> = BTreeMap::new();
        for (rule, fact) in page_facts(self.plan, query, &self.readers[number], page)? {
            sets.entry(fact.kind).or_default().add(self.rules[number][rule], fact);
        }
        Ok(sets)
    }
}

/// The facts of a page, each with the number of its rule.
pub(super) fn page_facts(
    plan: &Plan,
    query: &PlanQuery,
    reader: &Reader,
    page: &Page,
) -> Result<Vec<(usize, Fact)>, AdoptError> {
    let owner = Owner { organization: &plan.organization, plan: &plan.name };
    let mut facts = Vec::with_capacity(page.rows.len() * query.rules.len());
    for row in &page.rows {
        query.facts(owner, row, &mut facts).map_err(|unfit| AdoptError::Row {
            line: unfit.line,
            query: query.name.clone(),
            row: reader.named(query, row),
            what: unfit.what,
        })?;
    }
    Ok(facts)
}

fn refused_rows(query: &PlanQuery, page: &Page, error: Refused) -> AdoptError {
    AdoptError::Write { line: query.line, query: query.name.clone(), rows: page.range(), error }
}

/// One batch on its way into the database.
struct Write<'w> {
    plan: &'w Plan,
    number: usize,
    adoption: i32,
    keep: Keep,
    progress: &'w Progress,
}

impl Write<'_> {
    /// Writes it; how many facts it made.
    async fn batch(&self, target: &mut PgConnection, facts: &BTreeMap<Kind, Set>) -> Result<u64, Refused> {
        let mut tried = 0;
        loop {
            match self.once(target, facts).await {
                Err(error) if tried < TRIES && error.is_contention() => {
                    tried += 1;
                    tokio::time::sleep(Duration::from_millis(20 << tried)).await;
                }
                other => return other.map_err(Refused::new),
            }
        }
    }

    async fn once(&self, target: &mut PgConnection, facts: &BTreeMap<Kind, Set>) -> Result<u64, StoreError> {
        let organization = &self.plan.organization;
        let mut transaction = target.begin().await?;
        // As every write of a fact locks it, but first: others then wait in their turn instead of crosswise.
        manage::lock(&mut transaction, organization).await?;
        let mut made: BTreeMap<i32, i64> = BTreeMap::new();
        for kind in KINDS {
            let Some(set) = facts.get(&kind) else { continue };
            for (rule, count) in set.write(&mut transaction, organization, kind).await? {
                *made.entry(rule).or_default() += count;
            }
        }
        for (rule, count) in &made {
            record::count(&mut transaction, organization, *rule, *count).await?;
        }
        if self.keep == Keep::Progress {
            let name = &self.plan.queries[self.number].name;
            record::advance(&mut transaction, organization, self.adoption, name, self.progress).await?;
        }
        transaction.commit().await?;
        Ok(made.values().map(|count| u64::try_from(*count).unwrap_or(0)).sum())
    }
}
