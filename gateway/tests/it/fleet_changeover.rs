//! A fleet changes over: its old tables are adopted, the old program writes both while readers move, and it can go back
//! at every moment, in every order.

use crate::flow::exported;
use crate::support::{Answer, call, config, database, migrated, run, writing_key};
use postern_gateway::adopt::{self, AdoptError, Adopted, Compared, Meter, Plan};
use postern_gateway::app::Gateway;
use postern_gateway::config::Config;
use postern_gateway::store::adopt::source::Source;
use postern_world::World;
use serde_json::{Value, json};
use sqlx::{Connection, PgConnection};
use std::io;

const ORGANIZATION: &str = "northern-hash";

fn example(path: &str) -> String {
    std::fs::read_to_string(format!("{}/../examples/adopt/fleet/{path}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

/// Where the old tables are: in a database of their own, or in a schema beside the facts.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Old {
    Elsewhere,
    Beside,
}

/// Old tables, facts, and a gateway that brought the built-in roles.
struct Fleet {
    old: Old,
    source_url: String,
    /// On the old tables.
    legacy: PgConnection,
    url: String,
    facts: PgConnection,
    gateway: Gateway,
    key: String,
    plan: Plan,
}

impl Fleet {
    async fn new(old: Old) -> Fleet {
        let (url, mut facts) = migrated().await;
        let source_url = match old {
            Old::Elsewhere => database("template1").await,
            Old::Beside => {
                run(&mut facts, "CREATE SCHEMA legacy").await;
                format!("{url}?options=-c%20search_path%3Dlegacy")
            }
        };
        let mut legacy = PgConnection::connect(&source_url).await.unwrap();
        run(&mut legacy, &example("schema.sql")).await;
        // Somebody whose membership has ended, and an organization that has.
        let ended = "INSERT INTO \"user\" (id, username) VALUES (41, 'user41@northern.example');
            INSERT INTO user_organization VALUES (41, 1, 2, now());
            UPDATE organization SET deleted_at = now() WHERE id = 2";
        run(&mut legacy, ended).await;
        let organizations =
            "INSERT INTO organizations (organization_id) VALUES ('northern-hash'), ('somebody-else')";
        run(&mut facts, organizations).await;
        let catalog =
            World::parse(example("world.json").as_bytes()).unwrap_or_else(|error| panic!("{error}"));
        let gateway = Gateway::start(Config { catalog, ..config() }, &url).await.unwrap();
        // Who installed it, so that there is a super admin whatever is taken back.
        let installed =
            "INSERT INTO subjects (organization_id, subject_id) VALUES ('northern-hash', 'user:installer');
            INSERT INTO assignments (organization_id, subject_id, role_id)
                VALUES ('northern-hash', 'user:installer', 'role:system:SUPER_ADMIN')";
        run(&mut facts, installed).await;
        let key = writing_key(&mut facts, ORGANIZATION, None).await;
        let plan = Plan::parse(&example("plan.toml")).unwrap();
        Fleet { old, source_url, legacy, url, facts, gateway, key, plan }
    }

    /// Adopts; `rows`: is interrupted once more than so many were read.
    async fn adopt(&mut self, rows: Option<usize>) -> Result<Adopted, AdoptError> {
        let mut source = Source::open(&self.source_url).await.unwrap();
        let mut target = PgConnection::connect(&self.url).await.unwrap();
        let mut told = 0;
        let mut tell = |_: &Meter| {
            told += 1;
            match rows {
                Some(rows) if told > rows => Err(io::Error::other("interrupted")),
                _ => Ok(()),
            }
        };
        let adopted = adopt::adopt(&self.plan, &mut target, &mut source, 10, &mut tell).await;
        source.close().await;
        target.close().await.unwrap();
        adopted
    }

    /// Takes back; `after`: is interrupted after so many steps.
    async fn revert(&mut self, after: Option<usize>) -> Result<(), AdoptError> {
        let mut target = PgConnection::connect(&self.url).await.unwrap();
        let mut told = 0;
        let mut tell = |_: &str, _| {
            told += 1;
            match after {
                Some(after) if told > after => Err(io::Error::other("interrupted")),
                _ => Ok(()),
            }
        };
        let reverted = adopt::revert(&self.plan, &mut target, 10, &mut tell).await;
        target.close().await.unwrap();
        reverted.map(drop)
    }

    /// Whether the facts are what the old tables say, row by row; and on how many decisions they disagree.
    async fn verified(&mut self) -> (bool, u64) {
        let mut source = Source::open(&self.source_url).await.unwrap();
        let mut tell = |_: &Meter| Ok(());
        let compared = adopt::compare(&self.plan, &mut self.facts, &mut source, 50, &mut tell).await.unwrap();
        let now = postern_gateway::clock::now_micros();
        let checked = adopt::decide(&self.plan, &mut self.facts, &mut source, now).await.unwrap();
        source.close().await;
        (compared.iter().all(Compared::agrees), checked.iter().map(|check| check.disagree).sum())
    }

    async fn facts(&self) -> String {
        let document = exported(&self.url, ORGANIZATION).await;
        document.lines().filter(|line| !line.contains("\"revision\"")).collect::<Vec<_>>().join("\n")
    }

    /// Everything in the old tables.
    async fn old_rows(&mut self) -> Vec<String> {
        let mut rows = Vec::new();
        for table in [
            "organization",
            "\"user\"",
            "role",
            "user_organization",
            "site",
            "site_technician",
            "rack",
            "device",
        ] {
            let sql = format!("SELECT '{table} ' || t::text FROM {table} AS t ORDER BY 1");
            let found: Vec<String> =
                sqlx::query_scalar(sqlx::AssertSqlSafe(sql)).fetch_all(&mut self.legacy).await.unwrap();
            rows.extend(found);
        }
        rows
    }

    async fn manage(&self, method: &str, path: &str, body: Value) -> Answer {
        let bearer = format!("Bearer {}", self.key);
        let headers =
            [("authorization", bearer.as_str()), ("content-type", "application/json"), ("if-match", "*")];
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let path = format!("/v1/organizations/{ORGANIZATION}/{path}");
        let answer = call(self.gateway.address(), method, &path, &headers, &body).await;
        assert!(answer.status.is_success(), "{path}: {answer:?}");
        answer
    }

    /// The old program writes what changes in both: in one transaction where it can, else the one after the other.
    async fn writes(&mut self, old: &str, facts: &str, calls: &[(&str, String, Value)]) {
        match self.old {
            Old::Beside => {
                let old = format!("SET LOCAL search_path = legacy; {old}");
                let facts = format!("SET LOCAL search_path = public; {facts}");
                run(&mut self.facts, &format!("BEGIN; {old}; {facts}; COMMIT")).await;
            }
            Old::Elsewhere => {
                run(&mut self.legacy, old).await;
                for (method, path, body) in calls {
                    self.manage(method, path, body.clone()).await;
                }
            }
        }
    }

    /// Somebody joins with a role in the whole organization.
    async fn onboards(&mut self, id: u32, role: &str) {
        let name = format!("user{id}@northern.example");
        let number = if role == "ADMIN" { 2 } else { 1 };
        let old = format!(
            "INSERT INTO \"user\" (id, username) VALUES ({id}, '{name}');
             INSERT INTO user_organization (user_id, organization_id, role_id) VALUES ({id}, 1, {number})"
        );
        let facts = format!(
            "INSERT INTO subjects (organization_id, subject_id) VALUES ('{ORGANIZATION}', 'user:{id}');
             INSERT INTO subject_aliases (organization_id, alias_id, subject_id) VALUES ('{ORGANIZATION}', 'user:{name}', 'user:{id}');
             INSERT INTO assignments (organization_id, subject_id, role_id)
                VALUES ('{ORGANIZATION}', 'user:{id}', 'role:system:{role}')"
        );
        let subject = json!({"id": format!("user:{id}"), "aliases": [name]});
        let held =
            json!({"subject": format!("user:{id}"), "role": format!("role:system:{role}"), "at": null});
        let calls = [("POST", "subjects".to_owned(), subject), ("POST", "assignments".to_owned(), held)];
        self.writes(&old, &facts, &calls).await;
    }

    /// An admin becomes a super admin.
    async fn promotes(&mut self, id: u32) {
        let held = self.held(id).await;
        let old =
            format!("UPDATE user_organization SET role_id = 1 WHERE user_id = {id} AND organization_id = 1");
        let facts = format!(
            "DELETE FROM assignments WHERE subject_id = 'user:{id}' AND at_id IS NULL;
             INSERT INTO assignments (organization_id, subject_id, role_id)
                VALUES ('{ORGANIZATION}', 'user:{id}', 'role:system:SUPER_ADMIN')"
        );
        let new = json!({"subject": format!("user:{id}"), "role": "role:system:SUPER_ADMIN", "at": null});
        let calls = [("POST", "assignments".to_owned(), new), ("DELETE", held, Value::Null)];
        self.writes(&old, &facts, &calls).await;
    }

    /// The membership of an admin ends.
    async fn leaves(&mut self, id: u32) {
        let held = self.held(id).await;
        let old = format!(
            "UPDATE user_organization SET deleted_at = now() WHERE user_id = {id} AND organization_id = 1"
        );
        let facts = format!("DELETE FROM assignments WHERE subject_id = 'user:{id}' AND at_id IS NULL");
        self.writes(&old, &facts, &[("DELETE", held, Value::Null)]).await;
    }

    /// Somebody is deactivated.
    async fn deactivates(&mut self, id: u32) {
        let old = format!("UPDATE \"user\" SET deleted_at = now() WHERE id = {id}");
        let facts = format!("UPDATE subjects SET active = false WHERE subject_id = 'user:{id}'");
        let subject =
            json!({"aliases": [format!("user{id}@northern.example")], "attributes": {}, "active": false});
        self.writes(&old, &facts, &[("PUT", format!("subjects/user:{id}"), subject)]).await;
    }

    /// The path of the assignment that somebody has in the whole organization.
    async fn held(&mut self, id: u32) -> String {
        let sql = "SELECT assignment_id::text FROM assignments WHERE subject_id = $1 AND at_id IS NULL";
        let held: String =
            sqlx::query_scalar(sql).bind(format!("user:{id}")).fetch_one(&mut self.facts).await.unwrap();
        format!("assignments/{held}")
    }

    /// Takes away what the program wrote and no plan made.
    async fn takes_back_its_own(&mut self) {
        let own = "adoption_rule_id IS NULL AND subject_id <> 'user:installer'";
        let sql =
            format!("BEGIN; DELETE FROM assignments WHERE {own}; DELETE FROM subjects WHERE {own}; COMMIT");
        run(&mut self.facts, &sql).await;
    }

    /// What happens while both are written: `first` and the next are new people.
    async fn time_passes(&mut self, first: u32) {
        self.onboards(first, "ADMIN").await;
        self.onboards(first + 1, "SUPER_ADMIN").await;
    }
}

/// The steps of going back.
#[derive(Clone, Copy, Debug)]
enum Back {
    /// The plan's facts.
    Plan,
    /// The plan's facts, but interrupted in the middle.
    HalfOfPlan,
    /// What the program wrote.
    Own,
}

async fn changes_over(old: Old) {
    let mut fleet = Fleet::new(old).await;
    let start = fleet.facts().await;
    // Every organization has its three roles, also one that has ended; and nothing else is there of that.
    let roles =
        "SELECT organization_id || ' ' || role_id FROM roles WHERE builtin_key IS NOT NULL ORDER BY 1";
    let roles: Vec<String> = sqlx::query_scalar(roles).fetch_all(&mut fleet.facts).await.unwrap();
    assert_eq!(roles.len(), 6, "{roles:?}");

    // The backfill, interrupted in the middle, and taken back from there.
    let old_rows = fleet.old_rows().await;
    let interrupted = fleet.adopt(Some(20)).await.unwrap_err();
    assert!(interrupted.to_string().contains("interrupted"), "{interrupted}");
    assert_ne!(fleet.facts().await, start);
    fleet.revert(None).await.unwrap();
    assert_eq!(fleet.facts().await, start);
    // And whole: interrupted again, and gone on with.
    fleet.adopt(Some(20)).await.unwrap_err();
    let adopted = fleet.adopt(None).await.unwrap();
    assert!(adopted.resumed);
    assert_eq!(fleet.verified().await, (true, 0));
    assert_eq!(fleet.old_rows().await, old_rows);
    // Only live memberships were taken over, and nothing of an organization that has ended.
    let taken =
        "SELECT count(*) FROM assignments WHERE subject_id = 'user:41' OR organization_id = 'somebody-else'";
    let taken: i64 = sqlx::query_scalar(taken).fetch_one(&mut fleet.facts).await.unwrap();
    assert_eq!(taken, 0);

    // Both are written, and stay the same; the plan finds nothing to do.
    fleet.time_passes(50).await;
    fleet.promotes(3).await;
    fleet.leaves(4).await;
    fleet.deactivates(5).await;
    assert_eq!(fleet.verified().await, (true, 0));
    assert_eq!(fleet.adopt(None).await.unwrap().created, 0);
    assert_eq!(fleet.verified().await, (true, 0));

    // What was written to one side only is found: by its row, or by what it lets somebody do.
    let only_old = "UPDATE user_organization SET deleted_at = now() WHERE user_id = 6";
    run(&mut fleet.legacy, only_old).await;
    let (rows, decisions) = fleet.verified().await;
    assert!(!rows && decisions > 0);
    run(&mut fleet.legacy, "UPDATE user_organization SET deleted_at = NULL WHERE user_id = 6").await;
    assert_eq!(fleet.verified().await, (true, 0));
    let only_facts = "INSERT INTO assignments (organization_id, subject_id, role_id)
        VALUES ('northern-hash', 'user:12', 'role:system:ADMIN')";
    run(&mut fleet.facts, only_facts).await;
    assert!(fleet.verified().await.1 > 0);
    run(&mut fleet.facts, "DELETE FROM assignments WHERE subject_id = 'user:12' AND at_id IS NULL").await;
    assert_eq!(fleet.verified().await, (true, 0));

    // Back, in every order, and forward again: the old tables had everything all along.
    let orders: [&[Back]; 4] = [
        &[Back::Plan, Back::Own],
        &[Back::Own, Back::Plan],
        &[Back::HalfOfPlan, Back::Own, Back::Plan],
        &[Back::HalfOfPlan, Back::Plan, Back::Own],
    ];
    for (round, order) in (0..).zip(orders) {
        let (now, old_rows) = (fleet.facts().await, fleet.old_rows().await);
        for step in order {
            match step {
                Back::Plan => fleet.revert(None).await.unwrap(),
                Back::HalfOfPlan => {
                    let interrupted = fleet.revert(Some(2)).await.unwrap_err();
                    assert!(interrupted.to_string().contains("interrupted"), "{interrupted}");
                    let facts = fleet.facts().await;
                    assert!(facts != now && facts != start, "in the middle");
                }
                Back::Own => fleet.takes_back_its_own().await,
            }
            assert_eq!(fleet.old_rows().await, old_rows, "{order:?}");
        }
        assert_eq!(fleet.facts().await, start, "{order:?}");
        fleet.adopt(None).await.unwrap();
        assert_eq!(fleet.facts().await, now, "{order:?}");
        assert_eq!(fleet.verified().await, (true, 0), "{order:?}");
        // So that there is something of its own to take back.
        fleet.time_passes(60 + round * 2).await;
        assert_eq!(fleet.verified().await, (true, 0), "{order:?}");
    }

    // Enforced: the last who joined, and who was narrowed before all this.
    let key = crate::support::api_key(&mut fleet.facts, ORGANIZATION).await;
    let bearer = format!("Bearer {key}");
    let now = crate::support::revision(&mut fleet.facts, ORGANIZATION).await;
    let token = postern_gateway::consistency::token(ORGANIZATION, now);
    let headers = [
        ("authorization", bearer.as_str()),
        ("content-type", "application/json"),
        ("postern-at-least", token.to_str().unwrap()),
    ];
    for (subject, sites) in
        [("66", json!(["1", "2", "3", "4"])), ("2", json!(["2", "3", "4"])), ("4", json!([]))]
    {
        let body = json!({"subject": {"type": "user", "id": subject}, "action": {"name": "manage"}, "resource": {"type": "site"}});
        let path = format!("/orgs/{ORGANIZATION}/access/v1/search/resource");
        let answer = call(fleet.gateway.address(), "POST", &path, &headers, &body.to_string()).await;
        let answer = answer.json();
        let ids: Vec<&Value> =
            answer["results"].as_array().unwrap().iter().map(|found| &found["id"]).collect();
        assert_eq!(json!(ids), sites, "{subject}");
    }
    fleet.gateway.stop().await.unwrap();
}

#[tokio::test]
async fn tables_of_another_database_change_over_and_back() {
    changes_over(Old::Elsewhere).await;
}

#[tokio::test]
async fn tables_beside_the_facts_change_over_in_one_transaction_each() {
    changes_over(Old::Beside).await;
}
