//! What facts say of each other: ids, groups, roles, places.

use super::check;

#[test]
fn subjects_and_groups() {
    check(&[
        (
            "\"id\": \"user:b\"",
            "\"id\": ¦\"b\"",
            "$.subjects[1].id",
            "`b` is no subject; write `<type>:<id>`",
        ),
        ("\"id\": \"user:b\"", "\"id\": ¦\"user:\"", "$.subjects[1].id", "is no subject"),
        ("\"id\": \"user:b\"", "\"id\": ¦\":b\"", "$.subjects[1].id", "is no subject"),
        ("\"id\": \"user:b\"", "\"id\": ¦\"\"", "$.subjects[1].id", "empty"),
        ("\"id\": \"user:b\"", "\"id\": ¦\"user:all\"", "$.subjects[1].id", "`user:all` stands for many"),
        ("\"id\": \"user:b\"", "\"id\": ¦\"service:*\"", "$.subjects[1].id", "`service:*` stands for many"),
        ("\"id\": \"user:b\"", "\"id\": ¦\"role:b\"", "$.subjects[1].id", "`role:b` names a role"),
        (
            "\"id\": \"user:b\"",
            "\"id\": ¦\"user:a\"",
            "$.subjects[1].id",
            "the subject `user:a` is already listed at $.subjects[0]",
        ),
        (
            "[\"operations\"]",
            "[¦\"ops\"]",
            "$.subjects[2].aliases[0]",
            "`group:ops` already is the id or an alias",
        ),
        ("[\"operations\"]", "[\"o\", ¦\"o\"]", "$.subjects[2].aliases[1]", "`group:o` already is"),
        ("[\"ann@example.com\"]", "[¦\"b\"]", "$.subjects[0].aliases[0]", "`user:b` already is"),
        ("[\"operations\"]", "[¦\"all\"]", "$.subjects[2].aliases[0]", "`all` stands for many"),
        ("[\"operations\"]", "[¦\"\"]", "$.subjects[2].aliases[0]", "empty"),
        (
            "\"group\": \"group:ops\"",
            "\"group\": ¦\"group:dev\"",
            "$.memberships[0].group",
            "the group `group:dev` is not listed",
        ),
        (
            "\"group\": \"group:ops\"",
            "\"group\": ¦\"user:b\"",
            "$.memberships[0].group",
            "`user:b` is no group",
        ),
        (
            "\"subject\": \"user:a\", \"group\"",
            "\"subject\": ¦\"user:all\", \"group\"",
            "$.memberships[0].subject",
            "stands for many",
        ),
        (
            "\"subject\": \"user:a\", \"group\"",
            "\"subject\": ¦\"group:dev\", \"group\"",
            "$.memberships[0].subject",
            "not listed",
        ),
        (
            "\"subject\": \"user:all\"",
            "\"subject\": ¦\"service:all\"",
            "$.assignments[1].subject",
            "stands for many",
        ),
        (
            "\"subject\": \"user:all\"",
            "\"subject\": ¦\"role:tech\"",
            "$.assignments[1].subject",
            "names a role",
        ),
        (
            "\"subject\": \"user:all\"",
            "\"subject\": ¦\"group:dev\"",
            "$.assignments[1].subject",
            "not listed",
        ),
        ("\"user:unlisted\"", "¦\"group:dev\"", "$.grants[1].subject", "the group `group:dev` is not listed"),
        ("\"user:unlisted\"", "¦\"unlisted\"", "$.grants[1].subject", "is no subject"),
        ("\"owner\": \"user:a\"", "\"owner\": ¦\"user:all\"", "$.resources[0].owner", "stands for many"),
        ("\"owner\": \"user:a\"", "\"owner\": ¦\"a\"", "$.resources[0].owner", "is no subject"),
        ("\"acme\"", "¦\"\"", "$.organization", "empty"),
    ]);
}

#[test]
fn resources_roles_and_places() {
    check(&[
        (
            "{\"type\": \"site\", \"id\": \"s1\", \"owner\"",
            "{\"type\": ¦\"farm\", \"id\": \"s1\", \"owner\"",
            "$.resources[0].type",
            "the type `farm` is not declared; add it to `catalog.types`",
        ),
        ("\"id\": \"k1\"", "\"id\": ¦\"*\"", "$.resources[1].id", "`*` stands for many"),
        ("\"id\": \"k1\"", "\"id\": ¦\"\"", "$.resources[1].id", "empty"),
        (
            "{\"type\": \"secret\", \"id\": \"k1\"",
            "{\"type\": \"site\", \"id\": ¦\"s1\"",
            "$.resources[1].id",
            "the site `s1` is already listed at $.resources[0]",
        ),
        (
            "{\"type\": \"site\", \"id\": \"s1\", \"relation\"",
            "¦{\"type\": \"site\", \"id\": \"s2\", \"relation\"",
            "$.resources[1].parents[0]",
            "the parent `s2` of type `site` is not listed",
        ),
        (
            "{\"type\": \"site\", \"id\": \"s1\", \"relation\"",
            "{\"type\": ¦\"farm\", \"id\": \"s1\", \"relation\"",
            "$.resources[1].parents[0].type",
            "not declared",
        ),
        ("[\"read\"]", "[\"read\", ¦\"*\"]", "$.resources[1].parents[0].cap[1]", "has no wildcard"),
        (
            "{\"department\": \"Legal\"}",
            "{¦\"subject.role\": \"Legal\"}",
            "$.resources[1].attributes[\"subject.role\"]",
            "would hide an attribute of the subject",
        ),
        ("\"id\": \"role:tech\"", "\"id\": ¦\"tech\"", "$.roles[0].id", "`tech` is no role id"),
        ("\"id\": \"role:tech\"", "\"id\": ¦\"role:\"", "$.roles[0].id", "is no role id"),
        ("\"id\": \"role:tech\"", "\"id\": ¦\"role:global:\"", "$.roles[0].id", "is no role id"),
        ("\"id\": \"role:tech\"", "\"id\": ¦\"role:galaxy:1\"", "$.roles[0].id", "is no role id"),
        (
            "\"id\": \"role:global:0192f1c2-7aa0-7bcd-8eef-0123456789ab\"",
            "\"id\": ¦\"role:tech\"",
            "$.roles[1].id",
            "the role `role:tech` is already listed at $.roles[0]",
        ),
        (
            "\"role\": \"role:tech\", \"at\": null",
            "\"role\": ¦\"role:chief\", \"at\": null",
            "$.assignments[1].role",
            "the role `role:chief` is not declared",
        ),
        (
            "\"subject\": \"role:tech\"",
            "\"subject\": ¦\"role:chief\"",
            "$.grants[0].subject",
            "the role `role:chief` is not declared",
        ),
        (
            "\"at\": {\"type\": \"site\", \"id\": \"s1\"}",
            "\"at\": {\"type\": ¦\"farm\", \"id\": \"s1\"}",
            "$.assignments[0].at.type",
            "not declared",
        ),
        (
            "\"at\": {\"type\": \"site\", \"id\": \"s1\"}",
            "\"at\": {\"type\": \"site\", \"id\": ¦\"*\"}",
            "$.assignments[0].at.id",
            "stands for many",
        ),
        (
            "\"type\": \"site\", \"id\": \"far\"",
            "\"type\": \"site\", \"id\": ¦\"\"",
            "$.grants[0].at.id",
            "empty",
        ),
        ("\"session\": \"s-9\"", "\"session\": ¦\"\"", "$.grants[0].session", "empty"),
    ]);
}
