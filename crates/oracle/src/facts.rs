//! The world document (section 2) as lists of facts, in the order in which it writes them.

use serde_json::Value;
use std::collections::BTreeMap;

use crate::json;

/// A resource by type and id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// Its type.
    pub kind: String,
    /// Its id.
    pub id: String,
}

/// When a fact is asked about.
#[derive(Clone, Copy)]
pub(crate) enum When {
    /// At a time, in microseconds since the epoch.
    At(i64),
    /// At whatever time: what a slice, which is cut once and asked later, has to hold.
    Ever,
}

/// `active`, `not_before` and `expires_at`.
pub(crate) struct Life {
    active: bool,
    not_before: Option<i64>,
    expires_at: Option<i64>,
}

impl Life {
    /// Section 4, "Live".
    pub(crate) fn live(&self, when: When) -> bool {
        let When::At(now) = when else {
            return self.active;
        };
        self.active
            && self.not_before.is_none_or(|not_before| not_before <= now)
            && self.expires_at.is_none_or(|expires_at| now < expires_at)
    }
}

pub(crate) struct Type {
    pub(crate) name: String,
    pub(crate) scope: bool,
    pub(crate) narrows: bool,
    pub(crate) registered: bool,
    pub(crate) owner_permissions: Vec<String>,
}

pub(crate) struct Permission {
    pub(crate) key: String,
    pub(crate) implied_by: Vec<String>,
    pub(crate) excluded_by: Vec<String>,
    pub(crate) works_when_inactive: bool,
}

pub(crate) struct Subject {
    pub(crate) id: String,
    aliases: Vec<String>,
    pub(crate) attributes: BTreeMap<String, String>,
    pub(crate) life: Life,
}

pub(crate) struct Membership {
    pub(crate) member: String,
    pub(crate) group: String,
    pub(crate) life: Life,
}

#[derive(Clone)]
pub(crate) struct Edge {
    pub(crate) parent: Node,
    /// `None`: relation `auto`. `Some`: relation `ref` with this cap.
    pub(crate) cap: Option<Vec<String>>,
}

pub(crate) struct Resource {
    pub(crate) node: Node,
    pub(crate) parents: Vec<Edge>,
    pub(crate) owner: Option<String>,
    pub(crate) attributes: BTreeMap<String, String>,
    pub(crate) life: Life,
}

pub(crate) struct Role {
    pub(crate) id: String,
    pub(crate) permissions: Vec<String>,
    pub(crate) active: bool,
}

pub(crate) struct Assignment {
    pub(crate) holder: String,
    pub(crate) role: String,
    /// `None`: the whole organization.
    pub(crate) at: Option<Node>,
    pub(crate) life: Life,
}

pub(crate) struct Grant {
    pub(crate) holder: String,
    pub(crate) exclude: bool,
    pub(crate) permissions: Vec<String>,
    pub(crate) at: Option<Node>,
    pub(crate) conditions: BTreeMap<String, String>,
    pub(crate) require: BTreeMap<String, String>,
    pub(crate) own: bool,
    pub(crate) session: Option<String>,
    pub(crate) life: Life,
}

/// A world, interpreted.
pub struct Oracle {
    pub(crate) types: Vec<Type>,
    pub(crate) permissions: Vec<Permission>,
    pub(crate) subjects: Vec<Subject>,
    pub(crate) memberships: Vec<Membership>,
    pub(crate) resources: Vec<Resource>,
    pub(crate) roles: Vec<Role>,
    pub(crate) assignments: Vec<Assignment>,
    pub(crate) grants: Vec<Grant>,
}

impl Oracle {
    /// Reads a world document. The error is one sentence for people.
    pub fn parse(json: &[u8]) -> Result<Oracle, String> {
        let world: Value = serde_json::from_slice(json).map_err(|error| error.to_string())?;
        if json::text(&world, "format")? != "postern-world/1" {
            return Err("`format` is not `postern-world/1`".to_string());
        }
        let mut oracle = Oracle {
            types: Vec::new(),
            permissions: Vec::new(),
            subjects: Vec::new(),
            memberships: Vec::new(),
            resources: Vec::new(),
            roles: Vec::new(),
            assignments: Vec::new(),
            grants: Vec::new(),
        };
        // The catalog comes first, because permission lists are expanded against it; then the subjects, because their
        // aliases may stand wherever a subject is written.
        if let Some(catalog) = world.get("catalog") {
            oracle.read_catalog(catalog)?;
        }
        for subject in json::list(&world, "subjects")? {
            oracle.subjects.push(Subject {
                id: json::text(subject, "id")?,
                aliases: json::texts(subject, "aliases")?,
                attributes: json::text_map(subject, "attributes")?,
                life: life(subject)?,
            });
        }
        for role in json::list(&world, "roles")? {
            oracle.roles.push(Role {
                id: json::text(role, "id")?,
                permissions: oracle.expand(&json::texts(role, "permissions")?),
                active: json::flag(role, "active", true)?,
            });
        }
        oracle.read_facts(&world)?;
        Ok(oracle)
    }

    fn read_catalog(&mut self, catalog: &Value) -> Result<(), String> {
        for (key, permission) in json::entries(catalog, "permissions")? {
            self.permissions.push(Permission {
                key,
                implied_by: json::texts(permission, "implied_by")?,
                excluded_by: json::texts(permission, "excluded_by")?,
                works_when_inactive: json::flag(permission, "works_when_inactive", false)?,
            });
        }
        for (name, kind) in json::entries(catalog, "types")? {
            let scope = json::flag(kind, "scope", false)?;
            self.types.push(Type {
                name,
                scope,
                narrows: json::flag(kind, "narrows", false)?,
                // "Scopes always are": whatever the world says.
                registered: scope || json::flag(kind, "registered", true)?,
                owner_permissions: self.expand(&json::texts(kind, "owner_permissions")?),
            });
        }
        Ok(())
    }

    fn read_facts(&mut self, world: &Value) -> Result<(), String> {
        for membership in json::list(world, "memberships")? {
            self.memberships.push(Membership {
                member: self.canonical(&json::text(membership, "subject")?),
                group: self.canonical(&json::text(membership, "group")?),
                life: life(membership)?,
            });
        }
        for resource in json::list(world, "resources")? {
            let mut parents = Vec::new();
            for parent in json::list(resource, "parents")? {
                parents.push(Edge {
                    parent: json::node(parent)?,
                    cap: match json::text(parent, "relation")?.as_str() {
                        "" | "auto" => None,
                        "ref" => Some(json::texts(parent, "cap")?),
                        other => return Err(format!("`{other}` is no relation")),
                    },
                });
            }
            self.resources.push(Resource {
                node: json::node(resource)?,
                parents,
                owner: json::optional_text(resource, "owner")?.map(|owner| self.canonical(&owner)),
                attributes: json::text_map(resource, "attributes")?,
                life: life(resource)?,
            });
        }
        for assignment in json::list(world, "assignments")? {
            self.assignments.push(Assignment {
                holder: self.canonical(&json::text(assignment, "subject")?),
                role: json::text(assignment, "role")?,
                at: json::optional_node(assignment, "at")?,
                life: life(assignment)?,
            });
        }
        for grant in json::list(world, "grants")? {
            self.grants.push(Grant {
                holder: self.canonical(&json::text(grant, "subject")?),
                exclude: match json::text(grant, "effect")?.as_str() {
                    "allow" => false,
                    "exclude" => true,
                    other => return Err(format!("`{other}` is no effect")),
                },
                permissions: self.expand(&json::texts(grant, "permissions")?),
                at: json::optional_node(grant, "at")?,
                conditions: json::text_map(grant, "where")?,
                require: json::text_map(grant, "require")?,
                own: json::flag(grant, "own", false)?,
                session: json::optional_text(grant, "session")?,
                life: life(grant)?,
            });
        }
        Ok(())
    }

    /// A permission list without its wildcards: the keys of the catalog that it stands for.
    fn expand(&self, list: &[String]) -> Vec<String> {
        let mut keys = Vec::new();
        for permission in &self.permissions {
            let kind = permission.key.rsplit_once(':').map_or("", |(kind, _)| kind);
            let wildcard = format!("{kind}:*");
            if list.iter().any(|entry| *entry == permission.key || *entry == wildcard || entry == "*") {
                keys.push(permission.key.clone());
            }
        }
        keys
    }

    /// The listed subject that an alias stands for; any other id as it is.
    pub(crate) fn canonical(&self, id: &str) -> String {
        if self.subject(id).is_some() {
            return id.to_string();
        }
        for subject in &self.subjects {
            let kind = subject.id.split_once(':').map_or("", |(kind, _)| kind);
            if subject.aliases.iter().any(|alias| format!("{kind}:{alias}") == id) {
                return subject.id.clone();
            }
        }
        id.to_string()
    }

    pub(crate) fn subject(&self, id: &str) -> Option<&Subject> {
        self.subjects.iter().find(|subject| subject.id == id)
    }

    pub(crate) fn resource(&self, node: &Node) -> Option<&Resource> {
        self.resources.iter().find(|resource| resource.node == *node)
    }

    pub(crate) fn declared_type(&self, name: &str) -> Option<&Type> {
        self.types.iter().find(|kind| kind.name == name)
    }

    pub(crate) fn permission(&self, key: &str) -> Option<&Permission> {
        self.permissions.iter().find(|permission| permission.key == key)
    }
}

fn life(fact: &Value) -> Result<Life, String> {
    Ok(Life {
        active: json::flag(fact, "active", true)?,
        not_before: json::time(fact, "not_before")?,
        expires_at: json::time(fact, "expires_at")?,
    })
}
