//! Shares: a resource given to a subject or a group, by a grant at it and an edge to where the receiver finds it. The
//! edge lets nothing flow, neither from the receiver's place to the resource nor past what the grant says, and neither
//! takes the place of another edge or grant: what was there before is there after.

use super::assignments::Given;
use super::edges::resource;
use super::guard::By;
use super::input::{self, At};
use super::permission::{RESOURCE_SHARE, ROLE_MANAGE, SECRET_SHARE};
use super::refused::refusal;
use super::rights::borrowed;
use super::secrets::SECRET;
use super::{Make, Write, Written};
use crate::problem::{Problem, Refusal};
use crate::store::facts::GrantFact;
use crate::store::manage::edges::{self, EdgeRow};
use crate::store::manage::places::{self, Known};
use crate::store::manage::{Item, grants, shares};
use serde::Deserialize;
use uuid::Uuid;

/// Who may share a resource of a type, with one of these at it.
pub(super) fn sharers(kind: &str) -> &'static [&'static str] {
    match kind {
        SECRET => &[SECRET_SHARE, RESOURCE_SHARE, ROLE_MANAGE],
        _ => &[RESOURCE_SHARE, ROLE_MANAGE],
    }
}

/// What callers say of a share.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewShare {
    resource: At,
    /// A subject, a group, or `user:all`.
    pub(super) subject: String,
    permissions: Vec<String>,
    /// The resource below which the receiver finds it, such as the receiver's home; none without it.
    #[serde(default)]
    into: Option<At>,
    #[serde(default = "input::yes")]
    active: bool,
    #[serde(default)]
    not_before: Option<String>,
    #[serde(default)]
    expires_at: Option<String>,
}

impl Make for NewShare {
    const COLLECTION: &'static str = "shares";

    /// Shares a resource. A share that is there is left as it is.
    async fn make(&self, mut write: Write<'_>) -> Result<Written, Refusal> {
        let given = self.give(&mut write).await?;
        write.commit_given(given).await
    }
}

impl NewShare {
    /// Shares the resource, up to the comparison of what everybody may do.
    pub(super) async fn give(&self, write: &mut Write<'_>) -> Result<Given, Refusal> {
        let life = input::life(self.active, self.not_before.as_deref(), self.expires_at.as_deref())?;
        let at = self.resource.checked("resource")?;
        let into = self.into.as_ref().map(|into| into.checked("into")).transpose()?;
        if self.subject != "user:all" {
            input::subject(&self.subject, "subject")?;
        }
        let place = Some(at.clone());
        write.may(sharers(&at.0), borrowed(&place))?;
        let (connection, organization) = write.tables();
        match places::known(connection, organization, (&at.0, &at.1)).await.map_err(refusal)? {
            Known::Place => {}
            _ => {
                return Err(
                    Problem::UNKNOWN_RESOURCE.because("resource: this organization lists no such resource")
                );
            }
        }
        if let Some(into) = &into {
            // An edge has two listed ends.
            write.listed((&at.0, &at.1), "resource").await?;
            write.listed((&into.0, &into.1), "into").await?;
        }
        let subject = write.canonical(&self.subject).await?;
        let (entries, keys) = write.entries(&self.permissions).await?;
        write.give_below(&keys, By::Holding, borrowed(&place)).await?;
        write.affects([subject.clone()], [place.clone()]).await?;
        write.shown();
        let permissions: Vec<&str> = entries.iter().map(String::as_str).collect();
        let fact = GrantFact {
            subject: &subject,
            exclude: false,
            permissions: &permissions,
            at: borrowed(&place),
            conditions: &[],
            require: &[],
            own: false,
            session: None,
            life,
        };
        let (connection, organization) = write.tables();
        let there = shares::same(connection, organization, &fact, borrowed(&into)).await.map_err(refusal)?;
        if let Some(item) = there {
            return Ok(Given { item, made: false, operation: "share.create" });
        }
        let id = Uuid::now_v7();
        grants::insert(connection, organization, id, &fact, true).await.map_err(refusal)?;
        if let Some(into) = into {
            let edge = EdgeRow { child: at, parent: into, cap: Some(Vec::new()) };
            edges::add(connection, organization, &edge, Some(id)).await.map_err(refusal)?;
        }
        let after = shares::get(connection, organization, id).await.map_err(refusal)?;
        Ok(Given { item: after.ok_or(Problem::INTERNAL)?, made: true, operation: "share.create" })
    }
}

impl Write<'_> {
    /// Ends a share: its grant and its edge, and nothing else. It takes nothing but what the share gave.
    pub async fn delete_share(mut self, id: Uuid) -> Result<Written, Refusal> {
        let (connection, organization) = self.tables();
        let before = shares::get(connection, organization, id).await.map_err(refusal)?;
        let json = before.as_ref().map(Item::json).unwrap_or_default();
        // Who may not write here is told so, whether it is there or not.
        let kind = json["resource"]["type"].as_str().unwrap_or_default();
        self.may(sharers(kind), borrowed(&resource(&json["resource"])))?;
        let before = before.ok_or(Problem::ITEM_NOT_FOUND)?;
        if json["subject"] == "user:all" && !self.everything {
            return Err(Problem::GIVES_TO_EVERYBODY.into());
        }
        let (connection, organization) = self.tables();
        // The edge goes with the grant that it belongs to.
        grants::delete(connection, organization, id).await.map_err(refusal)?;
        self.commit("share.delete", &before.id.clone(), Some(before), None).await
    }
}
