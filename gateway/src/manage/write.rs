//! One write: lock, decide, change, compare, take down, commit.

use super::guard::By;
use super::impact::Impact;
use super::refused::refusal;
use super::rights::{Rights, borrowed, cannot_grant};
use super::written::{Replay, Written};
use super::{Actor, Caller, Need, Place};
use crate::app::App;
use crate::clock::now_micros;
use crate::problem::{Problem, Refusal};
use crate::publish::{self, PublishError, State};
use crate::store::manage::{Item, audit, begin_trial, check_now, hidden, lock, replay, subjects, take_back};
use crate::store::{StoreError, heads};
use crate::traces::part;
use serde_json::Value;
use sqlx::{Postgres, Transaction};
use std::collections::BTreeSet;
use std::sync::Arc;

/// A published snapshot up to here is compiled anew in the transaction where it is behind; for a larger one it is better
/// to wait until it is published, for a while.
const COMPILE_AT_ONCE_BYTES: usize = 4 * 1024 * 1024;
/// How often a write waits for a large organization's newest state before it compiles that itself.
const WAITS: usize = 2;

/// A transaction that may write facts of one organization.
pub struct Write<'a> {
    pub(super) app: &'a App,
    pub(super) caller: &'a Caller,
    transaction: Transaction<'static, Postgres>,
    /// The revision of the head when it was locked.
    revision: u64,
    /// The facts of that revision; `None` for an operator who writes, whose rights do not depend on them.
    before: Option<Arc<State>>,
    /// The same without what counts under conditions, where the caller holds something of that kind: nobody gives for
    /// good what they hold in some cases.
    firm: Option<Arc<State>>,
    /// The caller may do everything: nothing has to be compared.
    pub(super) everything: bool,
    /// Whose rights the write may change: subjects and groups.
    affected: Vec<String>,
    /// Places besides the scopes where they may change.
    places: Vec<Place>,
    /// What the affected hold that asking does not show, before the write.
    hidden: BTreeSet<String>,
    /// An assignment that was found to be one's to give, whenever it begins.
    given: Option<String>,
    /// What the write says was decided on, under whatever conditions: there is nothing that asking does not show.
    shown: bool,
    replay: Option<Replay>,
}

/// What begins.
pub enum Begun<'a> {
    /// A write.
    Write(Write<'a>),
    /// Nothing: the request was answered before, with this.
    Before(Written),
}

impl<'a> Write<'a> {
    /// Locks the organization. A request that was answered before is not begun again.
    pub async fn begin_once(
        app: &'a App,
        caller: &'a Caller,
        replay: Option<Replay>,
    ) -> Result<Begun<'a>, Refusal> {
        let mut write = Write::begin(app, caller).await?;
        // A question is asked anew each time, and its answer is none to the write.
        let replay = replay.filter(|_| !caller.preview);
        if let Some(replay) = &replay {
            let (connection, organization) = write.tables();
            let found = replay::find(connection, organization, caller.actor.name(), &replay.key).await;
            match found.map_err(refusal)? {
                None => {}
                Some((digest, _)) if digest != replay.digest => {
                    return Err(Problem::IDEMPOTENCY_KEY_REUSED.into());
                }
                Some((_, answer)) => return Ok(Begun::Before(Written::read(&answer)?)),
            }
        }
        write.replay = replay;
        Ok(Begun::Write(write))
    }

    /// Locks the organization.
    pub async fn begin(app: &'a App, caller: &'a Caller) -> Result<Write<'a>, Refusal> {
        if !caller.can_write {
            return Err(Problem::READ_ONLY_KEY.into());
        }
        let organization = caller.organization.as_str();
        // Only what somebody may do, or could do after it, has to be found out.
        let decides = matches!(caller.actor, Actor::Subject(_)) || caller.preview;
        if decides {
            // Before anything is locked: the first state of an organization needs a connection of its own.
            app.publisher.state(organization).await?;
        }
        let mut waits = 0;
        loop {
            let mut transaction = app.pool.begin(organization).await.map_err(refusal)?;
            let revision = part("lock", lock(&mut transaction, organization)).await.map_err(refusal)?;
            let revision = revision.ok_or(Problem::ORGANIZATION_GONE)?;
            if !decides {
                return Ok(Write::of(app, caller, transaction, revision, None, None));
            }
            let published = app.publisher.state(organization).await?;
            let before = if published.revision() == revision {
                published
            } else if waits < WAITS && published.snapshot.bytes.len() > COMPILE_AT_ONCE_BYTES {
                waits += 1;
                transaction.rollback().await.map_err(unavailable)?;
                // Not before it was the newest state; it may not be any more by then.
                let _ = app.publisher.state_to_decide(organization, revision, app.config.stale_after).await?;
                continue;
            } else {
                compiled(&mut transaction, organization, revision, false).await?
            };
            let Actor::Subject(subject) = &caller.actor else {
                return Ok(Write::of(app, caller, transaction, revision, Some(before), None));
            };
            let conditional = hidden::conditional(&mut transaction, organization, subject).await;
            let firm = match conditional.map_err(refusal)? {
                true => compiled(&mut transaction, organization, revision, true).await?,
                false => before.clone(),
            };
            return Ok(Write::of(app, caller, transaction, revision, Some(before), Some(firm)));
        }
    }

    fn of(
        app: &'a App,
        caller: &'a Caller,
        transaction: Transaction<'static, Postgres>,
        revision: u64,
        before: Option<Arc<State>>,
        firm: Option<Arc<State>>,
    ) -> Self {
        let everything = Rights::new(firm.as_ref().map(|state| state.view()), caller).everything();
        let (affected, places, hidden) = (Vec::new(), Vec::new(), BTreeSet::new());
        let (given, shown, replay) = (None, false, None);
        Write {
            app,
            caller,
            transaction,
            revision,
            before,
            firm,
            everything,
            affected,
            places,
            hidden,
            given,
            shown,
            replay,
        }
    }

    /// What the caller and others may do, on the facts before the write.
    pub(super) fn rights(&self) -> Rights<'_> {
        let (before, firm) = (self.before.as_ref(), self.firm.as_ref());
        Rights::with(before.map(|state| state.view()), firm.map(|state| state.view()), self.caller)
    }

    /// Refuses a caller who lacks what is needed.
    pub fn require(&self, need: &Need<'_>) -> Result<(), Refusal> {
        self.rights().require(need)
    }

    /// The connection, for the statements of the write, and the organization.
    pub(super) fn tables(&mut self) -> (&mut sqlx::PgConnection, &'a str) {
        (&mut self.transaction, self.caller.organization.as_str())
    }

    /// Says whose rights the write may change, and at which places besides the scopes. To be called before it is made.
    pub(super) async fn affects(
        &mut self,
        subjects: impl IntoIterator<Item = String>,
        at: impl IntoIterator<Item = Place>,
    ) -> Result<(), Refusal> {
        self.places.extend(at.into_iter().flatten().map(Some));
        if self.everything {
            return Ok(());
        }
        self.affected.extend(subjects);
        let affected = self.affected().await?;
        let (connection, organization) = self.tables();
        self.hidden = hidden::of(connection, organization, &affected).await.map_err(refusal)?;
        Ok(())
    }

    /// Says that an assignment gives what the caller may give, whenever it begins.
    pub(super) fn given(&mut self, assignment: &str) {
        self.given = Some(assignment.to_owned());
    }

    /// Says that the write gives what the caller may give, whatever it depends on.
    pub(super) fn shown(&mut self) {
        self.shown = true;
    }

    /// Refuses a caller who may not do everything where the affected hold something that asking does not show: it could
    /// come into force by this write.
    pub(super) fn nothing_hidden(&self) -> Result<(), Refusal> {
        if self.hidden.is_empty() { Ok(()) } else { Err(Problem::NEEDS_EVERYTHING.into()) }
    }

    /// The same of what a narrower role may have kept back: what begins later, and what a role holds under conditions.
    pub(super) fn nothing_kept_back(&self) -> Result<(), Refusal> {
        let kept_back = |what: &String| what.contains("\"later\"") || what.contains("\"role grant\"");
        if self.hidden.iter().any(kept_back) { Err(Problem::NEEDS_EVERYTHING.into()) } else { Ok(()) }
    }

    /// The affected, with the members of groups among them.
    async fn affected(&mut self) -> Result<Vec<String>, Refusal> {
        let ids = self.affected.clone();
        let (connection, organization) = self.tables();
        subjects::with_members(connection, organization, &ids).await.map_err(refusal)
    }

    /// The subject that may be managed by the caller: one that may do nothing that the caller may not. Who holds
    /// `any` of the permissions needs no more than that; who holds only `less` must hold more than the subject (PF-40).
    /// At a place, only what may be done there and below counts.
    pub(super) async fn manage(
        &mut self,
        subject: &str,
        at: Option<(&str, &str)>,
        any: &str,
        less: &str,
    ) -> Result<(), Refusal> {
        let rights = self.rights();
        let equal = rights.holds(any, at);
        rights.require(&Need { any_of: &[any, less], at })?;
        if self.everything {
            return Ok(());
        }
        let places = self.places_at(at).await?;
        match self.rights().covers(subject, &places, !equal) {
            true => Ok(()),
            false => Err(Problem::HOLDS_MORE.into()),
        }
    }

    /// Refuses to give away permissions, or what follows from them, that the caller does not hold at these places and at
    /// every scope below.
    pub(super) async fn give(
        &mut self,
        permissions: &BTreeSet<String>,
        at: impl IntoIterator<Item = &Place>,
    ) -> Result<(), Refusal> {
        if self.everything || permissions.is_empty() {
            return Ok(());
        }
        let permissions = self.following(permissions, By::Holding).await?;
        let mut places = BTreeSet::new();
        for at in at.into_iter().collect::<BTreeSet<_>>() {
            places.extend(self.places_at(borrowed(at)).await?);
        }
        let rights = self.rights();
        for at in &places {
            let mine = rights.held_by_caller(borrowed(at));
            if let Some(lacking) =
                permissions.iter().find(|permission| mine.binary_search(permission).is_err())
            {
                return Err(cannot_grant(lacking, borrowed(at)));
            }
        }
        Ok(())
    }

    /// A place, and the scopes below it.
    pub(super) async fn places_at(&mut self, at: Option<(&str, &str)>) -> Result<Vec<Place>, Refusal> {
        let Some((kind, id)) = at else { return Ok(self.rights().places()) };
        let (connection, organization) = self.tables();
        let below = crate::store::manage::places::scopes_below(connection, organization, (kind, id)).await;
        let mut places: Vec<Place> = below.map_err(refusal)?.into_iter().map(Some).collect();
        // At a scope that is not live nobody is allowed anything.
        let live: BTreeSet<Place> = self.rights().places().into_iter().collect();
        places.retain(|place| live.contains(place));
        places.push(Some((kind.to_owned(), id.to_owned())));
        Ok(places)
    }

    /// Nothing had to be written.
    pub(super) fn unchanged(self, item: Item) -> Written {
        let impact = self.caller.preview.then(Impact::default);
        Written { revision: self.revision, item: Some(item), changed: false, impact }
    }

    /// Takes down what was done to which item: one of several that the write is about.
    pub(super) async fn take_down(
        &mut self,
        operation: &str,
        target: &str,
        before: Option<&Item>,
        after: Option<&Item>,
    ) -> Result<(), Refusal> {
        self.take_down_of(self.caller.actor.name(), operation, target, before, after).await
    }

    /// The same of what somebody else did, in whose name the write is not.
    pub(super) async fn take_down_of(
        &mut self,
        actor: &str,
        operation: &str,
        target: &str,
        before: Option<&Item>,
        after: Option<&Item>,
    ) -> Result<(), Refusal> {
        let event = audit::Event {
            actor,
            operation,
            target,
            before: before.map(|item| item.text.as_str()),
            after: after.map(|item| item.text.as_str()),
            request_id: self.caller.request_id.as_deref(),
        };
        audit::record(&mut self.transaction, &self.caller.organization, &event).await.map_err(refusal)
    }

    /// Takes down what was done to which item, keeps the answer for whoever sends the request again, compares what the
    /// affected may do now with what they did, and commits.
    pub(super) async fn commit(
        mut self,
        operation: &str,
        target: &str,
        before: Option<Item>,
        after: Option<Item>,
    ) -> Result<Written, Refusal> {
        self.take_down(operation, target, before.as_ref(), after.as_ref()).await?;
        self.finish(before, after).await
    }

    /// The same where everything was taken down.
    pub(super) async fn finish(
        mut self,
        before: Option<Item>,
        after: Option<Item>,
    ) -> Result<Written, Refusal> {
        let organization = self.caller.organization.clone();
        let revision = heads::revision(&mut self.transaction, &organization).await.map_err(refusal)?;
        let revision = revision.ok_or(Problem::ORGANIZATION_GONE)?;
        if !self.everything && !self.affected.is_empty() {
            self.compare(revision).await?;
        }
        if self.caller.preview {
            return self.preview(revision, [before, after]).await;
        }
        let written = Written { revision, item: after, changed: true, impact: None };
        if let Some(replay) = &self.replay {
            let actor = self.caller.actor.name();
            let answer = written.to_json();
            replay::keep(&mut self.transaction, &organization, actor, &replay.key, &replay.digest, &answer)
                .await
                .map_err(refusal)?;
        }
        part("commit", self.transaction.commit()).await.map_err(|error| refusal(error.into()))?;
        Ok(written)
    }

    /// Makes a trial of what follows, up to `end_trial`.
    pub(super) async fn begin_trial(&mut self) -> Result<(), Refusal> {
        begin_trial(&mut self.transaction).await.map_err(refusal)
    }

    /// Checks what was tried as when it is committed, and takes it back; a preview says what it would change.
    pub(super) async fn end_trial(&mut self) -> Result<(), Refusal> {
        check_now(&mut self.transaction).await.map_err(refusal)?;
        if !self.everything && !self.affected.is_empty() {
            let revision = heads::revision(&mut self.transaction, &self.caller.organization).await;
            self.compare(revision.map_err(refusal)?.ok_or(Problem::ORGANIZATION_GONE)?).await?;
        }
        if self.caller.preview {
            return Ok(());
        }
        self.affected.clear();
        take_back(&mut self.transaction).await.map_err(refusal)
    }

    /// What the write would change, which is not made.
    async fn preview(mut self, revision: u64, items: [Option<Item>; 2]) -> Result<Written, Refusal> {
        // INVARIANT: whoever begins a preview has the facts before it.
        let before = self.before.clone().ok_or(Problem::INTERNAL)?;
        let about = items.iter().flatten().filter_map(|item| place_of(&item.json()));
        let about: BTreeSet<Place> = about.map(Some).chain(self.places.drain(..)).collect();
        check_now(&mut self.transaction).await.map_err(refusal)?;
        let after = compiled(&mut self.transaction, &self.caller.organization, revision, false).await?;
        // Others can write again while it is counted.
        self.transaction.rollback().await.map_err(unavailable)?;
        let count = move || Impact::between(&before, &after, about, now_micros());
        let impact = tokio::task::spawn_blocking(count).await.map_err(|error| {
            tracing::error!(%error, "a preview could not be counted");
            Problem::INTERNAL
        })?;
        Ok(Written { revision: self.revision, item: None, changed: false, impact: Some(impact) })
    }

    /// Refuses a write that lets anybody do what the caller may not do there.
    async fn compare(&mut self, revision: u64) -> Result<(), Refusal> {
        let organization = self.caller.organization.clone();
        if self.affected.iter().any(|subject| subject == "user:all") {
            return Err(Problem::GIVES_TO_EVERYBODY.into());
        }
        let affected = self.affected().await?;
        let after = compiled(&mut self.transaction, &organization, revision, false).await?;
        let (before, after) = (self.rights(), Rights::new(Some(after.view()), self.caller));
        let mut places = before.places();
        places.extend(self.places.iter().cloned());
        for at in &places {
            let at = borrowed(at);
            let mine = before.held_by_caller(at);
            for subject in &affected {
                let had = before.held(subject, at);
                let gained = |permission: &&String| {
                    had.binary_search(permission).is_err() && mine.binary_search(permission).is_err()
                };
                if let Some(permission) = after.held(subject, at).iter().find(gained) {
                    return Err(cannot_grant(permission, at));
                }
            }
        }
        if self.shown {
            return Ok(());
        }
        // What depends on a condition, begins later or comes with ownership cannot be compared by asking now.
        let mut hidden =
            hidden::of(&mut self.transaction, &organization, &affected).await.map_err(refusal)?;
        if let Some(given) = &self.given {
            hidden.retain(|what| !(what.contains("\"later\"") && what.contains(given)));
        }
        if hidden != self.hidden {
            return Err(Problem::NEEDS_EVERYTHING.into());
        }
        Ok(())
    }

    /// Whether the caller is this subject.
    pub(super) fn is_caller(&self, subject: &str) -> bool {
        matches!(&self.caller.actor, Actor::Subject(caller) if caller == subject)
    }
}

/// Where something stands, or the resource that it is or is about; of everything else nothing.
fn place_of(item: &Value) -> Option<(String, String)> {
    let place = ["at", "resource", "child"].into_iter().map(|member| &item[member]);
    let place = place.chain([item]).find(|place| place["type"].is_string())?;
    Some((place["type"].as_str()?.to_owned(), place["id"].as_str()?.to_owned()))
}

async fn compiled(
    transaction: &mut Transaction<'static, Postgres>,
    organization: &str,
    revision: u64,
    firm: bool,
) -> Result<Arc<State>, Refusal> {
    let made = publish::compile_locked(transaction, organization, revision, firm).await;
    made.map(Arc::new).map_err(|error| match error {
        PublishError::Store(error) => refusal(error),
        error => {
            tracing::error!(%organization, %error, "a write could not be decided");
            Problem::NOT_COMPILED.into()
        }
    })
}

fn unavailable(error: sqlx::Error) -> Refusal {
    refusal(StoreError::from(error))
}
