//! Organizations: made and ended by whoever runs the installation.

use super::input;
use super::refused::refusal;
use super::{Caller, Replay, Written};
use crate::app::App;
use crate::problem::{Problem, Refusal};
use crate::store::facts::AssignmentFact;
use crate::store::manage::audit::{self, Event};
use crate::store::manage::{Item, assignments, lock, replay, subjects};
use crate::store::{StoreError, heads, organizations};
use postern_world::Life;
use serde::Deserialize;
use sqlx::{Connection, PgConnection};

/// LIMIT: bytes of an organization's id, as the database has it.
const ID_BYTES_MAX: usize = 512;

/// What callers say of an organization.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewOrganization {
    id: String,
    /// Who gets the immutable built-in role, everywhere in it.
    #[serde(default)]
    super_admin: Option<String>,
}

impl NewOrganization {
    /// Its id, checked: paths and documents name it.
    ///
    /// # Errors
    /// It cannot be one.
    pub fn id(&self) -> Result<&str, Refusal> {
        let what = match self.id.as_str() {
            "" => "it is empty",
            "." | ".." => "a path cannot name it",
            id if id.len() > ID_BYTES_MAX => "it has more than 512 bytes",
            id if id.chars().any(char::is_control) => "it has control characters",
            id => return Ok(id),
        };
        Err(Problem::INVALID_REQUEST.because(format!("id: {what}")))
    }

    /// Makes it, with what is built in, in one transaction. `caller` is about it already.
    ///
    /// # Errors
    /// There is one of this id; nobody can be its super admin.
    pub async fn make(&self, app: &App, caller: &Caller, again: Option<Replay>) -> Result<Written, Refusal> {
        if !caller.can_write {
            return Err(Problem::READ_ONLY_KEY.into());
        }
        let id = self.id()?;
        if let Some(subject) = &self.super_admin {
            input::subject(subject, "super_admin")?;
        }
        let actor = caller.actor.name();
        let mut connection = app.pool.login().await.map_err(refusal)?;
        let mut transaction = connection.begin().await.map_err(|error| refusal(error.into()))?;
        if lock(&mut transaction, id).await.map_err(refusal)?.is_some() {
            let Some(again) = again else { return Err(Problem::ID_TAKEN.into()) };
            let before = replay::find(&mut transaction, id, actor, &again.key).await.map_err(refusal)?;
            return match before {
                Some((digest, answer)) if digest == again.digest => Written::read(&answer),
                Some(_) => Err(Problem::IDEMPOTENCY_KEY_REUSED.into()),
                None => Err(Problem::ID_TAKEN.into()),
            };
        }
        match organizations::create(&mut transaction, id).await {
            // Somebody else's, made since we looked.
            Err(StoreError::Database(sqlx::Error::Database(error)))
                if error.constraint() == Some("organizations_pkey") =>
            {
                return Err(Problem::ID_TAKEN.into());
            }
            created => created.map_err(refusal)?,
        }
        app.builtins.bring_up_to_date(&mut transaction, id).await.map_err(refusal)?;
        let mut events = Vec::new();
        if let Some(subject) = &self.super_admin {
            events = self.appoint(&mut transaction, subject).await?;
        }
        let item =
            organizations::get(&mut transaction, id).await.map_err(refusal)?.ok_or(Problem::INTERNAL)?;
        let made = ("organization.create", id.to_owned(), item.clone());
        for (operation, target, after) in std::iter::once(made).chain(events) {
            let event = Event {
                actor,
                operation,
                target: &target,
                before: None,
                after: Some(&after.text),
                request_id: caller.request_id.as_deref(),
            };
            audit::record(&mut transaction, id, &event).await.map_err(refusal)?;
        }
        let revision = heads::revision(&mut transaction, id).await.map_err(refusal)?;
        let revision = revision.ok_or(Problem::INTERNAL)?;
        let written = Written { revision, item: Some(item), changed: true, impact: None };
        if let Some(again) = &again {
            let answer = written.to_json();
            let kept = replay::keep(&mut transaction, id, actor, &again.key, &again.digest, &answer);
            kept.await.map_err(refusal)?;
        }
        transaction.commit().await.map_err(|error| refusal(error.into()))?;
        Ok(written)
    }

    /// Gives the immutable role to a subject; what was made, for the audit.
    async fn appoint(
        &self,
        connection: &mut PgConnection,
        subject: &str,
    ) -> Result<Vec<(&'static str, String, Item)>, Refusal> {
        let id = self.id.as_str();
        let role = organizations::immutable_role(connection, id).await.map_err(refusal)?;
        let none = "super_admin: there is no immutable built-in role; `postern serve --catalog` brings one";
        let role = role.ok_or_else(|| Problem::UNKNOWN_ROLE.because(none))?;
        subjects::put(connection, id, subject, &[], "{}", Life::default()).await.map_err(refusal)?;
        let fact = AssignmentFact { subject, role: &role, at: None, life: Life::default() };
        assignments::insert(connection, id, &fact).await.map_err(refusal)?;
        let listed = subjects::get(connection, id, subject).await.map_err(refusal)?;
        let assigned = assignments::same(connection, id, &fact).await.map_err(refusal)?;
        let (listed, assigned) = listed.zip(assigned).ok_or(Problem::INTERNAL)?;
        Ok(vec![
            ("subject.create", subject.to_owned(), listed),
            ("assignment.create", assigned.id.clone(), assigned),
        ])
    }
}

/// Deletes the organization that the call is about, with all its facts and keys, if it is as one of the tags says.
///
/// # Errors
/// There is none, or it is another by now.
pub async fn delete(app: &App, caller: &Caller, tags: &[String]) -> Result<(), Refusal> {
    if !caller.can_write {
        return Err(Problem::READ_ONLY_KEY.into());
    }
    let id = caller.organization.as_str();
    let mut connection = app.pool.login().await.map_err(refusal)?;
    let mut transaction = connection.begin().await.map_err(|error| refusal(error.into()))?;
    lock(&mut transaction, id).await.map_err(refusal)?.ok_or(Problem::ORGANIZATION_GONE)?;
    let item = organizations::get(&mut transaction, id).await.map_err(refusal)?;
    let item = item.ok_or(Problem::ORGANIZATION_GONE)?;
    if !tags.iter().any(|tag| tag == "*" || *tag == item.etag()) {
        return Err(Problem::PRECONDITION_FAILED.into());
    }
    let event = Event {
        actor: caller.actor.name(),
        operation: "organization.delete",
        target: id,
        before: Some(&item.text),
        after: None,
        request_id: caller.request_id.as_deref(),
    };
    audit::record(&mut transaction, id, &event).await.map_err(refusal)?;
    organizations::delete(&mut transaction, id).await.map_err(refusal)?;
    transaction.commit().await.map_err(|error| refusal(error.into()))
}
