//! The catalog, and the lists of permissions that refer to it.

use super::path::At;
use super::{Checked, name, too_long};
use crate::Catalog;
use crate::error::quoted;
use postern_vocab::limits::{PERMISSIONS_MAX, TEXT_BYTES_MAX};
use postern_vocab::{AllowedKey, valid_permission_key};

pub(super) fn check(at: &At<'_>, catalog: &Catalog) -> Checked {
    let types = at.member("types");
    for (kind, resource_type) in &catalog.types {
        let at = types.member(kind);
        if kind.is_empty() {
            return Err(at.refuse_name("the name of a type is empty; give it one"));
        }
        if kind.len() > TEXT_BYTES_MAX {
            return Err(at.refuse_name(too_long(kind)));
        }
        permission_list(&at.member("owner_permissions"), &resource_type.owner_permissions, catalog)?;
    }
    let permissions = at.member("permissions");
    if catalog.permissions.len() > PERMISSIONS_MAX {
        let message =
            format!("{} permissions; at most {PERMISSIONS_MAX} are allowed", catalog.permissions.len());
        return Err(permissions.refuse(message));
    }
    for (key, permission) in &catalog.permissions {
        let at = permissions.member(key);
        if key.len() > TEXT_BYTES_MAX {
            return Err(at.refuse_name(too_long(key)));
        }
        if !valid_permission_key(key) {
            let message =
                format!("{} is no permission key; write `<type>:<action>`, of A-Za-z0-9_.-", quoted(key));
            return Err(at.refuse_name(message));
        }
        for (member, keys) in [
            ("implied_by", &permission.implied_by),
            ("excluded_by", &permission.excluded_by),
            ("requires", &permission.requires),
        ] {
            let at = at.member(member);
            for (index, key) in keys.iter().enumerate() {
                known_key(&at.index(index), key, catalog)?;
            }
        }
    }
    Ok(())
}

/// A list of keys, `<type>:*` and `*`. A wildcard may stand for no key at all.
pub(super) fn permission_list(at: &At<'_>, list: &[String], catalog: &Catalog) -> Checked {
    for (index, entry) in list.iter().enumerate() {
        match AllowedKey::parse(entry) {
            AllowedKey::All => {}
            AllowedKey::Type(kind) if valid_permission_key(&format!("{kind}:x")) => {}
            AllowedKey::Type(_) | AllowedKey::Key(_) => known_key(&at.index(index), entry, catalog)?,
        }
    }
    Ok(())
}

fn known_key(at: &At<'_>, key: &str, catalog: &Catalog) -> Checked {
    name(at, key)?;
    if catalog.permissions.contains_key(key) {
        return Ok(());
    }
    let message = match valid_permission_key(key) {
        true => format!(
            "the permission {} is not in `catalog.permissions`; add it there or correct it",
            quoted(key)
        ),
        false => format!("{} is no permission key; write `<type>:<action>`", quoted(key)),
    };
    Err(at.refuse(message))
}
