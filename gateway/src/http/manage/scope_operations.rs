//! The operations on scopes and presets, for the list of all (`http::operations`).

use super::operations::{CHANGE, CHANGES, ONCE, PAGE_OF_TYPE, at};
use super::{create, presets, roles, scopes};
use crate::http::operations::{Answer, CHANGED, Credential, DECIDED, ITEM, MADE, Operation, operation};
use crate::manage::permission::{RESOURCE_MANAGE, ROLE_MANAGE, USER_MANAGE};
use crate::manage::{PresetFields, ScopeFields};
use crate::problem::Problem;
use axum::routing::{delete, get, post, put};

const CHANGE_ONCE: &[&str] = &["If-Match", "Idempotency-Key"];
/// Of a POST that takes no body and may come again.
const ACTS: [Problem; 2] = [Problem::INVALID_REQUEST, Problem::IDEMPOTENCY_KEY_REUSED];

pub(super) fn scopes() -> Vec<Operation> {
    let managers = Credential::Manager(&[RESOURCE_MANAGE]);
    let readers = Credential::Manager(scopes::READERS);
    let joiners = Credential::Manager(&[ROLE_MANAGE, USER_MANAGE]);
    let gives = [Problem::CANNOT_GRANT, Problem::NEEDS_EVERYTHING];
    vec![
        operation(
            ("GET", at("scopes"), "listScopes"),
            "Scopes with the roles that exist for each, by type and id; deleted ones among them.",
            readers,
            (200, Answer::Page("Scope")),
            get(scopes::list),
        )
        .with(PAGE_OF_TYPE),
        operation(
            ("POST", at("scopes"), "createScope"),
            "Makes a scope, a role for each preset of its type, and its creator's assignments.",
            managers,
            (201, Answer::Json("Scope")),
            post(create::<ScopeFields>),
        )
        .tells(MADE)
        .takes("ScopeFields")
        .with(ONCE)
        .refuses(&gives)
        .refuses(&[
            Problem::ID_TAKEN,
            Problem::UNKNOWN_TYPE,
            Problem::NOT_A_SCOPE,
            Problem::UNKNOWN_RESOURCE,
            Problem::UNKNOWN_GROUP,
            Problem::IDEMPOTENCY_KEY_REUSED,
        ]),
        operation(
            ("GET", at("scopes/{type}/{id}"), "readScope"),
            "A scope with the roles that exist for it.",
            readers,
            (200, Answer::Json("Scope")),
            get(scopes::read),
        )
        .tells(ITEM)
        .refuses(&[Problem::ITEM_NOT_FOUND]),
        operation(
            ("DELETE", at("scopes/{type}/{id}"), "deleteScope"),
            "Deletes a scope so that it can be restored: it is inactive until then.",
            managers,
            (200, Answer::Json("Scope")),
            delete(scopes::delete),
        )
        .tells(CHANGED)
        .with(CHANGE)
        .refuses(&CHANGES)
        .refuses(&gives),
        operation(
            ("POST", at("scopes/{type}/{id}/restore"), "restoreScope"),
            "Makes a deleted scope what it was.",
            managers,
            (200, Answer::Json("Scope")),
            post(scopes::restore),
        )
        .tells(CHANGED)
        .with(CHANGE_ONCE)
        .refuses(&CHANGES)
        .refuses(&gives)
        .refuses(&ACTS),
        operation(
            ("POST", at("scopes/{type}/{id}/purge"), "purgeScope"),
            "Deletes a scope for good, with its edges, what stands at it and the roles that exist only for it.",
            managers,
            (200, Answer::Json("Purged")),
            post(scopes::purge),
        )
        .tells(CHANGED)
        .with(CHANGE_ONCE)
        .refuses(&CHANGES)
        .refuses(&gives)
        .refuses(&ACTS),
        operation(
            ("POST", at("scopes/{type}/{id}/members"), "joinScope"),
            "Assigns somebody the roles of a scope that come by joining it.",
            joiners,
            (200, Answer::Json("Joined")),
            post(scopes::join),
        )
        .tells(CHANGED)
        .takes("NewMember")
        .with(ONCE)
        .refuses(&gives)
        .refuses(&[
            Problem::HOLDS_MORE,
            Problem::GIVES_TO_EVERYBODY,
            Problem::ITEM_NOT_FOUND,
            Problem::SCOPE_DELETED,
            Problem::UNKNOWN_GROUP,
            Problem::IDEMPOTENCY_KEY_REUSED,
        ]),
    ]
}

pub(super) fn presets() -> Vec<Operation> {
    let managers = Credential::Manager(&[ROLE_MANAGE]);
    let readers = Credential::Manager(roles::READERS);
    let of_preset = [
        Problem::NEEDS_EVERYTHING,
        Problem::INVALID_NAME,
        Problem::NAME_TAKEN,
        Problem::INVALID_TEMPLATE,
        Problem::ADMIN_AUTO_ASSIGN,
        Problem::UNKNOWN_PERMISSIONS,
        Problem::MISSING_PERMISSIONS,
    ];
    vec![
        operation(
            ("GET", at("presets"), "listPresets"),
            "Which roles new scopes get, by id; deleted ones among them.",
            readers,
            (200, Answer::Page("Preset")),
            get(presets::list),
        )
        .with(PAGE_OF_TYPE),
        operation(
            ("POST", at("presets"), "createPreset"),
            "Makes a preset: new scopes of its type get a role.",
            managers,
            (201, Answer::Json("Preset")),
            post(create::<PresetFields>),
        )
        .tells(MADE)
        .takes("PresetFields")
        .with(ONCE)
        .refuses(&of_preset)
        .refuses(&[Problem::UNKNOWN_TYPE, Problem::NOT_A_SCOPE, Problem::IDEMPOTENCY_KEY_REUSED]),
        operation(
            ("GET", at("presets/{id}"), "readPreset"),
            "A preset.",
            readers,
            (200, Answer::Json("Preset")),
            get(presets::read),
        )
        .tells(ITEM)
        .refuses(&[Problem::ITEM_NOT_FOUND]),
        operation(
            ("PUT", at("presets/{id}"), "updatePreset"),
            "Changes a preset; the roles that were made from it stay as they are.",
            managers,
            (200, Answer::Json("Preset")),
            put(presets::update),
        )
        .tells(CHANGED)
        .takes("PresetFields")
        .with(CHANGE)
        .refuses(&CHANGES)
        .refuses(&of_preset),
        operation(
            ("DELETE", at("presets/{id}"), "deletePreset"),
            "Deletes a preset so that it can be restored: new scopes do not get its role.",
            managers,
            (200, Answer::Json("Preset")),
            delete(presets::delete),
        )
        .tells(CHANGED)
        .with(CHANGE)
        .refuses(&CHANGES)
        .refuses(&[Problem::NEEDS_EVERYTHING]),
        operation(
            ("POST", at("presets/{id}/restore"), "restorePreset"),
            "Restores a deleted preset.",
            managers,
            (200, Answer::Json("Preset")),
            post(presets::restore),
        )
        .tells(CHANGED)
        .with(CHANGE_ONCE)
        .refuses(&CHANGES)
        .refuses(&[Problem::NEEDS_EVERYTHING])
        .refuses(&ACTS),
        operation(
            ("POST", at("presets/{id}/purge"), "purgePreset"),
            "Deletes a preset for good; the roles that were made from it stay.",
            managers,
            (204, Answer::Empty),
            post(presets::purge),
        )
        .tells(DECIDED)
        .with(CHANGE_ONCE)
        .refuses(&CHANGES)
        .refuses(&[Problem::NEEDS_EVERYTHING])
        .refuses(&ACTS),
        operation(
            ("GET", at("presets/{id}/sync"), "previewPresetSync"),
            "What a sync would give and take from each role that was made from the preset.",
            readers,
            (200, Answer::Json("PresetSync")),
            get(presets::preview),
        )
        .tells(ITEM)
        .refuses(&[Problem::ITEM_NOT_FOUND]),
        operation(
            ("POST", at("presets/{id}/sync"), "syncPreset"),
            "Gives the roles that were made from a preset its permissions; `If-Match` is of the preview.",
            managers,
            (200, Answer::Json("PresetSync")),
            post(presets::sync),
        )
        .tells(CHANGED)
        .with(CHANGE_ONCE)
        .refuses(&CHANGES)
        .refuses(&[Problem::NEEDS_EVERYTHING, Problem::PRESET_DELETED, Problem::ADMIN_AUTO_ASSIGN])
        .refuses(&ACTS),
    ]
}
