//! Invitations: an assignment or a share that is made when the one whom it is for accepts it. What is offered is tried
//! when it is offered, and taken back; when it is accepted it is made in the name of whoever invited, by the same code
//! and with what they may do by then. So nobody gives by an invitation what they could not give without one, nor what
//! they cannot give any more.

use super::assignments::Given;
use super::edges::resource;
use super::permission::{ROLE_MANAGE, USER_MANAGE};
use super::refused::refusal;
use super::rights::borrowed;
use super::shares::sharers;
use super::{Actor, Caller, Make, NewAssignment, NewShare, Write, Written, input};
use crate::app::App;
use crate::clock::now_micros;
use crate::problem::{Problem, Refusal};
use crate::store::manage::invitations::{self, Invitation, NewRow};
use postern_world::parse_time;
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

/// How long an invitation waits that does not say it, in microseconds: a week.
const WAITS: i64 = 7 * 24 * 3_600 * 1_000_000;

/// What callers say of an invitation: one of the two.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewInvitation {
    #[serde(default)]
    assignment: Option<NewAssignment>,
    #[serde(default)]
    share: Option<NewShare>,
    /// The invitation's own end.
    #[serde(default)]
    expires_at: Option<String>,
}

/// What is offered.
enum Offer {
    Assignment(NewAssignment),
    Share(NewShare),
}

impl Offer {
    fn of(invitation: &Invitation) -> Result<Offer, Refusal> {
        let mut offer: serde_json::Value = serde_json::from_str(&invitation.offer).unwrap_or_default();
        offer["subject"] = json!(invitation.subject);
        let read = match invitation.share {
            true => serde_json::from_value(offer).map(Offer::Share),
            false => serde_json::from_value(offer).map(Offer::Assignment),
        };
        read.map_err(|error| {
            tracing::error!(%error, invitation = invitation.item.id, "an invitation cannot be read");
            Problem::INTERNAL.into()
        })
    }

    fn subject(&self) -> &str {
        match self {
            Offer::Assignment(assignment) => &assignment.subject,
            Offer::Share(share) => &share.subject,
        }
    }

    async fn give(&self, write: &mut Write<'_>) -> Result<Given, Refusal> {
        match self {
            Offer::Assignment(assignment) => Box::pin(assignment.give(write)).await,
            Offer::Share(share) => Box::pin(share.give(write)).await,
        }
    }
}

impl Make for NewInvitation {
    const COLLECTION: &'static str = "invitations";

    /// Offers an assignment or a share. An invitation to the same that waits is left as it is.
    async fn make(&self, mut write: Write<'_>) -> Result<Written, Refusal> {
        let offer = match (&self.assignment, &self.share) {
            (Some(assignment), None) => Offer::Assignment(assignment.clone()),
            (None, Some(share)) => Offer::Share(share.clone()),
            _ => return Err(Problem::INVALID_REQUEST.because("write `assignment` or `share`, one of them")),
        };
        let now = now_micros();
        let expires_at = match self.expires_at.as_deref().map(|text| (text, parse_time(text))) {
            None => now + WAITS,
            Some((_, Ok(end))) if end > now => end,
            Some((_, Ok(_))) => return Err(Problem::INVALID_REQUEST.because("expires_at: it has passed")),
            Some((text, Err(what))) => {
                return Err(Problem::INVALID_REQUEST.because(format!("expires_at: `{text}` {what}")));
            }
        };
        input::subject(offer.subject(), "subject")?;
        if offer.subject().starts_with("group:") {
            return Err(
                Problem::INVALID_REQUEST.because("subject: a group cannot answer; invite its members")
            );
        }
        write.begin_trial().await?;
        let Given { item, made, .. } = offer.give(&mut write).await?;
        if !made {
            return Err(Problem::ALREADY_HELD.into());
        }
        write.end_trial().await?;
        let mut offered = item.json();
        let subject = offered["subject"].as_str().unwrap_or_default().to_owned();
        if let Some(members) = offered.as_object_mut() {
            members.retain(|name, _| name != "id" && name != "subject");
        }
        let offered = offered.to_string();
        let share = matches!(offer, Offer::Share(_));
        let (by_key, invited_by) =
            (matches!(write.caller.actor, Actor::Operator(_)), write.caller.actor.name());
        let (connection, organization) = write.tables();
        let there = invitations::pending(connection, organization, &subject, (share, &offered)).await;
        if let Some(there) = there.map_err(refusal)? {
            return Ok(write.unchanged(there));
        }
        let row = NewRow { subject: &subject, share, offer: &offered, invited_by, by_key, expires_at };
        let id = Uuid::now_v7();
        invitations::insert(connection, organization, id, &row).await.map_err(refusal)?;
        let after = write.invitation(id).await?.ok_or(Problem::INTERNAL)?.item;
        write.commit("invitation.create", &after.id.clone(), None, Some(after)).await
    }
}

/// Accepts an invitation for the subject that was invited: what was offered is made in the same transaction.
///
/// The write is begun in the name of whoever invited, so that their rights of this moment count.
pub async fn accept_invitation(app: &App, caller: &Caller, id: Uuid) -> Result<Written, Refusal> {
    let mut connection = app.pool.of(&caller.organization).await.map_err(refusal)?;
    let found = invitations::get(&mut connection, &caller.organization, id).await.map_err(refusal)?;
    drop(connection);
    let Invitation { invited_by, by_key, .. } = found.ok_or(Problem::ITEM_NOT_FOUND)?;
    let actor = if by_key { Actor::Operator(invited_by) } else { Actor::Subject(invited_by) };
    let inviter = Caller { actor, ..caller.clone() };
    let mut write = Write::begin(app, &inviter).await?;
    let before = write.answered_by(caller, id).await?;
    pending(&before)?;
    if by_key {
        let prefix = inviter.actor.name().trim_start_matches("key:");
        let (connection, _) = write.tables();
        if !invitations::writing_key_lives(connection, prefix).await.map_err(refusal)? {
            return Err(Problem::INVITER_MAY_NOT.into());
        }
    }
    let inviter_may_not = |refusal: Refusal| match refusal.is_forbidden() {
        true => Problem::INVITER_MAY_NOT.into(),
        false => refusal,
    };
    let given = Offer::of(&before)?.give(&mut write).await.map_err(inviter_may_not)?;
    let made = given.item.id.parse().map_err(|_| Problem::INTERNAL)?;
    let after = write.answer(id, ("accepted", Some(made))).await?;
    let (target, who) = (after.id.clone(), caller.actor.name());
    write.take_down_of(who, "invitation.accept", &target, Some(&before.item), Some(&after)).await?;
    if given.made {
        write.take_down(given.operation, &given.item.id, None, Some(&given.item)).await?;
    }
    write.finish(None, Some(after)).await.map_err(inviter_may_not)
}

impl Write<'_> {
    /// Rejects an invitation, for the subject that was invited. What was rejected stays so.
    pub async fn reject_invitation(mut self, id: Uuid) -> Result<Written, Refusal> {
        let before = self.answered_by(self.caller, id).await?;
        self.end_invitation(id, before, "rejected", "invitation.reject").await
    }

    /// Cancels an invitation: whoever sent it, or could have. What was cancelled stays so.
    pub async fn cancel_invitation(mut self, id: Uuid) -> Result<Written, Refusal> {
        let before = self.invitation(id).await?;
        let sent = before
            .as_ref()
            .is_some_and(|invitation| !invitation.by_key && self.is_caller(&invitation.invited_by));
        if !sent {
            // Who may not write here is told so, whether it is there or not.
            let json = before.as_ref().map(|invitation| invitation.item.json()).unwrap_or_default();
            let (any_of, at) = match before.as_ref().is_some_and(|invitation| invitation.share) {
                true => {
                    let shared = &json["share"]["resource"];
                    (sharers(shared["type"].as_str().unwrap_or_default()), shared)
                }
                false => (&[ROLE_MANAGE, USER_MANAGE][..], &json["assignment"]["at"]),
            };
            self.may(any_of, borrowed(&resource(at)))?;
        }
        let before = before.ok_or(Problem::ITEM_NOT_FOUND)?;
        self.end_invitation(id, before, "cancelled", "invitation.cancel").await
    }

    /// An invitation, of a caller who was invited.
    async fn answered_by(&mut self, caller: &Caller, id: Uuid) -> Result<Invitation, Refusal> {
        let found = self.invitation(id).await?.ok_or(Problem::ITEM_NOT_FOUND)?;
        let invited = self.canonical(&found.subject).await?;
        match &caller.actor {
            Actor::Subject(subject) if self.canonical(subject).await? == invited => Ok(found),
            _ => Err(Problem::NOT_INVITED.into()),
        }
    }

    async fn end_invitation(
        mut self,
        id: Uuid,
        before: Invitation,
        state: &str,
        operation: &str,
    ) -> Result<Written, Refusal> {
        if before.state == state {
            return Ok(self.unchanged(before.item));
        }
        pending(&before)?;
        let after = self.answer(id, (state, None)).await?;
        self.commit(operation, &after.id.clone(), Some(before.item), Some(after)).await
    }

    async fn invitation(&mut self, id: Uuid) -> Result<Option<Invitation>, Refusal> {
        let (connection, organization) = self.tables();
        invitations::get(connection, organization, id).await.map_err(refusal)
    }

    async fn answer(
        &mut self,
        id: Uuid,
        answer: (&str, Option<Uuid>),
    ) -> Result<crate::store::manage::Item, Refusal> {
        let (connection, organization) = self.tables();
        let after = invitations::answer(connection, organization, id, answer).await.map_err(refusal)?;
        Ok(after.ok_or(Problem::INTERNAL)?)
    }
}

/// Refuses an invitation that waits for no answer.
fn pending(invitation: &Invitation) -> Result<(), Refusal> {
    match invitation.state.as_str() {
        "pending" => Ok(()),
        state => Err(Refusal::from(Problem::INVITATION_ANSWERED).with("state", json!(state))),
    }
}
