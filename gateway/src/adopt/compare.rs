//! `--dry-run` and `--verify`: every row of the source again, and what is there of the facts that it becomes. Nothing is
//! written.

use super::error::AdoptError;
use super::pages::{Page, Reader};
use super::plan::Plan;
use super::progress::{Meter, Tell};
use super::run::page_facts;
use crate::clock::steady_micros;
use crate::store::adopt::facts::{Fact, Found, KINDS, Kind, Set};
use crate::store::adopt::record;
use crate::store::adopt::source::Source;
use crate::store::heads;
use serde_json::{Map, Value, json};
use sqlx::PgConnection;
use std::collections::hash_map::DefaultHasher;
use std::collections::{BTreeMap, HashSet};
use std::hash::{Hash, Hasher};

/// Facts of each sort that are shown.
const SAMPLES: usize = 3;

/// What was found of one query.
#[derive(Clone, Debug)]
pub struct Compared {
    /// Its name.
    pub query: String,
    /// Rows that its pages had.
    pub rows: u64,
    /// Rows that the source counts.
    pub counted: u64,
    /// Its rules.
    pub rules: Vec<RuleCompared>,
}

/// What was found of the facts of one rule, each of which counts once.
#[derive(Clone, Debug, Default)]
pub struct RuleCompared {
    /// `edge 1`
    pub rule: String,
    /// That the source says.
    pub facts: u64,
    /// That are not there.
    pub missing: u64,
    /// That are there and say something else.
    pub differing: u64,
    /// That are there, and that this rule did not make.
    pub others: u64,
    /// That this rule made and no row of the source says any more.
    pub without_source: u64,
    /// Some of them.
    pub samples: Vec<String>,
    /// Some that are missing, or that say something else.
    pub faults: Vec<String>,
}

impl Compared {
    /// Whether the facts are what the source says, no more and no less.
    pub fn agrees(&self) -> bool {
        let rule_agrees =
            |rule: &RuleCompared| rule.missing == 0 && rule.differing == 0 && rule.without_source == 0;
        self.rows == self.counted && self.rules.iter().all(rule_agrees)
    }
}

/// Facts of a rule so far.
struct Seen {
    compared: RuleCompared,
    /// Of facts that several rows may say: a hash of each. `None`: every row makes another one.
    hashes: Option<HashSet<u64>>,
    /// That this rule made, by the table.
    own: BTreeMap<Kind, i64>,
}

impl Seen {
    /// Whether the fact was not seen before.
    fn is_new(&mut self, fact: &Fact) -> bool {
        let Some(hashes) = &mut self.hashes else { return true };
        let mut hasher = DefaultHasher::new();
        (fact.kind, fact.identity()).hash(&mut hasher);
        hashes.insert(hasher.finish())
    }

    fn take(&mut self, number: Option<i32>, fact: &Fact, found: Option<Found>) {
        if !self.is_new(fact) {
            return;
        }
        let compared = &mut self.compared;
        compared.facts += 1;
        if compared.samples.len() < SAMPLES {
            compared.samples.push(shown(fact));
        }
        let fault = match found {
            None => {
                compared.missing += 1;
                "missing"
            }
            Some(found) => {
                if found.rule.is_some() && found.rule == number {
                    *self.own.entry(fact.kind).or_default() += 1;
                } else {
                    compared.others += 1;
                }
                if found.same {
                    return;
                }
                compared.differing += 1;
                "there, and says something else; the source says"
            }
        };
        if compared.faults.len() < SAMPLES {
            compared.faults.push(format!("{fault}: {}", shown(fact)));
        }
    }
}

/// Compares all queries of a plan with what is there.
pub async fn compare(
    plan: &Plan,
    target: &mut PgConnection,
    source: &mut Source,
    batch: usize,
    tell: Tell<'_>,
) -> Result<Vec<Compared>, AdoptError> {
    if heads::revision(target, &plan.organization).await?.is_none() {
        return Err(AdoptError::NoOrganization(plan.organization.clone()));
    }
    let readers = Reader::all(plan, source).await?;
    let adoption = record::find(target, &plan.organization, &plan.name).await?;
    let known = match &adoption {
        Some(adoption) => record::rules(target, &plan.organization, adoption.id).await?,
        None => Vec::new(),
    };
    let mut all = Vec::new();
    for (query, reader) in plan.queries.iter().zip(&readers) {
        let counted = reader.count(query, source).await?;
        let number_of = |rule: &str| {
            let found = known.iter().find(|(_, name, known, _)| *name == query.name && known == rule);
            found.map(|(number, ..)| *number)
        };
        let numbers: Vec<Option<i32>> = query.rules.iter().map(|rule| number_of(&rule.name)).collect();
        let begin = |rule: &super::rule::Rule| Seen {
            compared: RuleCompared { rule: rule.name.clone(), ..RuleCompared::default() },
            hashes: (!rule.tells_rows_apart(&query.key)).then(HashSet::new),
            own: BTreeMap::new(),
        };
        let mut seen: Vec<Seen> = query.rules.iter().map(begin).collect();
        let mut meter = Meter::new(&query.name, 0, counted, steady_micros());
        let (mut after, mut rows) = (None, 0);
        loop {
            let page: Page = reader.page(query, source, after.as_deref(), batch).await?;
            let facts = page_facts(plan, query, reader, &page)?;
            for kind in KINDS {
                let of_kind: Vec<&(usize, Fact)> =
                    facts.iter().filter(|(_, fact)| fact.kind == kind).collect();
                let mut set = Set::default();
                for (_, fact) in &of_kind {
                    set.add(0, fact.clone());
                }
                if set.is_empty() {
                    continue;
                }
                let found = set.compare(target, &plan.organization, kind).await?;
                for ((rule, fact), found) in of_kind.into_iter().zip(found) {
                    seen[*rule].take(numbers[*rule], fact, found);
                }
            }
            rows += page.rows.len() as u64;
            meter.read(page.rows.len() as u64, steady_micros());
            tell(&meter)?;
            if page.is_last {
                break;
            }
            after = page.last_key;
        }
        for (seen, number) in seen.iter_mut().zip(&numbers) {
            let Some(number) = number else { continue };
            for kind in KINDS {
                let marked = record::marked(target, &plan.organization, kind, &[*number]).await?;
                let there = marked.get(number).copied().unwrap_or(0);
                let own = seen.own.get(&kind).copied().unwrap_or(0);
                seen.compared.without_source += u64::try_from(there - own).unwrap_or(0);
            }
        }
        let rules = seen.into_iter().map(|seen| seen.compared).collect();
        all.push(Compared { query: query.name.clone(), rows, counted, rules });
    }
    Ok(all)
}

/// A fact as people read it: what a world document would say of it.
fn shown(fact: &Fact) -> String {
    let field = |at: usize| fact.fields.get(at).and_then(Option::as_deref);
    let text = |at: usize| Value::from(field(at).unwrap_or_default());
    let place =
        |at: usize| field(at).map(|kind| json!(format!("{kind}/{}", field(at + 1).unwrap_or_default())));
    let mut object = Map::new();
    let mut add = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            object.insert(name.to_owned(), value);
        }
    };
    match fact.kind {
        Kind::Subject => add("subject", Some(text(0))),
        Kind::Alias => {
            add("alias", Some(text(0)));
            add("subject", Some(text(1)));
        }
        Kind::Membership => {
            add("member", Some(text(1)));
            add("group", Some(text(2)));
        }
        Kind::Resource => {
            add("resource", place(0));
            add("owner", field(2).map(Value::from));
        }
        Kind::Role => {
            add("role", Some(text(0)));
            add("name", Some(text(1)));
        }
        Kind::RolePermission => {
            add("role", Some(text(0)));
            add("permission", Some(text(1)));
        }
        Kind::Edge => {
            add("child", place(1));
            add("parent", place(3));
            add("relation", Some(text(5)));
        }
        Kind::Assignment => {
            add("subject", Some(text(1)));
            add("role", Some(text(2)));
            add("at", place(3));
        }
        Kind::Grant => {
            add("grant to", Some(text(1)));
            add("effect", Some(text(2)));
            add("at", place(3));
        }
        Kind::GrantPermission => {
            add("permission of grant", Some(text(0)));
            add("permission", Some(text(1)));
        }
    }
    Value::Object(object).to_string()
}
