//! The gateway against a real Postgres: one server for all tests, started by the gateway's own module, and a fresh
//! database for each.

mod adopt;
mod adopt_plans;
mod agents;
mod api_platform;
mod authzen;
mod compute_platform;
mod decisions;
mod described;
mod directory_events;
mod embedded;
mod every_revision;
mod faults;
mod fleet_changeover;
mod flow;
mod held;
mod imports;
mod invitations;
mod issuers;
mod limits;
mod management;
mod management_calls;
mod management_grants;
mod management_resources;
mod management_shares;
mod management_subjects;
mod measured;
mod migrations;
mod organizations;
mod outages;
mod presets;
mod previews;
mod reading;
mod revisions;
mod role_aliases;
mod row_level;
mod scim;
mod scopes;
mod secrets;
mod statements;
mod streams;
mod support;
mod tenants;
mod traces;
mod vault;
mod web_pages;
mod webhooks;

/// A file that nobody names here would be compiled by nobody.
#[test]
fn every_file_is_a_module() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it");
    let main = include_str!("main.rs");
    for entry in std::fs::read_dir(folder).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let module = name.trim_end_matches(".rs");
        assert!(module == "main" || main.contains(&format!("mod {module};")), "{name} is in no module");
    }
}
