//! No row can tie facts of two organizations together.

use crate::support::{full_world, migrated, refused_by};
use postern_gateway::store::import::import;

#[tokio::test]
async fn rows_that_reach_into_another_organization_are_refused() {
    let (_, mut connection) = migrated().await;
    import(&mut connection, &full_world("acme"), false).await.unwrap();
    let mut other = full_world("other");
    // The other organization lacks all that the statements below name.
    other = postern_world::World {
        organization: other.organization,
        revision: 1,
        ..postern_world::World::default()
    };
    import(&mut connection, &other, false).await.unwrap();
    let cases = [
        (
            "INSERT INTO permission_links VALUES ('other', 'site:read', 'implied_by', 'site:manage')",
            "permission_links_permission_fkey",
        ),
        (
            "INSERT INTO owner_permissions (organization_id, resource_type, permission) VALUES ('other', 'site', '*')",
            "owner_permissions_type_fkey",
        ),
        (
            "INSERT INTO subject_aliases VALUES ('other', 'user:a2', 'user:ann')",
            "subject_aliases_subject_fkey",
        ),
        (
            "INSERT INTO memberships (organization_id, subject_id, group_id) VALUES ('other', 'user:ann', 'group:ops')",
            "memberships_group_fkey",
        ),
        (
            "INSERT INTO resources (organization_id, resource_type, resource_id) VALUES ('other', 'site', 's9')",
            "resources_type_fkey",
        ),
        (
            "INSERT INTO resource_parents (organization_id, child_type, child_id, parent_type, parent_id)
            VALUES ('other', 'site', 's1', 'region', 'north')",
            "resource_parents_child_fkey",
        ),
        (
            "INSERT INTO role_permissions (organization_id, role_id, permission) VALUES ('other', 'role:all', '*')",
            "role_permissions_role_fkey",
        ),
        (
            "INSERT INTO assignments (organization_id, subject_id, role_id) VALUES ('other', 'user:ann', 'role:all')",
            "assignments_role_fkey",
        ),
        (
            "INSERT INTO presets (organization_id, name, name_key, resource_type) VALUES ('other', 'x', 'x', 'site')",
            "presets_type_fkey",
        ),
        (
            "INSERT INTO roles (organization_id, role_id, name, scope_type, scope_id)
            VALUES ('other', 'role:s', 'S', 'site', 's1')",
            "roles_scope_fkey",
        ),
        (
            "INSERT INTO grants (organization_id, subject_id) VALUES ('other', 'group:ops')",
            "grants_group_fkey",
        ),
        ("INSERT INTO grants (organization_id, subject_id) VALUES ('other', 'role:all')", "grants_role_fkey"),
        (
            "INSERT INTO grants (organization_id, subject_id, at_type, at_id) VALUES ('other', 'user:a', 'site', 's1')",
            "grants_at_type_fkey",
        ),
        (
            "INSERT INTO grant_permissions (organization_id, grant_id, permission)
            SELECT 'other', grant_id, '*' FROM grants LIMIT 1",
            "grant_permissions_grant_fkey",
        ),
        // And rows of this organization that are moved away from what they name, or the other way round.
        ("UPDATE assignments SET organization_id = 'other'", "assignments_role_fkey"),
        ("UPDATE role_permissions SET organization_id = 'other'", "role_permissions_role_fkey"),
        ("UPDATE grant_permissions SET organization_id = 'other'", "grant_permissions_grant_fkey"),
        ("UPDATE memberships SET organization_id = 'other'", "memberships_group_fkey"),
        ("UPDATE resource_parents SET organization_id = 'other'", "resource_parents_child_fkey"),
        ("UPDATE subject_aliases SET organization_id = 'other'", "subject_aliases_subject_fkey"),
        // And rows of nobody.
        (
            "INSERT INTO subjects (organization_id, subject_id) VALUES ('nobody', 'user:a')",
            "subjects_organization_fkey",
        ),
        (
            "INSERT INTO roles (organization_id, role_id, name) VALUES ('nobody', 'role:a', '')",
            "roles_organization_fkey",
        ),
        (
            "INSERT INTO permissions (organization_id, permission_key) VALUES ('nobody', 'a:b')",
            "permissions_organization_fkey",
        ),
        (
            "INSERT INTO resource_types (organization_id, resource_type) VALUES ('nobody', 'a')",
            "resource_types_organization_fkey",
        ),
        (
            "INSERT INTO grants (organization_id, subject_id) VALUES ('nobody', 'user:a')",
            "grants_organization_fkey",
        ),
        (
            "INSERT INTO api_keys (organization_id, prefix, digest) VALUES ('nobody', '', sha256(''))",
            "api_keys_organization_fkey",
        ),
        (
            "INSERT INTO signing_keys (organization_id, secret) VALUES ('nobody', sha256(''))",
            "signing_keys_organization_fkey",
        ),
    ];
    for (statement, constraint) in cases {
        assert_eq!(refused_by(&mut connection, statement).await, constraint, "{statement}");
    }
}

#[tokio::test]
async fn facts_that_a_document_may_not_have_are_refused_as_rows() {
    let (_, mut connection) = migrated().await;
    import(&mut connection, &full_world("acme"), false).await.unwrap();
    let cases = [
        (
            "INSERT INTO subjects (organization_id, subject_id) VALUES ('acme', 'user:all')",
            "subjects_id_form",
        ),
        ("INSERT INTO subjects (organization_id, subject_id) VALUES ('acme', 'ann')", "subjects_id_form"),
        ("INSERT INTO subjects (organization_id, subject_id) VALUES ('acme', 'role:x')", "subjects_no_role"),
        (
            "INSERT INTO memberships (organization_id, subject_id, group_id) VALUES ('acme', 'role:x', 'group:ops')",
            "memberships_no_role",
        ),
        (
            "INSERT INTO assignments (organization_id, subject_id, role_id)
            SELECT 'acme', 'role:x', role_id FROM roles LIMIT 1",
            "assignments_no_role",
        ),
        (
            "INSERT INTO resources (organization_id, resource_type, resource_id, owner_id)
            VALUES ('acme', 'site', 'x', 'group:nobody')",
            "resources_owner_group_fkey",
        ),
        (
            "INSERT INTO resources (organization_id, resource_type, resource_id, owner_id)
            VALUES ('acme', 'site', 'x', 'role:x')",
            "resources_owner_no_role",
        ),
        (
            "INSERT INTO roles (organization_id, role_id, name) VALUES ('acme', 'role:x:y', '')",
            "roles_id_form",
        ),
        (
            "INSERT INTO roles (organization_id, role_id, name) VALUES ('acme', 'role:global:', '')",
            "roles_id_form",
        ),
        (
            "INSERT INTO grants (organization_id, subject_id, session_id) VALUES ('acme', 'user:ann', '')",
            "grants_session_form",
        ),
        ("INSERT INTO subjects (organization_id, subject_id) VALUES ('acme', '')", "fact_text_length"),
        (
            "INSERT INTO subjects (organization_id, subject_id) VALUES ('acme', 'user:' || repeat('a', 508))",
            "fact_text_length",
        ),
        (
            "INSERT INTO subjects (organization_id, subject_id, attributes) VALUES ('acme', 'user:x', '{\"a\": 1}')",
            "fact_dimensions_strings",
        ),
        (
            "INSERT INTO subjects (organization_id, subject_id, expires_at) VALUES ('acme', 'user:x', 'infinity')",
            "fact_time_finite",
        ),
        ("INSERT INTO subject_aliases VALUES ('acme', 'user:bob', 'user:ann')", "subject_names_key"),
        (
            "INSERT INTO subjects (organization_id, subject_id) VALUES ('acme', 'user:ann@example.com')",
            "subject_names_key",
        ),
        ("INSERT INTO subject_aliases VALUES ('acme', 'service:ann', 'user:ann')", "subject_aliases_type"),
        (
            "INSERT INTO memberships (organization_id, subject_id, group_id) VALUES ('acme', 'user:ann', 'user:bob')",
            "memberships_group_form",
        ),
        (
            "INSERT INTO memberships (organization_id, subject_id, group_id) VALUES ('acme', 'group:x', 'group:ops')",
            "memberships_member_group_fkey",
        ),
        (
            "INSERT INTO memberships (organization_id, subject_id, group_id) VALUES ('acme', 'user:all', 'group:ops')",
            "memberships_subject_form",
        ),
        (
            "INSERT INTO resources (organization_id, resource_type, resource_id) VALUES ('acme', 'site', '*')",
            "resources_id_form",
        ),
        (
            "INSERT INTO resources (organization_id, resource_type, resource_id, owner_id)
            VALUES ('acme', 'site', 'x', 'user:all')",
            "resources_owner_form",
        ),
        (
            "INSERT INTO resources (organization_id, resource_type, resource_id, attributes)
            VALUES ('acme', 'site', 'x', '{\"subject.role\": \"a\"}')",
            "resources_attributes_names",
        ),
        (
            "UPDATE resource_parents SET relation = 'auto', cap = '{read}' WHERE relation = 'ref'",
            "resource_parents_cap_of_ref",
        ),
        ("UPDATE resource_parents SET cap = '{*}' WHERE relation = 'ref'", "resource_parents_cap_actions"),
        (
            "INSERT INTO permissions (organization_id, permission_key) VALUES ('acme', 'site')",
            "permissions_key_form",
        ),
        (
            "INSERT INTO role_permissions (organization_id, role_id, permission) VALUES ('acme', 'role:empty', 'no:such')",
            "role_permissions_permission_fkey",
        ),
        (
            "INSERT INTO assignments (organization_id, subject_id, role_id, at_type)
            VALUES ('acme', 'user:ann', 'role:empty', 'site')",
            "assignments_at_whole",
        ),
        (
            "INSERT INTO assignments (organization_id, subject_id, role_id) VALUES ('acme', 'group:x', 'role:empty')",
            "assignments_group_fkey",
        ),
        (
            "INSERT INTO assignments (organization_id, subject_id, role_id) VALUES ('acme', 'user:all', 'role:empty')",
            "assignments_subject_role_at_key",
        ),
        ("UPDATE grants SET effect = 'maybe'", "grants_effect_known"),
    ];
    for (statement, constraint) in cases {
        assert_eq!(refused_by(&mut connection, statement).await, constraint, "{statement}");
    }
}
