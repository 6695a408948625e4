//! `postern adopt`: plans on databases that are not ours.

use crate::support::{api_key, config, database, get, migrated, revision, run, try_run};
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
