//! `postern adopt`: plans on databases that are not ours.

use crate::support::{api_key, config, database, get, migrated, revision, run};
use postern_gateway::adopt::{self, AdoptError, Adopted, Compared, Meter, Plan};
use postern_gateway::app::Gateway;
use postern_gateway::cli::{WorldExportArgs, world_export};
use postern_gateway::config::DatabaseArgs;
use postern_gateway::store::adopt::source::Source;
use postern_gateway::store::import::import;
use postern_world::World;
use sqlx::{Connection, PgConnection};
use std::path::PathBuf;

fn example(path: &str) -> String {
    std::fs::read_to_string(format!("{}/../examples/adopt/{path}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

fn world(text: &str) -> World {
    World::parse(text.as_bytes()).unwrap_or_else(|error| panic!("{error}"))
}

/// A source and a database with an organization in it.
struct Adoption {
    source_url: String,
    source: PgConnection,
    url: String,
    target: PgConnection,
}

impl Adoption {
    async fn of(schema: &str, catalog: &str) -> Adoption {
        let source_url = database("template1").await;
        let mut source = PgConnection::connect(&source_url).await.unwrap();
        run(&mut source, schema).await;
        let (url, mut target) = migrated().await;
        import(&mut target, &world(catalog), false).await.unwrap();
        Adoption { source_url, source, url, target }
    }

    async fn example(name: &str) -> Adoption {
        Adoption::of(&example(&format!("{name}/schema.sql")), &example(&format!("{name}/world.json"))).await
    }

    async fn adopt(&mut self, plan: &str, batch: usize) -> Result<Adopted, AdoptError> {
        let plan = Plan::parse(plan)?;
        let mut target = PgConnection::connect(&self.url).await.unwrap();
        let mut source = Source::open(&self.source_url).await.unwrap();
        let mut tell = |_: &Meter| Ok(());
        let adopted = adopt::adopt(&plan, &mut target, &mut source, batch, &mut tell).await;
        source.close().await;
        target.close().await.unwrap();
        adopted
    }

    async fn compare(&mut self, plan: &str) -> Vec<Compared> {
        let plan = Plan::parse(plan).unwrap();
        let mut source = Source::open(&self.source_url).await.unwrap();
        let mut tell = |_: &Meter| Ok(());
        adopt::compare(&plan, &mut self.target, &mut source, 7, &mut tell).await.unwrap()
    }

    /// How many decisions of the plan's checks were compared, and on how many they disagree.
    async fn decide(&mut self, plan: &str) -> (u64, u64, Vec<String>) {
        let plan = Plan::parse(plan).unwrap();
        let mut source = Source::open(&self.source_url).await.unwrap();
        let now = postern_gateway::clock::now_micros();
        let checked = adopt::decide(&plan, &mut self.target, &mut source, now).await.unwrap();
        (
            checked.iter().map(|check| check.decisions).sum(),
            checked.iter().map(|check| check.disagree).sum(),
            checked.into_iter().flat_map(|check| check.samples).collect(),
        )
    }

    async fn revert(&mut self, plan: &str) -> Result<adopt::Reverted, AdoptError> {
        let plan = Plan::parse(plan)?;
        let mut target = PgConnection::connect(&self.url).await.unwrap();
        let reverted = adopt::revert(&plan, &mut target, 50, &mut |_, _| Ok(())).await;
        target.close().await.unwrap();
        reverted
    }

    /// The organization's facts as a document, without the revision.
    async fn export(&self) -> String {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("world.json");
        let args = WorldExportArgs {
            organization: "northern-hash".to_owned(),
            output: Some(file.clone()),
            database: DatabaseArgs {
                database_url: Some(self.url.clone()),
                data_dir: PathBuf::new(),
                pg_bin: None,
            },
        };
        world_export(args).await.unwrap();
        let text = std::fs::read_to_string(file).unwrap();
        text.lines().filter(|line| !line.contains("\"revision\"")).collect::<Vec<_>>().join("\n")
    }

    async fn number(&mut self, sql: &str) -> i64 {
        sqlx::query_scalar(sqlx::AssertSqlSafe(sql.to_owned())).fetch_one(&mut self.target).await.unwrap()
    }
}

#[tokio::test]
async fn the_fleet_is_enforced_narrowed_and_filtered() {
    let mut fleet = Adoption::example("fleet").await;
    let plan = example("fleet/plan.toml");
    let adopted = fleet.adopt(&plan, 17).await.unwrap();
    // 36 people with an alias each, 4 sites, 12 racks and 300 miners with their edges, 10 members, 27 technicians.
    let facts = 36 * 2 + 4 + 12 * 2 + 300 * 2 + 270 + 10 + 27;
    assert_eq!((adopted.created, adopted.kept, adopted.resumed, adopted.behind), (facts, 0, false, 0));
    assert_eq!(adopted.revision, revision(&mut fleet.target, "northern-hash").await);

    // The narrowing rule in SQL beside the resolver: 40 people, 4 sites, 2 permissions.
    assert_eq!(fleet.decide(&plan).await, (320, 0, vec![]));
    assert!(fleet.compare(&plan).await.iter().all(Compared::agrees));

    let key = api_key(&mut fleet.target, "northern-hash").await;
    let gateway = Gateway::start(config(), &fleet.url).await.unwrap();
    let ask = async |subject: &str, action: &str, path: &str| {
        let body = format!(
            r#"{{"subject": {{"type": "user", "id": "{subject}"}}, "action": {{"name": "{action}"}},
                "resource": {{"type": "site"}}}}"#
        );
        let bearer = format!("Bearer {key}");
        let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
        let path = format!("/orgs/northern-hash/access/v1/search/{path}");
        let answer = crate::support::call(gateway.address(), "POST", &path, &headers, &body).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        let json = answer.json();
        let mut ids: Vec<String> = json["results"]
            .as_array()
            .unwrap()
            .iter()
            .map(|item| item["id"].as_str().unwrap().to_owned())
            .collect();
        ids.sort();
        ids
    };
    assert_eq!(
        ask("user3@northern.example", "read", "resource").await,
        ["1", "2", "3", "4"],
        "an alias, everywhere"
    );
    assert_eq!(
        ask("2", "manage", "resource").await,
        ["2", "3", "4"],
        "an admin who is a technician at site 1"
    );
    assert_eq!(ask("11", "read", "resource").await, ["4"], "a technician at one site");
    assert_eq!(ask("10", "read", "resource").await, Vec::<String>::new(), "deleted, whatever is left");
    assert_eq!(get(gateway.address(), "/livez", &[]).await.status, 200);
    gateway.stop().await.unwrap();
}

/// BA-50 to BA-54: rights by the names of roles, edges from people and projects, and none of it twice.
#[tokio::test]
async fn sessions_get_the_rights_and_edges_of_their_migration() {
    let mut cluster = Adoption::example("sessions").await;
    let plan = example("sessions/plan.toml");
    let adopted = cluster.adopt(&plan, 100).await.unwrap();
    assert_eq!((adopted.behind, adopted.kept), (0, 0));
    let rights = "SELECT string_agg(permission, ' ' ORDER BY permission) FROM roles
        LEFT JOIN grants ON grants.role_id = roles.role_id LEFT JOIN grant_permissions USING (grant_id) WHERE name = ";
    let mut rights_of = async |name: &str| -> Option<String> {
        let sql = format!("{rights} '{name}'");
        sqlx::query_scalar(sqlx::AssertSqlSafe(sql)).fetch_one(&mut cluster.target).await.unwrap()
    };
    assert_eq!(rights_of("domain-default-member").await, None, "a domain is too wide for members");
    let group: String = "project-".to_owned() + &first_digits(&mut cluster.source, "group 1").await;
    assert_eq!(rights_of(&format!("{group}-member")).await.as_deref(), Some("session:read"));
    for all in [format!("{group}-admin"), "domain-default-admin".to_owned()] {
        assert_eq!(rights_of(&all).await.unwrap().split(' ').count(), 10, "{all}");
    }
    let edges = "SELECT count(*) FROM resource_parents WHERE child_type = 'session' AND relation = 'auto'";
    assert_eq!(cluster.number(edges).await, 5000);
    assert_eq!(cluster.decide(&plan).await, (4000, 0, vec![]));
    assert!(cluster.compare(&plan).await.iter().all(Compared::agrees));

    let before = revision(&mut cluster.target, "cluster").await;
    let again = cluster.adopt(&plan, 300).await.unwrap();
    assert_eq!((again.created, again.kept), (0, adopted.created));
    assert_eq!(revision(&mut cluster.target, "cluster").await, before, "nothing was written");

    let deleted = cluster.revert(&plan).await.unwrap();
    assert_eq!((deleted.deleted, deleted.left, deleted.others), (adopted.created, 0, 0));
    let left = "SELECT (SELECT count(*) FROM resources) + (SELECT count(*) FROM grants) + (SELECT count(*) FROM roles)
        + (SELECT count(*) FROM subjects) + (SELECT count(*) FROM adoptions) + (SELECT count(*) FROM adoption_rules)";
    assert_eq!(cluster.number(left).await, 0);
    // -1 where nobody has cleared a table, which a revert does that deleted many rows of it.
    let cleared =
        "SELECT count(*) FROM pg_class WHERE relname IN ('resource_parents', 'resources') AND reltuples >= 0";
    assert_eq!(cluster.number(cleared).await, 2);
}

async fn first_digits(connection: &mut PgConnection, text: &str) -> String {
    sqlx::query_scalar("SELECT left(md5($1), 8)").bind(text).fetch_one(connection).await.unwrap()
}

/// A little source, and plans on it.
const THINGS: &str = "
    CREATE TABLE thing (id uuid PRIMARY KEY, owner bigint, shared_with bigint, kind text NOT NULL, until timestamptz);
    CREATE TABLE pair (a bigint NOT NULL, b text NOT NULL, PRIMARY KEY (a, b));
    INSERT INTO thing SELECT md5(n::text)::uuid, n % 5, CASE WHEN n % 3 = 0 THEN n % 5 + 1 END, 'rack'
        FROM generate_series(1, 60) AS n;";

fn plan_of(name: &str, body: &str) -> String {
    format!("format = \"postern-adopt/1\"\nname = \"{name}\"\norganization = \"northern-hash\"\n{body}")
}

/// Things in the place of their owner, and shared with others by an edge that only lets them be read.
fn things() -> String {
    plan_of(
        "things",
        r#"
        [[query]]
        name = "sites"
        sql = "SELECT n FROM generate_series(0, 6) AS n"
        key = ["n"]
        [[query.resource]]
        type = "site"
        id = "{n}"

        [[query]]
        name = "things"
        sql = "SELECT id, owner, shared_with FROM thing"
        key = ["id"]
        [[query.resource]]
        type = "rack"
        id = "{id}"
        owner = "user:{owner}"
        [[query.edge]]
        when = { shared_with = { null = false } }
        child = { type = "rack", id = "{id}" }
        parent = { type = "site", id = "{shared_with}" }
        relation = "ref"
        cap = ["read"]
        [[query.edge]]
        child = { type = "rack", id = "{id}" }
        parent = { type = "site", id = "{owner}" }
        "#,
    )
}

/// BA-40: of one child and one parent, a share neither blocks ownership nor becomes it, whichever comes first.
#[tokio::test]
async fn a_share_neither_blocks_nor_escalates_ownership() {
    let mut fleet = Adoption::of(THINGS, &example("fleet/world.json")).await;
    run(&mut fleet.source, "UPDATE thing SET shared_with = owner").await;
    let plan = things();
    fleet.adopt(&plan, 9).await.unwrap();
    let both = "SELECT count(*) FROM (SELECT child_id FROM resource_parents WHERE child_type = 'rack'
        GROUP BY child_id, parent_id HAVING array_agg(relation ORDER BY relation) = '{auto,ref}') AS pairs";
    assert_eq!(fleet.number(both).await, 60);
    // Only shares, and ownership later; and the other way round.
    for first in ["ref", "auto"] {
        fleet.revert(&plan).await.unwrap();
        let row = "INSERT INTO resources (organization_id, resource_type, resource_id)
            SELECT 'northern-hash', 'site', n::text FROM generate_series(0, 6) AS n ON CONFLICT DO NOTHING;
            INSERT INTO resources (organization_id, resource_type, resource_id)
            SELECT 'northern-hash', 'rack', md5(n::text)::uuid::text FROM generate_series(1, 60) AS n ON CONFLICT DO NOTHING;
            DELETE FROM resource_parents;
            INSERT INTO resource_parents (organization_id, child_type, child_id, parent_type, parent_id, relation)
            SELECT 'northern-hash', 'rack', md5(n::text)::uuid::text, 'site', (n % 5)::text, 'RELATION'
            FROM generate_series(1, 60) AS n";
        run(&mut fleet.target, &row.replace("RELATION", first)).await;
        fleet.adopt(&plan, 9).await.unwrap();
        let with_cap = "SELECT count(*) FROM resource_parents WHERE relation = 'ref' AND cap = '{read}'";
        let auto = "SELECT count(*) FROM resource_parents WHERE relation = 'auto' AND cap = '{}'";
        assert_eq!((fleet.number(with_cap).await, fleet.number(auto).await), (60, 60), "{first} first");
    }
}

/// What another plan made and what people made stays, byte by byte, with where it comes from.
#[tokio::test]
async fn a_revert_takes_back_what_the_plan_made_and_nothing_else() {
    let mut fleet =
        Adoption::of(&format!("{}{THINGS}", example("fleet/schema.sql")), &example("fleet/world.json")).await;
    let (fleet_plan, things) = (example("fleet/plan.toml"), things());
    fleet.adopt(&fleet_plan, 40).await.unwrap();
    run(
        &mut fleet.target,
        "INSERT INTO resources (organization_id, resource_type, resource_id) VALUES ('northern-hash', 'rack', 'by hand');
         INSERT INTO resource_parents (organization_id, child_type, child_id, parent_type, parent_id)
             VALUES ('northern-hash', 'rack', 'by hand', 'site', '2');
         INSERT INTO assignments (organization_id, subject_id, role_id, at_type, at_id)
             VALUES ('northern-hash', 'user:77', 'role:system:ADMIN', 'site', '5')",
    )
    .await;
    let marks =
        "SELECT bit_xor(hashtextextended(concat_ws(' ', child_id, parent_id, relation, adoption_rule_id), 0))
        FROM resource_parents";
    let (before, marks_before) = (fleet.export().await, fleet.number(marks).await);
    let made = fleet.adopt(&things, 11).await.unwrap();
    // Sites 1 to 4 were there: they are the other plan's. 0, 5 and 6 are new.
    assert_eq!((made.created, made.kept), (3 + 60 + 60 + 20, 4));
    assert_ne!(fleet.export().await, before);
    let reverted = fleet.revert(&things).await.unwrap();
    assert_eq!((reverted.deleted, reverted.left, reverted.others), (143, 0, 0));
    assert_eq!(fleet.export().await, before);
    assert_eq!(fleet.number(marks).await, marks_before);
    let error = fleet.revert(&things).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "nothing is known of a plan `things` in organization `northern-hash`: there is nothing to take back"
    );
    assert_eq!(fleet.export().await, before);
}

#[tokio::test]
async fn what_people_changed_or_build_on_is_left_and_counted() {
    let mut fleet = Adoption::of(THINGS, &example("fleet/world.json")).await;
    let plan = things();
    let made = fleet.adopt(&plan, 100).await.unwrap();
    run(
        &mut fleet.target,
        "UPDATE resources SET owner_id = 'user:ann' WHERE resource_id = md5('1')::uuid::text;
         DELETE FROM resource_parents WHERE child_id = md5('2')::uuid::text;
         INSERT INTO resources (organization_id, resource_type, resource_id) VALUES ('northern-hash', 'rack', 'by hand');
         INSERT INTO resource_parents (organization_id, child_type, child_id, parent_type, parent_id)
             VALUES ('northern-hash', 'rack', 'by hand', 'site', '6');
         INSERT INTO roles (organization_id, role_id, name, scope_type, scope_id)
             VALUES ('northern-hash', 'role:of-5', 'Of site 5', 'site', '5')",
    )
    .await;
    let reverted = fleet.revert(&plan).await.unwrap();
    // Site 6 carries an edge made by hand and site 5 a role; thing 1 is somebody's now, and the edge of thing 2 was deleted.
    assert_eq!((reverted.deleted, reverted.left, reverted.others), (made.created - 4, 2, 2));
    let there =
        "SELECT count(*) FROM resources WHERE resource_id IN ('5', '6', 'by hand', md5('1')::uuid::text)";
    assert_eq!(fleet.number(there).await, fleet.number("SELECT count(*) FROM resources").await);
    run(&mut fleet.target, "DELETE FROM resource_parents; DELETE FROM roles WHERE scope_id = '5'").await;
    let reverted = fleet.revert(&plan).await.unwrap();
    assert_eq!((reverted.deleted, reverted.left, reverted.others), (2, 0, 0));
    assert_eq!(fleet.number("SELECT count(*) FROM adoptions").await, 0);
}

/// Rows that come while the plan runs: before the key that was read last as well as after it, and rows that name others
/// which an earlier query did not find yet.
#[tokio::test]
async fn a_source_that_grows_is_adopted_whole() {
    let mut fleet = Adoption::of(THINGS, &example("fleet/world.json")).await;
    let plan = plan_of(
        "growing",
        r#"
        [[query]]
        name = "sites"
        sql = "SELECT DISTINCT owner FROM thing"
        key = ["owner"]
        [[query.resource]]
        type = "site"
        id = "{owner}"
        [[query]]
        name = "things"
        sql = "SELECT id, owner FROM thing"
        key = ["id"]
        [[query.resource]]
        type = "rack"
        id = "{id}"
        [[query.edge]]
        child = { type = "rack", id = "{id}" }
        parent = { type = "site", id = "{owner}" }
        "#,
    );
    let parsed = Plan::parse(&plan).unwrap();
    let mut target = PgConnection::connect(&fleet.url).await.unwrap();
    let mut source = Source::open(&fleet.source_url).await.unwrap();
    let url = fleet.source_url.clone();
    // Every batch of the first thirty sees new rows, each with an owner that was never seen.
    let (sender, receiver) = std::sync::mpsc::channel::<()>();
    let writer = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut connection = PgConnection::connect(&url).await.unwrap();
            for n in 0..30 {
                if receiver.recv().is_err() {
                    return;
                }
                let sql =
                    format!("INSERT INTO thing VALUES (md5('new {n}')::uuid, {}, NULL, 'rack')", 1000 + n);
                run(&mut connection, &sql).await;
            }
        });
    });
    let mut tell = |_: &Meter| {
        let _ = sender.send(());
        // The row is there before the next batch is read.
        std::thread::sleep(std::time::Duration::from_millis(20));
        Ok(())
    };
    let adopted = adopt::adopt(&parsed, &mut target, &mut source, 3, &mut tell).await.unwrap();
    drop(sender);
    writer.join().unwrap();
    source.close().await;
    target.close().await.unwrap();
    let again = fleet.adopt(&plan, 50).await.unwrap();
    let (there, racks) = (
        sqlx::query_scalar::<_, i64>("SELECT count(*) FROM thing")
            .fetch_one(&mut fleet.source)
            .await
            .unwrap(),
        fleet.number("SELECT count(*) FROM resources WHERE resource_type = 'rack'").await,
    );
    assert!(there > 60, "the source did not grow");
    assert_eq!(there, racks);
    assert!(adopted.created + again.created >= u64::try_from(racks * 2).unwrap());
    assert!(fleet.compare(&plan).await.iter().all(Compared::agrees));
}

#[tokio::test]
async fn verifying_finds_what_is_not_so() {
    let mut fleet = Adoption::example("fleet").await;
    let plan = example("fleet/plan.toml");
    let dry = fleet.compare(&plan).await;
    assert_eq!(dry.iter().map(|query| query.rows).collect::<Vec<_>>(), [36, 4, 12, 300, 10, 27]);
    assert_eq!(dry[3].rules.iter().map(|rule| rule.missing).collect::<Vec<_>>(), [300, 300, 270]);
    assert_eq!(dry[1].rules[0].samples[0], r#"{"resource":"site/1"}"#);
    assert_eq!(fleet.number("SELECT count(*) FROM resources").await, 0, "looking writes nothing");

    fleet.adopt(&plan, 50).await.unwrap();
    run(
        &mut fleet.target,
        "DELETE FROM assignments WHERE subject_id = 'user:2' AND at_id = '1';
         UPDATE subjects SET active = true WHERE subject_id = 'user:10'",
    )
    .await;
    run(&mut fleet.source, "DELETE FROM device WHERE serial_number = 'SN7'").await;
    let found = fleet.compare(&plan).await;
    let rule = |query: usize, rule: usize| &found[query].rules[rule];
    assert_eq!((rule(5, 0).missing, rule(5, 0).facts), (1, 27));
    assert_eq!(
        rule(5, 0).faults,
        [r#"missing: {"at":"site/1","role":"role:system:FIELD_TECH","subject":"user:2"}"#]
    );
    assert_eq!((rule(0, 0).differing, rule(0, 0).others), (1, 1));
    assert_eq!(
        rule(0, 0).faults,
        [r#"there, and says something else; the source says: {"subject":"user:10"}"#]
    );
    assert_eq!((rule(3, 0).without_source, rule(3, 1).without_source, rule(3, 2).without_source), (1, 1, 1));
    assert_eq!(
        found.iter().map(Compared::agrees).collect::<Vec<_>>(),
        [false, true, true, false, true, false]
    );

    let (decisions, disagree, samples) = fleet.decide(&plan).await;
    // User 2 may restart miners at site 1 now; user 10 may read and restart at four sites.
    assert_eq!((decisions, disagree), (320, 9));
    assert!(
        samples.contains(
            &"user:2 miner:reboot at site/1: the source denies it, on the facts it is allowed (assignment)"
                .to_owned()
        ),
        "{samples:#?}"
    );
}

/// GR-10 to GR-16 and GR-38: roles by their slugs, selectors, and what is taken away.
#[tokio::test]
async fn an_api_platforms_grants_keep_their_selectors_and_exclusions() {
    let mut platform = Adoption::example("api-platform").await;
    let plan = example("api-platform/plan.toml");
    platform.adopt(&plan, 3).await.unwrap();
    let (decisions, disagree, samples) = platform.decide(&plan).await;
    // 12 members, 3 projects with 2 permissions and 9 toolsets with 3.
    assert_eq!((decisions, disagree, samples), (12 * (3 * 2 + 9 * 3), 0, vec![]));
    assert!(platform.compare(&plan).await.iter().all(Compared::agrees));
    let elsewhere = "SELECT count(*) FROM assignments WHERE subject_id = 'user:u1'";
    assert_eq!(platform.number(elsewhere).await, 1, "what another organization gave is not adopted");
    // A selector that names what the facts do not know any more denies.
    run(&mut platform.target, "UPDATE grants SET conditions = '{}' WHERE conditions <> '{}'").await;
    let (_, disagree, samples) = platform.decide(&plan).await;
    assert_eq!(
        disagree,
        3 * 6 * 2,
        "three editors, two kinds of asking, at the toolsets of two other projects"
    );
    assert!(samples[0].contains("on the facts it is allowed (grant)"), "{samples:#?}");
}

/// AB-1, AB-2, AB-4 and AB-6 to AB-12: who reads a secret outside of any session is who did; in a session, who takes part.
#[tokio::test]
async fn secrets_are_read_by_who_read_them() {
    let mut store = Adoption::example("secrets").await;
    let plan = example("secrets/plan.toml");
    store.adopt(&plan, 3).await.unwrap();
    let (decisions, disagree, samples) = store.decide(&plan).await;
    // 8 people and 8 of each ten of five kinds.
    assert_eq!((decisions, disagree, samples), (8 * 8 * 5, 0, vec![]));
    assert!(store.compare(&plan).await.iter().all(Compared::agrees));
    let facts = crate::flow::exported(&store.url, "vault").await;
    let oracle = postern_oracle::Oracle::parse(facts.as_bytes()).unwrap();
    let now = postern_gateway::clock::now_micros();
    let id = async |store: &mut Adoption, name: &str| -> String {
        let sql = "SELECT id::text FROM secrets WHERE name = $1";
        sqlx::query_scalar(sql).bind(name).fetch_one(&mut store.source).await.unwrap()
    };
    // The second of the session kind is user 3's, in session s1, in which users 1, 2 and 6 take part.
    let session = id(&mut store, "session-2").await;
    let expired = id(&mut store, "organization-9").await;
    let unused = id(&mut store, "user-10").await;
    for (subject, secret, stated, decision) in [
        ("user:u3", &session, None, "allow"),
        ("user:u1", &session, Some("s1"), "allow"),
        ("user:u6@vault.example", &session, Some("s1"), "allow"),
        ("user:u1", &session, None, "deny"),
        ("user:u1", &session, Some("s2"), "deny"),
        // AB-3: to present a session's id is not to take part in it.
        ("user:u5", &session, Some("s1"), "deny"),
        // AB-10: also its owner's.
        ("user:u3", &expired, None, "deny"),
        ("user:u4", &unused, None, "deny"),
    ] {
        let question = serde_json::json!({"subject": subject, "permission": "secret:read", "session": stated,
            "resource": {"type": "secret", "id": secret}});
        let answer = oracle.answer(&question.to_string(), now);
        assert!(answer.contains(decision), "{question} {answer}");
    }
    let made = store.number("SELECT count(*) FROM grants").await;
    assert!(made > 0);
    let reverted = store.revert(&plan).await.unwrap();
    assert_eq!((reverted.left, reverted.others), (0, 0));
    assert_eq!(store.number("SELECT count(*) FROM grants").await, 0);
}

/// Each kind of rule once, with everything that it takes, beside the document that says the same.
#[tokio::test]
async fn every_rule_makes_the_fact_that_it_says() {
    let schema = "CREATE TABLE one (n bigint PRIMARY KEY, team text, mail text, nothing text, since timestamptz, until timestamptz);
        INSERT INTO one VALUES (1, 'ops', 'ann@example.com', NULL, '2026-01-02 03:04:05.6+00', '2030-01-01 00:00+02');";
    let mut fleet = Adoption::of(schema, &example("fleet/world.json")).await;
    let plan = plan_of(
        "every",
        r#"
        [[query]]
        name = "one"
        sql = "SELECT * FROM one; "
        key = ["n"]

        [[query.subject]]
        id = "user:{n}"
        attributes = { team = "{team}", none = "{nothing}", braces = "{{{n}}}" }
        not_before = "{since}"
        expires_at = "{until}"
        [[query.subject]]
        id = "group:{team}"
        [[query.alias]]
        subject = "user:{n}"
        alias = "{mail}"
        [[query.membership]]
        subject = "user:{n}"
        group = "group:{team}"
        expires_at = "{until}"
        [[query.resource]]
        type = "site"
        id = "s{n}"
        owner = "group:{team}"
        active = false
        [[query.resource]]
        type = "rack"
        id = "{n}"
        owner = "user:{nothing}"
        attributes = { label = "R{n}" }
        [[query.role]]
        id = "role:{team}"
        name = "Operations"
        permissions = ["rack:*"]
        [[query.role_permission]]
        role = "role:{team}"
        permission = "site:read"
        [[query.edge]]
        child = { type = "rack", id = "{n}" }
        parent = { type = "site", id = "s{n}" }
        relation = "ref"
        cap = ["update", "read", "read"]
        [[query.assignment]]
        subject = "user:all"
        role = "role:{team}"
        not_before = "{since}"
        [[query.assignment]]
        subject = "group:{team}"
        role = "role:{team}"
        at = { type = "site", id = "s{n}" }
        [[query.grant]]
        subject = "role:{team}"
        effect = "exclude"
        permissions = ["site:manage", "rack:{when}"]
        at = { type = "rack", id = "{n}" }
        where = { tier = "gold", none = "{nothing}" }
        require = { mfa = "yes" }
        own = true
        session = "{team}"
        expires_at = "{until}"
        [[query.grant]]
        when = { mail = ["nobody", "*@example.com"], team = { not = "dev*" }, n = 1 }
        subject = "user:{n}"
        permissions = ["*"]
        session = "{nothing}"
        [[query.grant]]
        when = { team = "o*p*" }
        subject = "user:{n}"
        permissions = ["site:read"]
        "#,
    )
    .replace("rack:{when}", "rack:read");
    let made = fleet.adopt(&plan, 10).await.unwrap();
    assert_eq!(made.created, 2 + 1 + 1 + 2 + 2 + 1 + 1 + 2 + 3 + 2);
    let document = format!(
        r#"{{"format": "postern-world/1", "organization": "northern-hash", "revision": 1, "catalog": {catalog},
        "subjects": [{{"id": "group:ops"}},
            {{"id": "user:1", "aliases": ["ann@example.com"], "attributes": {{"braces": "{{1}}", "team": "ops"}},
              "not_before": "2026-01-02T03:04:05.6Z", "expires_at": "2029-12-31T22:00:00Z"}}],
        "memberships": [{{"subject": "user:1", "group": "group:ops", "expires_at": "2029-12-31T22:00:00Z"}}],
        "resources": [
            {{"type": "rack", "id": "1", "parents": [{{"type": "site", "id": "s1", "relation": "ref", "cap": ["read", "update"]}}],
              "attributes": {{"label": "R1"}}}},
            {{"type": "site", "id": "s1", "owner": "group:ops", "active": false}}],
        "roles": [{{"id": "role:ops", "name": "Operations", "permissions": ["rack:*", "site:read"]}}, {roles}],
        "assignments": [{{"subject": "group:ops", "role": "role:ops", "at": {{"type": "site", "id": "s1"}}}},
            {{"subject": "user:all", "role": "role:ops", "not_before": "2026-01-02T03:04:05.6Z"}}],
        "grants": [{{"subject": "role:ops", "effect": "exclude", "permissions": ["rack:read", "site:manage"],
              "at": {{"type": "rack", "id": "1"}}, "where": {{"tier": "gold"}}, "require": {{"mfa": "yes"}}, "own": true,
              "session": "ops", "expires_at": "2029-12-31T22:00:00Z"}},
            {{"subject": "user:1", "effect": "allow", "permissions": ["*"]}}]}}"#,
        catalog = serde_json::from_str::<serde_json::Value>(&example("fleet/world.json")).unwrap()["catalog"],
        roles = serde_json::from_str::<serde_json::Value>(&example("fleet/world.json")).unwrap()["roles"]
            .as_array()
            .unwrap()
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join(", "),
    );
    let (_, mut beside) = migrated().await;
    let expected = World { revision: revision(&mut fleet.target, "northern-hash").await, ..world(&document) };
    import(&mut beside, &expected, false).await.unwrap();
    let compiled = async |connection: &mut PgConnection| {
        postern_gateway::publish::compile(connection, "northern-hash", &mut None)
            .await
            .unwrap()
            .unwrap()
            .snapshot
            .bytes
            .clone()
    };
    assert_eq!(compiled(&mut fleet.target).await, compiled(&mut beside).await);
    let compared = fleet.compare(&plan).await;
    assert!(compared.iter().all(Compared::agrees), "{compared:#?}");
    assert!(compared[0].rules.iter().all(|rule| rule.others == 0), "{compared:#?}");
    let reverted = fleet.revert(&plan).await.unwrap();
    assert_eq!((reverted.deleted, reverted.left), (made.created, 0));
}

/// A run that a row stopped goes on behind the batches that it wrote, unless the plan is another one since.
#[tokio::test]
async fn a_run_that_was_stopped_goes_on_or_begins_again_with_a_changed_plan() {
    let schema = "CREATE TABLE thing (n bigint PRIMARY KEY, live text); INSERT INTO thing SELECT n, 'true' FROM generate_series(1, 20) AS n;
        UPDATE thing SET live = 'perhaps' WHERE n = 15";
    let mut fleet = Adoption::of(schema, &example("fleet/world.json")).await;
    let plan = plan_of(
        "stopped",
        r#"
        [[query]]
        name = "things"
        sql = "SELECT * FROM thing"
        key = ["n"]
        [[query.resource]]
        type = "rack"
        id = "{n}"
        active = "{live}"
        "#,
    );
    let there = "SELECT count(*) FROM resources";
    for _ in 0..2 {
        let error = fleet.adopt(&plan, 4).await.unwrap_err();
        assert!(
            error.to_string().contains("row n=15: `active`: `perhaps` is neither true nor false"),
            "{error}"
        );
        assert_eq!(fleet.number(there).await, 12, "three batches of four, whole");
    }
    run(&mut fleet.source, "UPDATE thing SET live = 'false' WHERE n = 15").await;
    // Somebody else runs the same plan, and ends.
    let mut other = PgConnection::connect(&fleet.url).await.unwrap();
    assert!(
        postern_gateway::store::adopt::record::lock(&mut other, "northern-hash", "stopped").await.unwrap()
    );
    let release = tokio::spawn(async move {
        tokio::time::sleep(std::time::Duration::from_millis(400)).await;
        other.close().await.unwrap();
    });
    let begun = std::time::Instant::now();
    let went_on = fleet.adopt(&plan, 4).await.unwrap();
    assert!(begun.elapsed() > std::time::Duration::from_millis(300), "it waits for the other one");
    release.await.unwrap();
    assert_eq!((went_on.resumed, went_on.rows, went_on.created, went_on.kept), (true, 8, 8, 0));

    run(&mut fleet.source, "INSERT INTO thing VALUES (21, 'true'), (22, 'perhaps')").await;
    fleet.adopt(&plan, 4).await.unwrap_err();
    run(&mut fleet.source, "DELETE FROM thing WHERE n = 22").await;
    let changed = format!("{plan}\n# Another text is another plan.\n");
    let again = fleet.adopt(&changed, 4).await.unwrap();
    assert_eq!((again.resumed, again.rows, again.created, again.kept), (false, 21, 1, 20));
}
