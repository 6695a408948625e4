//! What `explain` says is true: its decision is the check's, its trail names only what the world holds, and its remedy,
//! carried out on the world document, makes the specification allow.

use postern_compile::compile;
use postern_oracle::Oracle;
use postern_resolver::{Change, Context, Place, Question, Step, check, explain};
use postern_testkit::Chance;
use postern_testkit::json::{Style, query_text, world_text};
use postern_testkit::random::{NOW, queries, world};
use postern_world::{Effect, Grant, Life, Op, Query, Resource, ResourceRef, World};

const WORLDS: u64 = 300;

fn is_at(at: &Option<ResourceRef>, place: &Place) -> bool {
    match (at, place) {
        (None, None) => true,
        (Some(at), Some((kind, id))) => at.kind == *kind && at.id == *id,
        _ => false,
    }
}

/// The id that an id or alias stands for.
fn canonical(world: &World, id: &str) -> String {
    let alias_of = world.subjects.iter().find(|subject| {
        let kind = subject.id.split_once(':').map_or("", |(kind, _)| kind);
        subject.aliases.iter().any(|alias| format!("{kind}:{alias}") == id)
    });
    alias_of.map_or_else(|| id.to_owned(), |subject| subject.id.clone())
}

fn carry_out(world: &mut World, query: &Query, change: &Change) {
    let asked = query.resource.clone();
    match change {
        Change::ActivateSubject => {
            let id = canonical(world, &query.subject);
            world.subjects.iter_mut().filter(|row| row.id == id).for_each(|row| row.life = Life::default());
        }
        Change::ListResource => world.resources.extend(asked.map(|at| Resource {
            at,
            parents: Vec::new(),
            owner: None,
            attributes: Default::default(),
            life: Life::default(),
        })),
        Change::ActivateResource => {
            let rows = world.resources.iter_mut().filter(|row| Some(&row.at) == asked.as_ref());
            rows.for_each(|row| row.life = Life::default());
        }
        Change::RemoveExclusion { holder, at } => {
            let holders: Vec<bool> =
                world.grants.iter().map(|row| canonical(world, &row.subject) == *holder).collect();
            let mut held = holders.into_iter();
            world.grants.retain(|row| {
                let held = held.next() == Some(true);
                !(held && row.effect == Effect::Exclude && is_at(&row.at, at))
            });
        }
        Change::Grant { at, .. } => world.grants.push(Grant {
            subject: query.subject.clone(),
            permissions: vec![query.permission.clone()],
            at: at.clone().map(|(kind, id)| ResourceRef { kind, id }),
            ..Grant::default()
        }),
    }
}

#[test]
fn the_remedy_allows_and_the_trail_is_of_this_world() {
    let (mut denied, mut mended, mut steps) = (0, 0, 0);
    for seed in 0..WORLDS {
        let mut chance = Chance::new(900_000 + seed);
        let world = world(&mut chance);
        let facts = compile(&world).unwrap_or_else(|error| panic!("seed {seed}: {error}"));
        for query in queries(&mut chance, &world, 100) {
            if query.op != Op::Check {
                continue;
            }
            let parents: Vec<(&str, &str)> =
                query.parents.iter().map(|at| (at.kind.as_str(), at.id.as_str())).collect();
            let dimensions: Vec<(&str, &str)> =
                query.dimensions.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            let question = Question {
                subject: &query.subject,
                permission: &query.permission,
                resource: query.resource.as_ref().map(|at| (at.kind.as_str(), at.id.as_str())),
                context: Context {
                    parents: &parents,
                    owner: query.owner.as_deref(),
                    dimensions: &dimensions,
                    session: query.session.as_deref(),
                    now: query.now.unwrap_or(NOW),
                },
            };
            let explanation = explain(&facts, &question);
            let text = query_text(&query, Style::Terse);
            assert_eq!(explanation.answer, check(&facts, &question), "seed {seed}: {text}");
            for step in &explanation.trail {
                steps += 1;
                if let Step::Candidate { role, .. } = step {
                    assert!(
                        world.roles.iter().any(|row| row.id == *role && row.active),
                        "seed {seed}: {role}"
                    );
                }
            }
            let Ok(reason) = explanation.answer else {
                assert!(explanation.trail.is_empty() && explanation.remedy.is_empty());
                continue;
            };
            if reason.as_str() == "excluded" {
                let named = explanation.trail.iter().any(|step| matches!(step, Step::Exclusion { .. }));
                assert!(named, "seed {seed}: an exclusion decides and the trail names none: {text}");
            }
            if (reason as u8) < 16 {
                assert!(explanation.remedy.is_empty(), "seed {seed}: a remedy for an allow: {text}");
                continue;
            }
            denied += 1;
            // A role's id names no subject: a grant to it would be the role's.
            if explanation.remedy.is_empty() || query.subject.starts_with("role:") {
                continue;
            }
            let mut changed = world.clone();
            explanation.remedy.iter().for_each(|change| carry_out(&mut changed, &query, change));
            let document = world_text(&changed, Style::Terse);
            let oracle =
                Oracle::parse(document.as_bytes()).unwrap_or_else(|error| panic!("seed {seed}: {error}"));
            let answer = oracle.answer(&text, NOW);
            assert!(
                answer.starts_with(r#"{"decision":"allow""#),
                "seed {seed}: {text}\nwas {reason:?}, remedy {:?}\nnow {answer}\n{document}",
                explanation.remedy
            );
            mended += 1;
        }
    }
    // Only an undeclared type has no remedy.
    assert!(denied > 0 && mended * 10 > denied * 7, "{mended} of {denied} denies mended, {steps} steps");
}
