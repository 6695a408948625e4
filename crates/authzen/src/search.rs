//! The three searches (section 8). Each result is one that an evaluation of the same entities allows.

use crate::entity::{Action, Entity, Parts, object};
use crate::page::Page;
use crate::properties::Members;
use crate::query::{Stated, joined, permission, reserved};
use crate::{BadRequest, Mapping};
use postern_resolver::view::View;
use postern_vocab::QueryError;
use serde_json::{Value, json};

/// Who may do this there: the listed subjects of a type. Cost: a check for each.
///
/// # Errors
/// [`BadRequest`] for what is no request. Unknown ids, types and actions are none: nothing is found.
pub(crate) fn search_subject<V: View>(
    view: &V,
    mapping: &Mapping,
    body: &str,
    now: i64,
) -> Result<String, BadRequest> {
    let body: Parts<'_> = object(body, "the body")?;
    let kind = Entity::read_type(body.subject, "subject")?;
    let action = Action::read(body.action, "action")?;
    let resource = Entity::read(body.resource, "resource")?;
    let mut stated = Stated::default();
    stated.resource(resource.properties, &kind, mapping, "resource")?;
    stated.action(action.properties);
    stated.context(Members::read(body.context, "context")?);
    let page = Page::read(body.page, "subject", &body)?;
    let found = match permission(&resource.kind, &action.name) {
        None => Ok(Vec::new()),
        Some(permission) => stated.accompany(now, |context| {
            let place = stated.place(&resource.kind, &resource.id);
            postern_resolver::subjects(view, &permission, place, &kind, context)
        }),
    };
    // They come as `<type>:<id>`, and are sorted alike without the type.
    let mut ids = results(found, || BadRequest::new("resource.id", "it stands for no single resource"))?;
    for id in &mut ids {
        id.drain(..=kind.len());
    }
    Ok(answer(ids, page, |id| json!({"type": kind, "id": id})))
}

/// Where may the subject do this: the listed resources of a type. Cost: a check for each.
///
/// # Errors
/// As [`search_subject`].
pub(crate) fn search_resource<V: View>(view: &V, body: &str, now: i64) -> Result<String, BadRequest> {
    let body: Parts<'_> = object(body, "the body")?;
    let subject = Entity::read(body.subject, "subject")?;
    let action = Action::read(body.action, "action")?;
    let kind = Entity::read_type(body.resource, "resource")?;
    let id = joined(&subject.kind, &subject.id);
    let mut stated = Stated::default();
    stated.subject(subject.properties);
    stated.action(action.properties);
    stated.context(Members::read(body.context, "context")?);
    let page = Page::read(body.page, "resource", &body)?;
    let found = match permission(&kind, &action.name) {
        None => Ok(Vec::new()),
        Some(permission) => {
            stated.accompany(now, |context| postern_resolver::filter(view, &id, &permission, &kind, context))
        }
    };
    let ids = results(found, || reserved(&id))?;
    Ok(answer(ids, page, |id| json!({"type": kind, "id": id})))
}

/// What may the subject do there: the actions of the permissions of the resource's type. Cost: a check for each
/// permission of the catalog.
///
/// # Errors
/// As [`search_subject`].
pub(crate) fn search_action<V: View>(
    view: &V,
    mapping: &Mapping,
    body: &str,
    now: i64,
) -> Result<String, BadRequest> {
    let body: Parts<'_> = object(body, "the body")?;
    let subject = Entity::read(body.subject, "subject")?;
    let resource = Entity::read(body.resource, "resource")?;
    let id = joined(&subject.kind, &subject.id);
    let mut stated = Stated::default();
    stated.resource(resource.properties, &subject.kind, mapping, "resource")?;
    stated.subject(subject.properties);
    stated.context(Members::read(body.context, "context")?);
    // An action is what is searched for: one that is sent is ignored.
    let page = Page::read(body.page, "action", &Parts { action: None, ..body })?;
    let found = stated.accompany(now, |context| {
        let place = stated.place(&resource.kind, &resource.id);
        postern_resolver::actions(view, &id, place, context)
    });
    let keys = results(found, || reserved(&id))?;
    let names = keys.into_iter().filter_map(|key| {
        let (kind, name) = key.rsplit_once(':')?;
        (kind == resource.kind).then(|| name.to_owned())
    });
    Ok(answer(names.collect(), page, |name| json!({ "name": name })))
}

/// A permission that nobody knows finds nothing; an id that stands for many is a mistake of the caller's.
fn results(
    found: Result<Vec<String>, QueryError>,
    malformed: impl FnOnce() -> BadRequest,
) -> Result<Vec<String>, BadRequest> {
    match found {
        Ok(found) => Ok(found),
        Err(QueryError::InvalidRequest) => Err(malformed()),
        Err(_) => Ok(Vec::new()),
    }
}

fn answer(mut results: Vec<String>, page: Option<Page>, element: impl Fn(&str) -> Value) -> String {
    let page = page.map(|page| page.cut(&mut results));
    let results: Vec<Value> = results.iter().map(|result| element(result)).collect();
    match page {
        Some(page) => json!({"page": page, "results": results}).to_string(),
        None => json!({ "results": results }).to_string(),
    }
}
