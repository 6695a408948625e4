//! Plans and rows that cannot be adopted: each is refused with its line and the way out, and nothing of it is written.

use crate::support::{database, migrated, run};
use postern_gateway::adopt::{self, Meter, Plan};
use postern_gateway::store::adopt::source::Source;
use postern_gateway::store::import::import;
use postern_world::World;
use sqlx::{Connection, PgConnection};

/// A plan that is right, line by line.
const GOOD: &str = r#"format = "postern-adopt/1"
name = "good"
organization = "acme"

[[query]]
name = "people"
sql = "SELECT id, name, live, team, until FROM person"
key = ["id"]

[[query.subject]]
id = "user:{id}"
active = "{live}"
expires_at = "{until}"

[[query.resource]]
type = "site"
id = "{id}"
owner = "user:{id}"

[[query.edge]]
child = { type = "site", id = "{id}" }
parent = { type = "site", id = "{id}" }
relation = "ref"
cap = ["read"]

[[query.role]]
id = "role:organization:{id}"
name = "{name}"
permissions = [
    { when = { name = "*admin" }, list = ["site:*"] },
    { list = ["site:read"] },
]

[[query.assignment]]
when = { team = { null = false } }
subject = "user:{id}"
role = "role:organization:{id}"
at = { type = "site", id = "{id}" }

[[query.grant]]
subject = "user:{id}"
permissions = ["site:read"]
"#;

#[test]
fn a_damaged_plan_is_refused_with_its_line_and_the_way_out() {
    Plan::parse(GOOD).unwrap();
    let cases = [
        (
            "format = \"postern-adopt/1\"\n",
            "",
            "1: `format` is missing in the plan: add `format = \"postern-adopt/1\"`",
        ),
        ("postern-adopt/1", "postern-adopt/2", "1: `format` must be \"postern-adopt/1\""),
        (
            "name = \"good\"",
            "name = good",
            "2: this is no TOML: string values must be quoted, expected literal string",
        ),
        (
            "name = \"good\"",
            "name = \" good\"",
            "2: `name` of the plan has 1 to 200 bytes, without spaces around",
        ),
        (
            "organization = \"acme\"",
            "organization = 7",
            "3: `organization` of the plan is a text in quotes, not a TOML integer",
        ),
        ("[[query]]", "[query]", "5: `query` of the plan is written as [[query]], with double brackets"),
        ("name = \"people\"\n", "", "5: `name` is missing in [[query]]: add `name = \"users\"`"),
        (
            "key = [\"id\"]\n",
            "",
            "5: `key` is missing in [[query]]: add `key = [\"id\"]`: the columns that tell its rows apart",
        ),
        ("key = [\"id\"]", "key = []", "8: `key` is empty: name the columns that tell the rows apart"),
        ("key = [\"id\"]", "key = [\"id\", \"id\"]", "8: `key` names a column twice"),
        (
            "[[query.subject]]",
            "[[query.subjects]]",
            "10: [[query]] has no member `subjects`: it has `name`, `sql`, `key`, `subject`, `alias`, `membership`, `resource`, `role`, `role_permission`, `edge`, `assignment`, `grant`",
        ),
        (
            "active = \"{live}\"",
            "live = \"{live}\"",
            "12: [[query.subject]] has no member `live`: it has `when`, `id`, `attributes`, `active`, `not_before`, `expires_at`",
        ),
        (
            "active = \"{live}\"",
            "active = \"{live\"",
            "12: `active` of [[query.subject]]: `{` without `}` after it; a brace itself is written `{{`",
        ),
        (
            "active = \"{live}\"",
            "active = \"live}\"",
            "12: `active` of [[query.subject]]: `}` without `{` before it; a brace itself is written `}}`",
        ),
        (
            "active = \"{live}\"",
            "active = \"{}\"",
            "12: `active` of [[query.subject]]: between braces stands the name of a column of the query: `{id}`",
        ),
        (
            "active = \"{live}\"",
            "active = 1.5",
            "12: `active` of [[query.subject]] is a text, a whole number, true or false, not a TOML float",
        ),
        (
            "parent = { type = \"site\", id = \"{id}\" }\n",
            "",
            "20: `parent` is missing in [[query.edge]]: add `parent = { type = \"site\", id = \"{site_id}\" }`",
        ),
        (
            "parent = { type = \"site\", id = \"{id}\" }",
            "parent = { type = \"site\" }",
            "22: `id` is missing in `parent` of [[query.edge]]: add `id = \"{site_id}\"`",
        ),
        ("relation = \"ref\"", "relation = \"share\"", "23: `relation` is \"auto\" or \"ref\""),
        ("relation = \"ref\"\n", "", "23: `cap` is of edges with `relation = \"ref\"` only"),
        ("cap = [\"read\"]", "cap = [\"site:read\"]", "24: `cap` lists actions: [\"read\", \"update\"]"),
        (
            "{ list = [\"site:read\"] }",
            "{ lists = [\"site:read\"] }",
            "31: `list` is missing in an entry of `permissions`: add `list = [\"session:read\"]`, or `list = []` for none",
        ),
        (
            "{ null = false }",
            "{ null = 1 }",
            "35: `null` of a condition is true or false, not a TOML integer",
        ),
        ("{ null = false }", "{ is = \"a\" }", "35: a condition has no member `is`: it has `not`, `null`"),
        (
            "at = { type = \"site\", id = \"{id}\" }",
            "at = \"site\"",
            "38: `at` of [[query.assignment]] is a table, not a TOML string",
        ),
        (
            "permissions = [\"site:read\"]\n",
            "",
            "40: `permissions` is missing in [[query.grant]]: add `permissions = [\"session:read\"]`",
        ),
        (
            "permissions = [\"site:read\"]\n",
            "permissions = [\"site:read\"]\neffect = \"deny\"\n",
            "43: `effect` is \"allow\" or \"exclude\"",
        ),
    ];
    for (right, wrong, message) in cases {
        assert_ne!(GOOD.replacen(right, wrong, 1), GOOD, "{right}");
        let error = Plan::parse(&GOOD.replacen(right, wrong, 1)).unwrap_err().to_string();
        assert_eq!(error, message);
    }
    let twice = format!(
        "{GOOD}\n[[query]]\nname = \"people\"\nsql = \"SELECT 1 AS id\"\nkey = [\"id\"]\nsubject = [{{ id = \"user:1\" }}]\n"
    );
    assert_eq!(
        Plan::parse(&twice).unwrap_err().to_string(),
        "44: another query in line 5 is called `people`: give each a name of its own"
    );
    let (nothing, _) = GOOD.split_once("[[query.subject]]").unwrap();
    assert_eq!(
        Plan::parse(nothing).unwrap_err().to_string(),
        "5: query `people` makes nothing of its rows: add one of `[[query.subject]]`, `[[query.alias]]`, \
         `[[query.membership]]`, `[[query.resource]]`, `[[query.role]]`, `[[query.role_permission]]`, `[[query.edge]]`, \
         `[[query.assignment]]`, `[[query.grant]]`"
    );
}

const PEOPLE: &str = "
    CREATE TABLE person (id bigint, name text, live text, team text, until timestamptz, place point);
    INSERT INTO person VALUES (1, 'ann', 'true', 'a', NULL, NULL), (2, 'bob admin', 'f', NULL, '2030-01-01', NULL),
        (3, 'cleo', '1', 'b', '2030-01-01 10:00:00.25+02', NULL);";

const CATALOG: &str = r#"{"format": "postern-world/1", "organization": "acme", "revision": 1,
    "catalog": {"types": {"site": {"scope": true}}, "permissions": {"site:read": {}}}, "subjects": [], "memberships": [],
    "resources": [], "roles": [], "assignments": [], "grants": []}"#;

/// What a plan makes of the people after a change of them, or why not.
async fn adopted(sql: &str, plan: &str) -> Result<(u64, PgConnection), (String, PgConnection)> {
    let source_url = database("template1").await;
    let mut people = PgConnection::connect(&source_url).await.unwrap();
    run(&mut people, PEOPLE).await;
    run(&mut people, sql).await;
    let (_, mut target) = migrated().await;
    import(&mut target, &World::parse(CATALOG.as_bytes()).unwrap(), false).await.unwrap();
    let plan = Plan::parse(plan).unwrap();
    let mut source = Source::open(&source_url).await.unwrap();
    let mut tell = |_: &Meter| Ok(());
    let done = adopt::adopt(&plan, &mut target, &mut source, 2, &mut tell).await;
    match done {
        Ok(done) => Ok((done.created, target)),
        Err(error) => {
            assert!(error.is_input() || error.to_string().contains("the source"), "{error:?}");
            Err((error.to_string(), target))
        }
    }
}

#[tokio::test]
async fn a_row_that_is_no_fact_is_named() {
    let Ok((created, mut target)) = adopted("", GOOD).await else { panic!("the good plan is refused") };
    // Subjects, resources, edges, roles with a permission each, assignments but Bob's, grants with a permission each.
    assert_eq!(created, 3 + 3 + 3 + 6 + 2 + 6);
    let bob: (bool, String) = sqlx::query_as(
        "SELECT active, expires_at::text FROM subjects WHERE subject_id = 'user:2' AND expires_at = '2030-01-01Z'",
    )
    .fetch_one(&mut target)
    .await
    .unwrap();
    assert!(!bob.0);

    let site = "child = { type = \"site\", id = \"{id}\" }";
    let cases = [
        (
            "",
            "SELECT id,",
            "SELECT id AS number,",
            "8: query `people` has no column `id`: it has `number`, `name`, `live`, `team`, `until`",
        ),
        (
            "",
            "key = [\"id\"]",
            "key = [\"nobody\"]",
            "8: query `people` has no column `nobody`: it has `id`, `name`, `live`, `team`, `until`",
        ),
        (
            "",
            "owner = \"user:{id}\"",
            "owner = \"user:{chief}\"",
            "18: query `people` has no column `chief`: it has `id`, `name`, `live`, `team`, `until`",
        ),
        (
            "ALTER TABLE person ALTER id TYPE jsonb USING to_jsonb(id)",
            "",
            "",
            "8: `key`: column `id` of query `people` is of type jsonb, whose order pages cannot follow: use columns of numbers, UUIDs, texts or times",
        ),
        (
            "INSERT INTO person VALUES (3, 'dan', 'f', NULL, NULL)",
            "",
            "",
            "5: query `people`, row id=3: two rows have this key, so that one could be missed: add columns to `key` until it is unique",
        ),
        (
            "INSERT INTO person VALUES (NULL, 'dan', 'f', NULL, NULL)",
            "",
            "",
            "5: query `people`: 1 of its rows have NULL in `id`, a column of the key: leave them out in the SQL, or choose another `key`",
        ),
        (
            "UPDATE person SET live = 'gone' WHERE id = 2",
            "",
            "",
            "12: query `people`, row id=2: `active`: `gone` is neither true nor false: compare it in the query, as in `status = 'active' AS active`",
        ),
        (
            "UPDATE person SET live = NULL WHERE id = 2",
            "",
            "",
            "12: query `people`, row id=2: `active` needs column `live`, which is NULL: leave such rows out with `when = { live = { null = false } }`",
        ),
        (
            "UPDATE person SET until = 'infinity' WHERE id = 3",
            "",
            "",
            "13: query `people`, row id=3: `expires_at`: `infinity` is no moment: select a `timestamptz`, and NULL where there is none (`NULLIF(until, 'infinity')`)",
        ),
        (
            "",
            "at = { type = \"site\", id = \"{id}\" }",
            "at = { type = \"site\", id = \"{team}\" }\nnot_before = \"{until}\"",
            "",
        ),
        (
            "",
            "when = { team = { null = false } }\n",
            "when = { name = { not = \"ann\" } }\nexpires_at = \"{until}\"\nactive = \"{team}\"\n",
            "37: query `people`, row id=2: `active` needs column `team`, which is NULL: leave such rows out with `when = { team = { null = false } }`",
        ),
        (
            "",
            "subject = \"user:{id}\"\nrole",
            "subject = \"{name}\"\nrole",
            "36: query `people`, row id=1: `subject`: `ann` is neither a subject (<type>:<id>) nor `user:all`",
        ),
        (
            "",
            "owner = \"user:{id}\"",
            "owner = \"user:all\"",
            "18: query `people`, row id=1: `owner`: `user:all` is no subject: it is written <type>:<id>, as in \"user:{id}\"",
        ),
        (
            "",
            "{ list = [\"site:read\"] }",
            "{ when = { name = \"x\" }, list = [\"site:read\"] }",
            "26: query `people`, row id=1: no entry of `permissions` is for this row: end the list with an entry that has no `when`",
        ),
        (
            "",
            "{ list = [\"site:read\"] }",
            "{ list = [\"{name}\"] }",
            "31: query `people`, row id=1: `permissions`: `ann` is no permission: it is written <type>:<action>, <type>:* or *",
        ),
        (
            "",
            "{ list = [\"site:read\"] }",
            "{ list = [\"site:paint\"] }",
            "5: query `people`, rows 1 to 2: the facts were refused, and none of this batch was written: insert or update on table \"role_permissions\" violates foreign key constraint \"role_permissions_permission_fkey\" (Key (organization_id, permission_key)=(acme, site:paint) is not present in table \"permissions\".); declare the permission in the organization's catalog",
        ),
        (
            "",
            "type = \"site\"\nid",
            "type = \"hall\"\nid",
            "5: query `people`, rows 1 to 2: the facts were refused, and none of this batch was written: insert or update on table \"resources\" violates foreign key constraint \"resources_type_fkey\" (Key (organization_id, resource_type)=(acme, hall) is not present in table \"resource_types\".); declare the type in the organization's catalog",
        ),
        (
            "",
            site,
            "child = { type = \"site\", id = \"x{id}\" }",
            "5: query `people`, rows 1 to 2: the facts were refused, and none of this batch was written: insert or update on table \"resource_parents\" violates foreign key constraint \"resource_parents_child_fkey\" (Key (organization_id, child_type, child_id)=(acme, site, x1) is not present in table \"resources\".); a query before this one has to make the resource, or leave the edge out with a JOIN",
        ),
        (
            "UPDATE person SET name = repeat('n', 600) WHERE id = 3",
            "owner = \"user:{id}\"",
            "owner = \"user:{name}\"",
            "18: query `people`, row id=3: `owner`: an id of 605 bytes is longer than the 512 that the database takes",
        ),
        ("DROP TABLE person", "", "", "the source, query `people`: relation \"person\" does not exist"),
    ];
    for (sql, right, wrong, message) in cases {
        let plan = GOOD.replacen(right, wrong, 1);
        let (mut target, at_most) = match adopted(sql, &plan).await {
            Ok((_, target)) => {
                assert_eq!(message, "", "{plan}");
                (target, 3)
            }
            Err((error, target)) => {
                assert_eq!(error, message);
                // A batch before the row may be there, whole.
                (target, if message.contains("id=3") { 2 } else { 0 })
            }
        };
        let subjects: i64 =
            sqlx::query_scalar("SELECT count(*) FROM subjects").fetch_one(&mut target).await.unwrap();
        let roles: i64 =
            sqlx::query_scalar("SELECT count(*) FROM roles").fetch_one(&mut target).await.unwrap();
        assert!(subjects == roles && subjects <= at_most, "{message}: {subjects} subjects");
    }
}

#[tokio::test]
async fn what_cannot_begin_says_what_to_do() {
    let (_, mut target) = migrated().await;
    let source_url = database("template1").await;
    run(&mut PgConnection::connect(&source_url).await.unwrap(), PEOPLE).await;
    let mut source = Source::open(&source_url).await.unwrap();
    let plan = Plan::parse(GOOD).unwrap();
    let mut tell = |_: &Meter| Ok(());
    let error = adopt::adopt(&plan, &mut target, &mut source, 2, &mut tell).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "there is no organization `acme`: make it with `postern world import` of a document with its catalog, then adopt"
    );
    // What a plan runs as SQL is read only.
    let writing = GOOD.replace("FROM person\"", "FROM gone()\"");
    run(
        &mut PgConnection::connect(&source_url).await.unwrap(),
        "CREATE FUNCTION gone() RETURNS SETOF person LANGUAGE sql AS 'DELETE FROM person RETURNING *'",
    )
    .await;
    import(&mut target, &World::parse(CATALOG.as_bytes()).unwrap(), false).await.unwrap();
    let plan = Plan::parse(&writing).unwrap();
    let error = adopt::adopt(&plan, &mut target, &mut source, 2, &mut tell).await.unwrap_err();
    assert!(error.to_string().contains("cannot execute DELETE in a read-only transaction"), "{error}");
}
