//! Secrets: resources of type `secret` whose values the vault keeps. Who may read one is what the facts say of
//! `secret:read` at it; its visibility is a set of grants of that, and a share is another one.

use super::guard::By;
use super::permission::{
    SECRET_CREATE, SECRET_MANAGE, SECRET_READ, SECRET_SHARE, SECRET_WRITE, SESSION_EDIT,
};
use super::refused::refusal;
use super::resources::target;
use super::rights::cannot_grant;
use super::roles::expect;
use super::{Actor, Write, Written, input};
use crate::problem::{Problem, Refusal};
use crate::store::facts::{GrantFact, ResourceFact};
use crate::store::manage::secrets::{self, SecretRow};
use crate::store::manage::{Item, catalog, grants, places, resources};
use crate::vault::Vault;
use crate::vault::seal::Sealed;
use postern_world::Life;
use serde::Deserialize;
use serde_json::json;
use std::collections::BTreeSet;
use std::fmt;
use uuid::Uuid;

/// The type of the resources that secrets are.
pub const SECRET: &str = "secret";
/// LIMIT: bytes of a value.
const VALUE_BYTES_MAX: usize = 64 * 1024;
/// LIMIT: characters of a name.
const NAME_MAX: usize = 256;
/// LIMIT: characters of a kind.
const KIND_MAX: usize = 64;
/// LIMIT: characters of a description.
const DESCRIPTION_MAX: usize = 1024;
/// LIMIT: groups that a secret is visible to.
const GROUPS_MAX: usize = 1000;

/// A value. It is shown to nobody by accident.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Value(String);

impl fmt::Debug for Value {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Value(…)")
    }
}

/// Who reads a secret beside its owner, without shares.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "to", rename_all = "lowercase", deny_unknown_fields)]
enum Visibility {
    /// Nobody else.
    User {},
    /// The participants of a session, in that session.
    Session { session: String, participants: String },
    /// The members of groups.
    Group { groups: Vec<String> },
    /// Whoever belongs to the organization.
    Organization {},
}

/// Holders with the session that they have to be in, if any.
type Readers = BTreeSet<(String, Option<String>)>;

impl Visibility {
    fn readers(&self) -> Result<Readers, Refusal> {
        let group = |id: &str, member: &str| -> Result<(), Refusal> {
            input::subject(id, member)?;
            match id.starts_with("group:") {
                true => Ok(()),
                false => Err(Problem::INVALID_REQUEST.because(format!("{member}: write group:<id>"))),
            }
        };
        let mut readers = Readers::new();
        match self {
            Visibility::User {} => {}
            Visibility::Organization {} => {
                readers.insert(("user:all".to_owned(), None));
            }
            Visibility::Group { groups } if groups.len() > GROUPS_MAX => {
                return Err(Problem::INVALID_REQUEST.because("visibility/groups: more than 1,000"));
            }
            Visibility::Group { groups } => {
                for (index, id) in groups.iter().enumerate() {
                    group(id, &format!("visibility/groups/{index}"))?;
                    readers.insert((id.clone(), None));
                }
            }
            Visibility::Session { session, participants } => {
                input::place("session", session, "visibility/session")?;
                group(participants, "visibility/participants")?;
                readers.insert((participants.clone(), Some(session.clone())));
            }
        }
        Ok(readers)
    }
}

/// What callers say of a secret.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SecretFields {
    name: String,
    #[serde(default = "other")]
    kind: String,
    #[serde(default)]
    description: String,
    /// Only where it is made: afterwards it is written by itself.
    #[serde(default)]
    value: Option<Value>,
    /// Only where it is made, by an operator.
    #[serde(default)]
    owner: Option<String>,
    /// Absent: the owner alone where it is made, as it was in a change.
    #[serde(default)]
    visibility: Option<Visibility>,
    #[serde(default = "input::yes")]
    active: bool,
    #[serde(default)]
    not_before: Option<String>,
    #[serde(default)]
    expires_at: Option<String>,
}

/// Another value.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewValue {
    value: Value,
}

fn other() -> String {
    "other".to_owned()
}

impl SecretFields {
    fn row(&self) -> Result<SecretRow<'_>, Refusal> {
        let wrong = |what: &str| Err(Problem::INVALID_REQUEST.because(what));
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-');
        if !(1..=NAME_MAX).contains(&self.name.len()) || !self.name.bytes().all(plain) {
            return wrong("name: write 1 to 256 of a-z, A-Z, 0-9, `_`, `.` and `-`");
        }
        if !(1..=KIND_MAX).contains(&self.kind.len()) || !self.kind.bytes().all(plain) {
            return wrong("kind: write 1 to 64 of a-z, A-Z, 0-9, `_`, `.` and `-`, such as `password`");
        }
        if self.description.chars().count() > DESCRIPTION_MAX || self.description.contains('\0') {
            return wrong("description: at most 1,024 characters, without U+0000");
        }
        Ok(SecretRow { name: &self.name, kind: &self.kind, description: &self.description })
    }

    fn life(&self) -> Result<Life, Refusal> {
        input::life(self.active, self.not_before.as_deref(), self.expires_at.as_deref())
    }
}

impl Value {
    fn seal(&self, vault: &Vault, of: (&str, &str)) -> Result<Sealed, Refusal> {
        if !(1..=VALUE_BYTES_MAX).contains(&self.0.len()) {
            return Err(Problem::INVALID_REQUEST.because("value: 1 to 65,536 bytes"));
        }
        vault.keys().seal(of, &self.0).map_err(|error| {
            tracing::error!(%error, "a value could not be encrypted");
            Problem::INTERNAL.into()
        })
    }
}

impl Write<'_> {
    /// Makes a secret, which its owner alone reads unless its visibility says more.
    pub async fn create_secret(mut self, vault: &Vault, fields: &SecretFields) -> Result<Written, Refusal> {
        self.may(&[SECRET_CREATE], None)?;
        let row = fields.row()?;
        let life = fields.life()?;
        let value = fields.value.as_ref();
        let value = value.ok_or_else(|| Problem::INVALID_REQUEST.because("value: it is missing"))?;
        let readers = fields.visibility.as_ref().map(Visibility::readers).transpose()?.unwrap_or_default();
        let owner = self.owner_of_new(fields.owner.as_deref()).await?;
        self.secrets_are_declared().await?;
        if !readers.is_empty() {
            self.owner_may_show().await?;
            self.may_show_to(&readers)?;
        }
        // An id of its own, which nothing was given at before, and which no other secret gets later.
        let id = Uuid::now_v7().to_string();
        let at = (SECRET, id.as_str());
        let fact = ResourceFact { kind: SECRET, id: &id, owner: Some(&owner), attributes: &[], life };
        let (connection, organization) = self.tables();
        let sealed = value.seal(vault, (organization, &id))?;
        resources::put(connection, organization, &fact, "{}").await.map_err(refusal)?;
        secrets::insert(connection, (organization, &id), &row, &sealed).await.map_err(refusal)?;
        self.show_to(&id, &readers).await?;
        let after = self.secret(&id).await?;
        self.commit("secret.create", &target(at), None, Some(after)).await
    }

    /// Changes what is told of a secret, and who sees it, of one that is as `tags` say.
    pub async fn update_secret(
        mut self,
        id: &str,
        tags: &[String],
        fields: &SecretFields,
    ) -> Result<Written, Refusal> {
        let at = (SECRET, id);
        self.may(&[SECRET_MANAGE], Some(at))?;
        let before = self.secret(id).await?;
        expect(&before, tags)?;
        if fields.value.is_some() {
            return Err(Problem::INVALID_REQUEST.because("value: write it at …/value"));
        }
        let was = before.json();
        if fields.owner.as_deref().is_some_and(|owner| was["owner"] != owner) {
            return Err(Problem::INVALID_REQUEST
                .because("owner: a secret keeps its owner here; who may may change it at /resources"));
        }
        let (row, life) = (fields.row()?, fields.life()?);
        let (connection, organization) = self.tables();
        secrets::update(connection, (organization, id), &row).await.map_err(refusal)?;
        let resource = resources::get(connection, organization, at).await.map_err(refusal)?;
        let resource = resource.ok_or(Problem::ITEM_NOT_FOUND)?.json();
        let fact = ResourceFact { kind: SECRET, id, owner: was["owner"].as_str(), attributes: &[], life };
        let attributes = resource["attributes"].to_string();
        resources::put(connection, organization, &fact, &attributes).await.map_err(refusal)?;
        if let Some(visibility) = &fields.visibility {
            let readers = visibility.readers()?;
            let (connection, organization) = self.tables();
            let there = secrets::readers(connection, (organization, id)).await.map_err(refusal)?;
            let there: Readers = there.into_iter().map(|(_, holder, session)| (holder, session)).collect();
            if there != readers {
                self.may(&[SECRET_SHARE], Some(at))?;
                self.give_below(&BTreeSet::from([SECRET_READ.to_owned()]), By::Holding, Some(at)).await?;
                self.may_show_to(&readers)?;
                self.show_to(id, &readers).await?;
            }
        }
        let after = self.secret(id).await?;
        let is = after.json();
        if ["active", "not_before", "expires_at"].iter().any(|bound| was[bound] != is[bound]) {
            self.nothing_hangs_below(id).await?;
        }
        if after == before {
            return Ok(self.unchanged(after));
        }
        self.commit("secret.update", &target(at), Some(before), Some(after)).await
    }

    /// Gives a secret that is as `tags` say another value.
    pub async fn write_value(
        mut self,
        vault: &Vault,
        id: &str,
        tags: &[String],
        new: &NewValue,
    ) -> Result<Written, Refusal> {
        let at = (SECRET, id);
        self.may(&[SECRET_WRITE], Some(at))?;
        let before = self.secret(id).await?;
        expect(&before, tags)?;
        let (connection, organization) = self.tables();
        let sealed = new.value.seal(vault, (organization, id))?;
        secrets::set_value(connection, (organization, id), &sealed).await.map_err(refusal)?;
        let after = self.secret(id).await?;
        self.commit("secret.write", &target(at), Some(before), Some(after)).await
    }

    /// Deletes a secret with its value, its resource and what was given at it.
    pub async fn delete_secret(mut self, id: &str, tags: &[String]) -> Result<Written, Refusal> {
        let at = (SECRET, id);
        self.may(&[SECRET_MANAGE], Some(at))?;
        let before = self.secret(id).await?;
        expect(&before, tags)?;
        self.nothing_hangs_below(id).await?;
        let (connection, organization) = self.tables();
        secrets::delete(connection, (organization, id)).await.map_err(refusal)?;
        resources::delete(connection, organization, at).await.map_err(refusal)?;
        self.commit("secret.delete", &target(at), Some(before), None).await
    }

    async fn secret(&mut self, id: &str) -> Result<Item, Refusal> {
        let (connection, organization) = self.tables();
        let item = secrets::get(connection, organization, id).await.map_err(refusal)?;
        Ok(item.ok_or(Problem::ITEM_NOT_FOUND)?)
    }

    /// A subject's secrets are its own; an operator says whose.
    async fn owner_of_new(&mut self, said: Option<&str>) -> Result<String, Refusal> {
        let said = match said {
            None => None,
            Some(owner) => {
                input::subject(owner, "owner")?;
                Some(self.canonical(owner).await?)
            }
        };
        let owner = match &self.caller.actor {
            Actor::Operator(_) => {
                said.ok_or_else(|| Problem::INVALID_REQUEST.because("owner: say whose secret it is"))?
            }
            Actor::Subject(subject) => {
                let own = self.canonical(subject).await?;
                if said.is_some_and(|said| said != own) {
                    return Err(Problem::INVALID_REQUEST.because("owner: a subject makes its own secrets"));
                }
                own
            }
        };
        if owner.starts_with("group:") {
            let (connection, organization) = self.tables();
            let listed = crate::store::manage::subjects::get(connection, organization, &owner).await;
            listed.map_err(refusal)?.ok_or(Problem::UNKNOWN_GROUP)?;
        }
        Ok(owner)
    }

    /// Refuses where the catalog does not say what a secret is, or what reading one is.
    async fn secrets_are_declared(&mut self) -> Result<(), Refusal> {
        let (connection, organization) = self.tables();
        match places::registered(connection, organization, SECRET).await.map_err(refusal)? {
            Some(true) => {}
            Some(false) => {
                return Err(Problem::UNKNOWN_TYPE.because(
                    "the catalog's type `secret` has `registered: false`: the vault lists its secrets",
                ));
            }
            None => return Err(Problem::UNKNOWN_TYPE.because("the catalog declares no type `secret`")),
        }
        self.entries(&[SECRET_READ.to_owned()]).await.map(drop)
    }

    /// Refuses to show a new secret to others where its owner could not share it once it is there. What the owner of a
    /// secret may do is in the catalog; at what is not there yet, nothing can be asked.
    async fn owner_may_show(&mut self) -> Result<(), Refusal> {
        if self.everything {
            return Ok(());
        }
        let mut needed = self.following(&BTreeSet::from([SECRET_READ.to_owned()]), By::Holding).await?;
        needed.insert(SECRET_SHARE.to_owned());
        let (connection, organization) = self.tables();
        let catalog = catalog::requirements(connection, organization).await.map_err(refusal)?;
        let entries = secrets::owner_permissions(connection, organization).await.map_err(refusal)?;
        let held: BTreeSet<&String> =
            entries.iter().flat_map(|entry| input::stands_for(entry, &catalog)).collect();
        match needed.iter().find(|permission| !held.contains(permission)) {
            None => Ok(()),
            Some(lacking) => Err(cannot_grant(lacking, None)),
        }
    }

    /// Refuses a session that the caller may not put anything into (AB-20).
    fn may_show_to(&self, readers: &Readers) -> Result<(), Refusal> {
        for session in readers.iter().filter_map(|(_, session)| session.as_deref()) {
            self.may(&[SESSION_EDIT], Some(("session", session)))?;
        }
        Ok(())
    }

    /// Makes the grants of a secret's visibility these.
    async fn show_to(&mut self, id: &str, readers: &Readers) -> Result<(), Refusal> {
        let (connection, organization) = self.tables();
        let there = secrets::readers(connection, (organization, id)).await.map_err(refusal)?;
        let mut missing = readers.clone();
        for (grant, holder, session) in there {
            if !missing.remove(&(holder, session)) {
                grants::delete(connection, organization, grant).await.map_err(refusal)?;
            }
        }
        for (holder, session) in &missing {
            let fact = GrantFact {
                subject: holder,
                exclude: false,
                permissions: &[SECRET_READ],
                at: Some((SECRET, id)),
                conditions: &[],
                require: &[],
                own: false,
                session: session.as_deref(),
                life: Life { active: true, not_before: None, expires_at: None },
            };
            grants::insert(connection, organization, Uuid::now_v7(), &fact, false).await.map_err(refusal)?;
        }
        Ok(())
    }

    /// Refuses where something lies below a secret, or exists for it: what happens to a secret would happen to that.
    async fn nothing_hangs_below(&mut self, id: &str) -> Result<(), Refusal> {
        let (connection, organization) = self.tables();
        let hanging = resources::hanging(connection, organization, (SECRET, id)).await.map_err(refusal)?;
        if hanging.children == 0 && hanging.roles == 0 {
            return Ok(());
        }
        Err(Problem::RESOURCE_IN_USE
            .because("`children` edges lead to the secret and `roles` exist for it: end these first")
            .with("children", json!(hanging.children))
            .with("roles", json!(hanging.roles)))
    }
}
