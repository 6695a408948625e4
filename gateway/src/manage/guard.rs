//! What writes of resources, edges, grants and shares are held to.
//!
//! A change of the tree can give rights to anybody, at the resource and at everything below it. So whoever makes it
//! holds everything there already: then nobody can gain what they do not hold, whoever gains it, and no comparison is
//! needed. A grant says itself what it gives, whatever it depends on: whoever makes it holds that at every place that
//! it reaches, without conditions.

use super::refused::refusal;
use super::rights::{borrowed, cannot_grant};
use super::{Need, Place, Write, input};
use crate::problem::{Problem, Refusal};
use crate::store::manage::places::{self, Listed};
use crate::store::manage::{catalog, resources, subjects};
use std::collections::BTreeSet;

/// LIMIT: resources below the one that a caller changes, or gives something at, who may not do everything: they are
/// asked about one by one while nobody else can write.
const BELOW_MAX: usize = 10_000;

/// How a permission can be given by giving another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum By {
    /// To hold one is to hold what is implied by it.
    Holding,
    /// To be excluded from one no more is to be excluded from those no more that its exclusion excludes.
    ExclusionEnded,
}

impl Write<'_> {
    /// Refuses a caller who holds none of the permissions at a place. Whoever may do everything may do it also where
    /// nothing can be asked: at a resource that is not live.
    pub(super) fn may(&self, any_of: &[&str], at: Option<(&str, &str)>) -> Result<(), Refusal> {
        if self.everything { Ok(()) } else { self.require(&Need { any_of, at }) }
    }

    /// Refuses a caller who may not do everything.
    pub(super) fn needs_everything(&self, why: &str) -> Result<(), Refusal> {
        if self.everything { Ok(()) } else { Err(Problem::NEEDS_EVERYTHING.because(why)) }
    }

    /// Refuses a caller who may not do everything at these places.
    pub(super) fn whole<'p>(&self, at: impl IntoIterator<Item = &'p Place>) -> Result<(), Refusal> {
        if self.everything {
            return Ok(());
        }
        let rights = self.rights();
        for place in at {
            if let Some(lacking) = rights.lacking(borrowed(place)) {
                return Err(cannot_grant(&lacking, borrowed(place)));
            }
        }
        Ok(())
    }

    /// The same of a resource and of all below it. What is not live counts as well: it may become so by itself.
    pub(super) async fn whole_below(&mut self, at: (&str, &str)) -> Result<(), Refusal> {
        if self.everything {
            return Ok(());
        }
        let below: Vec<Place> = self.below(at).await?.into_iter().map(|listed| Some(listed.at)).collect();
        self.whole(&below)?;
        let unlisted = self.unlisted(&below).await?;
        let rights = self.rights();
        for (kind, at) in &unlisted {
            if let Some(lacking) = rights.lacking_beneath(kind, (&at.0, &at.1)) {
                return Err(cannot_grant(&lacking, Some((&at.0, &at.1))));
            }
        }
        Ok(())
    }

    /// What can lie directly below these places without being listed: a type whose ids need not be, and a place.
    async fn unlisted(&mut self, below: &[Place]) -> Result<Vec<(String, (String, String))>, Refusal> {
        let (connection, organization) = self.tables();
        let kinds = places::unregistered(connection, organization).await.map_err(refusal)?;
        let pairs = below.iter().flatten().flat_map(|at| kinds.iter().map(|kind| (kind.clone(), at.clone())));
        Ok(pairs.collect())
    }

    async fn below(&mut self, at: (&str, &str)) -> Result<Vec<Listed>, Refusal> {
        let (connection, organization) = self.tables();
        let limit = BELOW_MAX as i64 + 1;
        let below = places::everything_below(connection, organization, at, limit).await.map_err(refusal)?;
        few_enough(below)
    }

    /// Refuses to give away permissions, or what follows from them, that the caller does not hold at a place and at
    /// everything below it that is live. Nothing that depends on a condition counts as held.
    pub(super) async fn give_below(
        &mut self,
        permissions: &BTreeSet<String>,
        by: By,
        at: Option<(&str, &str)>,
    ) -> Result<(), Refusal> {
        if self.everything {
            return Ok(());
        }
        let given = self.following(permissions, by).await?;
        let (mut places, below) = match at {
            Some(at) => (vec![Some((at.0.to_owned(), at.1.to_owned()))], self.below(at).await?),
            None => {
                let (connection, organization) = self.tables();
                let limit = BELOW_MAX as i64 + 1;
                let telling = places::telling(connection, organization, limit).await.map_err(refusal)?;
                (self.rights().places(), few_enough(telling)?)
            }
        };
        places.extend(below.into_iter().filter(|listed| listed.live).map(|listed| Some(listed.at)));
        let rights = self.rights();
        for place in &places {
            if let Some(lacking) = given.iter().find(|permission| !rights.holds(permission, borrowed(place)))
            {
                return Err(cannot_grant(lacking, borrowed(place)));
            }
        }
        // What is held at a place by owning it is not held below it, where it would be given as well. Permissions of other
        // types are asked about nowhere there.
        let unlisted = self.unlisted(&places).await?;
        let rights = self.rights();
        for (kind, at) in &unlisted {
            let held = rights.held_beneath(kind, (&at.0, &at.1));
            let of_type = |key: &&String| key.rsplit_once(':').is_some_and(|(of, _)| of == kind);
            let mut given = given.iter().filter(of_type);
            if let Some(lacking) = given.find(|permission| held.binary_search(permission).is_err()) {
                return Err(cannot_grant(lacking, Some((&at.0, &at.1))));
            }
        }
        Ok(())
    }

    /// Permissions, with those that come with them.
    pub(super) async fn following(
        &mut self,
        permissions: &BTreeSet<String>,
        by: By,
    ) -> Result<BTreeSet<String>, Refusal> {
        let relation = match by {
            By::Holding => "implied_by",
            By::ExclusionEnded => "excluded_by",
        };
        let (connection, organization) = self.tables();
        let links = catalog::links(connection, organization, relation).await.map_err(refusal)?;
        // One step, as in a decision.
        let more = links.into_iter().filter(|(_, other)| permissions.contains(other)).map(|link| link.0);
        Ok(permissions.iter().cloned().chain(more).collect())
    }

    /// Refuses a caller to whom one of these subjects, or a member of them, is a superior: one who may do what the caller
    /// may not, at a place and the scopes below it.
    pub(super) async fn outranks(&mut self, of: &[String], at: Option<(&str, &str)>) -> Result<(), Refusal> {
        if self.everything {
            return Ok(());
        }
        let (connection, organization) = self.tables();
        let members = subjects::with_members(connection, organization, of).await.map_err(refusal)?;
        let places = self.places_at(at).await?;
        let rights = self.rights();
        match members.iter().all(|member| rights.covers(member, &places, false)) {
            true => Ok(()),
            false => Err(Problem::HOLDS_MORE.into()),
        }
    }

    /// Refuses a resource that is not listed.
    pub(super) async fn listed(&mut self, at: (&str, &str), member: &str) -> Result<(), Refusal> {
        let (connection, organization) = self.tables();
        match resources::get(connection, organization, at).await.map_err(refusal)? {
            Some(_) => Ok(()),
            None => Err(Problem::UNKNOWN_RESOURCE
                .because(format!("{member}: this organization lists no such resource"))),
        }
    }

    /// A permission list, with the keys that it stands for. An empty one is refused: it would give nothing.
    pub(super) async fn entries(
        &mut self,
        list: &[String],
    ) -> Result<(Vec<String>, BTreeSet<String>), Refusal> {
        if list.is_empty() {
            return Err(Problem::INVALID_REQUEST.because("permissions: it is empty"));
        }
        let (connection, organization) = self.tables();
        let catalog = catalog::requirements(connection, organization).await.map_err(refusal)?;
        input::entries(list, &catalog)
    }
}

fn few_enough(listed: Vec<Listed>) -> Result<Vec<Listed>, Refusal> {
    match listed.len() > BELOW_MAX {
        false => Ok(listed),
        true => Err(Problem::NEEDS_EVERYTHING
            .because("more than 10,000 resources may be concerned: whoever may do everything has to do it")),
    }
}
