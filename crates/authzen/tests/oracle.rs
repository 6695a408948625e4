//! Every endpoint against the oracle: what a request means is what `semantics.md` says about the question that it maps to.

use postern_authzen::{BadRequest, Endpoint, Mapping};
use postern_oracle::{Node, Op, Oracle, Query};
use postern_snapshot::Snapshot;
use postern_testkit::Chance;
use postern_testkit::random::{self, NOW};
use postern_world::World;
use serde_json::{Value, json};
use std::collections::BTreeMap;

const WORLDS: u64 = 400;
const QUERIES: usize = 60;

/// A request with its parts, and the question that it has to mean.
struct Pair {
    request: Value,
    query: Query,
}

/// The AuthZEN form of a question. `None` where there is none: an empty part, a permission of another type.
fn pair(query: &postern_world::Query) -> Option<Pair> {
    let (_, action) = query.permission.rsplit_once(':')?;
    let (subject_kind, subject_id) = query.subject.split_once(':')?;
    // At organization level the type is that of the permission, and the id is not looked at.
    let (kind, id) = match &query.resource {
        Some(node) => (node.kind.clone(), node.id.clone()),
        None => ("site".to_owned(), "any".to_owned()),
    };
    let whole = |text: &str| !text.is_empty();
    let owner_named = query.owner.as_deref().is_none_or(|owner| owner.contains(':'));
    let parents_whole = query.parents.iter().all(|parent| whole(&parent.kind) && whole(&parent.id));
    let texts = [subject_kind, subject_id, action, &kind, &id];
    if !texts.into_iter().all(whole) || !owner_named || !parents_whole || query.session.as_deref() == Some("")
    {
        return None;
    }
    let mut subject = json!({"type": subject_kind, "id": subject_id, "properties": {}});
    let mut resource = json!({"type": kind, "id": id, "properties": {}});
    for (name, value) in &query.dimensions {
        match name.strip_prefix("subject.") {
            Some(name) => subject["properties"][name] = value.as_str().into(),
            None => resource["properties"][name] = value.as_str().into(),
        }
    }
    if let Some(owner) = &query.owner {
        resource["properties"]["ownerID"] = owner.as_str().into();
    }
    let parents: Vec<Value> =
        query.parents.iter().map(|parent| json!({"type": parent.kind, "id": parent.id})).collect();
    resource["properties"]["parents"] = parents.into();
    if query.resource.is_none() {
        resource["properties"]["postern.at"] = "organization".into();
    }
    let mut context = json!({"time": "whatever"});
    if let Some(session) = &query.session {
        context["session"] = session.as_str().into();
    }
    let request =
        json!({"subject": subject, "action": {"name": action}, "resource": resource, "context": context});
    let mut dimensions: BTreeMap<String, String> = query.dimensions.clone();
    dimensions.extend(query.owner.iter().map(|owner| ("ownerID".to_owned(), owner.clone())));
    let query = Query {
        op: Op::Check,
        subject: query.subject.clone(),
        permission: format!("{kind}:{action}"),
        resource: query.resource.as_ref().map(|_| Node { kind, id }),
        kind: String::new(),
        parents: query
            .parents
            .iter()
            .map(|parent| Node { kind: parent.kind.clone(), id: parent.id.clone() })
            .collect(),
        owner: query.owner.clone(),
        dimensions,
        session: query.session.clone(),
        now: NOW,
    };
    Some(Pair { request, query })
}

fn parsed(answer: Result<String, BadRequest>) -> Result<Value, BadRequest> {
    answer.map(|text| serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}")))
}

/// The oracle's answer in the words of an evaluation.
fn wanted(oracle: &Oracle, query: &Query) -> Option<Value> {
    match oracle.check(query) {
        Ok((allowed, reason)) => Some(json!({"decision": allowed, "context": {"reason": reason}})),
        Err("invalid_request") => None,
        Err(error) => Some(json!({"decision": false, "context": {"reason": error}})),
    }
}

#[test]
fn requests_are_decided_as_the_oracle_decides() {
    let (mut compared, mut allowed, mut found) = (0, 0, 0);
    for seed in 0..WORLDS {
        let mut chance = Chance::new(seed);
        let world = random::world(&mut chance);
        let queries = random::queries(&mut chance, &world, QUERIES);
        let oracle = Oracle::parse(world.to_json().as_bytes()).unwrap();
        let bytes = postern_compile::compile(&world).unwrap().to_bytes();
        let snapshot = Snapshot::open(&bytes).unwrap();
        let ask = |endpoint: Endpoint, request: &Value| -> Result<Value, BadRequest> {
            let text = request.to_string();
            let answer = endpoint.answer(&snapshot, &Mapping::default(), &text, NOW);
            // With escapes it is read another way, and is the same request.
            let other = endpoint.answer(&snapshot, &Mapping::default(), &escaped(&text), NOW);
            assert_eq!(said(&answer), said(&other), "{text}");
            parsed(answer)
        };
        let mut items = Vec::new();
        let mut decisions = Vec::new();
        for Pair { request, query } in queries.iter().filter_map(pair) {
            let answer = ask(Endpoint::Evaluation, &request);
            let want = wanted(&oracle, &query);
            assert_eq!(answer.as_ref().ok(), want.as_ref(), "seed {seed}: {request}");
            compared += 1;
            let Some(want) = want else { continue };
            allowed += u32::from(want["decision"] == true);
            found += searches(seed, &oracle, &query, &request, &ask);
            decisions.push(json!({"decision": want["decision"]}));
            items.push(request);
        }
        if !items.is_empty() {
            let batch = ask(Endpoint::Evaluations, &json!({ "evaluations": items })).unwrap();
            assert_eq!(batch, json!({ "evaluations": decisions }), "seed {seed}");
        }
    }
    assert!(compared > 5_000 && allowed > 300 && found > 1_000, "{compared} {allowed} {found}");
}

/// The same JSON with the first character of each type, id and name as an escape.
fn escaped(text: &str) -> String {
    let mut rest = text;
    let mut escaped = String::new();
    while let Some(at) = ["\"type\":\"", "\"id\":\"", "\"name\":\""]
        .iter()
        .filter_map(|member| Some(rest.find(member)? + member.len()))
        .min()
    {
        escaped.push_str(&rest[..at]);
        rest = &rest[at..];
        match rest.chars().next() {
            Some(first) if first != '"' && first != '\\' && (first as u32) < 0x1_0000 => {
                escaped.push_str(&format!("\\u{:04x}", first as u32));
                rest = &rest[first.len_utf8()..];
            }
            _ => {}
        }
    }
    escaped + rest
}

fn said(answer: &Result<String, BadRequest>) -> Result<String, String> {
    answer.as_ref().cloned().map_err(ToString::to_string)
}

/// What is no request is refused in the same words, however it is read; and a batch says the same of its items.
#[test]
fn both_ways_of_reading_say_the_same() {
    let file: Value = serde_json::from_str(include_str!("../../../tests/authzen/departments.json")).unwrap();
    let world = World::parse(file["world"].to_string().as_bytes()).unwrap();
    let bytes = postern_compile::compile(&world).unwrap().to_bytes();
    let snapshot = Snapshot::open(&bytes).unwrap();
    let good = json!({"subject": {"type": "user", "id": "ada"}, "action": {"name": "view"},
        "resource": {"type": "record", "id": "r1"}});
    let mut requests = vec![good.clone()];
    for (entity, member) in
        [("subject", "type"), ("subject", "id"), ("action", "name"), ("resource", "type"), ("resource", "id")]
    {
        for value in [json!(""), json!(7), json!(null), json!("a:b"), json!("*"), json!("all"), json!(["x"])]
        {
            let mut request = good.clone();
            request[entity][member] = value;
            requests.push(request);
        }
        let mut request = good.clone();
        request[entity].as_object_mut().unwrap().remove(member);
        requests.push(request);
    }
    for entity in ["subject", "action", "resource"] {
        for value in [json!(null), json!(["user", "ada"]), json!("user:ada"), json!({})] {
            let mut request = good.clone();
            request[entity] = value;
            requests.push(request);
        }
        for properties in
            [json!(null), json!([]), json!({"a": 1}), json!({"subject.a": "x"}), json!({"parents": 7})]
        {
            let mut request = good.clone();
            request[entity]["properties"] = properties;
            requests.push(request);
        }
    }
    for context in [json!(null), json!([]), json!({"session": "s1"}), json!("x")] {
        let mut request = good.clone();
        request["context"] = context;
        requests.push(request);
    }
    let mut refused = 0;
    let mut compare = |endpoint: Endpoint, text: &str| {
        let plain = endpoint.answer(&snapshot, &Mapping::default(), text, NOW);
        let other = endpoint.answer(&snapshot, &Mapping::default(), &escaped(text), NOW);
        assert_eq!(said(&plain), said(&other), "{text}");
        refused += usize::from(plain.is_err());
    };
    for request in &requests {
        compare(Endpoint::Evaluation, &request.to_string());
        for options in [
            json!(null),
            json!({"reasons": true}),
            json!({"evaluations_semantic": "deny_on_first_deny"}),
            json!(7),
        ] {
            // Each as an item between good ones, as what stands at the top, and as both.
            let items = json!([good, request, {}, good]);
            let mut batch = json!({"evaluations": items, "options": options});
            compare(Endpoint::Evaluations, &batch.to_string());
            for (member, value) in request.as_object().unwrap() {
                batch[member] = value.clone();
            }
            compare(Endpoint::Evaluations, &batch.to_string());
            batch["evaluations"] = json!([{}, {"subject": {"type": "user", "id": "ben"}}]);
            compare(Endpoint::Evaluations, &batch.to_string());
        }
    }
    for text in [
        "",
        "[]",
        "{\"subject\":{\"type\":\"a\",\"type\":\"b\"}}",
        "{\"evaluations\":{}}",
        "{\"evaluations\":[7]}",
        "{\"evaluations\":[[]]}",
    ] {
        compare(Endpoint::Evaluation, text);
        compare(Endpoint::Evaluations, text);
    }
    assert!(refused > 50, "{refused}");
}

/// The three searches about the same entities; how many results they had.
fn searches(
    seed: u64,
    oracle: &Oracle,
    query: &Query,
    request: &Value,
    ask: &impl Fn(Endpoint, &Value) -> Result<Value, BadRequest>,
) -> usize {
    let mut count = 0;
    let without = |entity: &str| -> Value {
        // What is searched for has a type only; its properties count for nothing.
        let mut request = request.clone();
        request[entity] = json!({"type": request[entity]["type"]});
        request
    };
    let dimensions = |keep: &dyn Fn(&str) -> bool| -> BTreeMap<String, String> {
        query.dimensions.clone().into_iter().filter(|(name, _)| keep(name)).collect()
    };
    let kind = request["subject"]["type"].as_str().unwrap();
    let subjects = Query {
        op: Op::Subjects,
        kind: kind.to_owned(),
        dimensions: dimensions(&|name| !name.starts_with("subject.")),
        ..query.clone()
    };
    let ids = oracle.subjects(&subjects).unwrap_or_default();
    count += ids.len();
    let results: Vec<Value> =
        ids.iter().map(|id| json!({"type": kind, "id": id.split_once(':').unwrap().1})).collect();
    let answer = ask(Endpoint::SearchSubject, &without("subject")).unwrap();
    assert_eq!(answer, json!({ "results": results }), "seed {seed}: subjects of {request}");

    let kind = request["resource"]["type"].as_str().unwrap();
    let resources = Query {
        op: Op::Filter,
        kind: kind.to_owned(),
        dimensions: dimensions(&|name| name.starts_with("subject.")),
        ..query.clone()
    };
    let ids = oracle.filter(&resources).unwrap_or_default();
    count += ids.len();
    let results: Vec<Value> = ids.iter().map(|id| json!({"type": kind, "id": id})).collect();
    let answer = ask(Endpoint::SearchResource, &without("resource")).unwrap();
    assert_eq!(answer, json!({ "results": results }), "seed {seed}: resources of {request}");

    let keys = oracle.actions(&Query { op: Op::Actions, ..query.clone() }).unwrap_or_default();
    let names: Vec<Value> = keys
        .iter()
        .filter_map(|key| key.rsplit_once(':').filter(|(of, _)| *of == kind))
        .map(|(_, name)| json!({ "name": name }))
        .collect();
    count += names.len();
    let answer = ask(Endpoint::SearchAction, request).unwrap();
    assert_eq!(answer, json!({ "results": names }), "seed {seed}: actions of {request}");
    count
}

/// The scenario with departments: every subject, action and resource, in pages of every size.
#[test]
fn pages_are_the_whole_in_parts() {
    let file: Value = serde_json::from_str(include_str!("../../../tests/authzen/departments.json")).unwrap();
    let world = World::parse(file["world"].to_string().as_bytes()).unwrap();
    let bytes = postern_compile::compile(&world).unwrap().to_bytes();
    let snapshot = Snapshot::open(&bytes).unwrap();
    let ask = |request: &Value| {
        parsed(Endpoint::SearchResource.answer(&snapshot, &Mapping::default(), &request.to_string(), NOW))
    };
    for subject in ["ada", "ben", "gus", "nobody"] {
        let mut request = json!({"subject": {"type": "user", "id": subject}, "action": {"name": "view"},
            "resource": {"type": "record"}});
        let whole = ask(&request).unwrap()["results"].as_array().unwrap().clone();
        for limit in [1, 2, 7, whole.len().max(1), 1000] {
            let mut parts: Vec<Value> = Vec::new();
            request["page"] = json!({ "limit": limit });
            for _ in 0..=whole.len() {
                let answer = ask(&request).unwrap();
                let results = answer["results"].as_array().unwrap();
                assert!(results.len() <= limit);
                assert_eq!(answer["page"]["count"], results.len());
                assert_eq!(answer["page"]["total"], whole.len());
                parts.extend_from_slice(results);
                match answer["page"]["next_token"].as_str().unwrap() {
                    "" => break,
                    // With or without the limit, which the token knows.
                    token if parts.len().is_multiple_of(2) => request["page"] = json!({ "token": token }),
                    token => request["page"] = json!({"token": token, "limit": limit}),
                }
            }
            assert_eq!(parts, whole, "{subject}, {limit}");
            request.as_object_mut().unwrap().remove("page");
        }
    }
}

#[test]
fn a_token_continues_its_own_search_only() {
    let file: Value = serde_json::from_str(include_str!("../../../tests/authzen/departments.json")).unwrap();
    let world = World::parse(file["world"].to_string().as_bytes()).unwrap();
    let bytes = postern_compile::compile(&world).unwrap().to_bytes();
    let snapshot = Snapshot::open(&bytes).unwrap();
    let ask = |endpoint: Endpoint, request: &Value| {
        parsed(endpoint.answer(&snapshot, &Mapping::default(), &request.to_string(), NOW))
    };
    let mut request = json!({"subject": {"type": "user", "id": "ada"}, "action": {"name": "view"},
        "resource": {"type": "record"}, "page": {"limit": 2}});
    let first = ask(Endpoint::SearchResource, &request).unwrap();
    let token = first["page"]["next_token"].as_str().unwrap().to_owned();
    let refused = |change: &dyn Fn(&mut Value)| {
        let mut other = request.clone();
        other["page"] = json!({ "token": token });
        change(&mut other);
        ask(Endpoint::SearchResource, &other).unwrap_err().place
    };
    assert_eq!(refused(&|request| request["page"]["limit"] = 3.into()), "page.limit");
    assert_eq!(refused(&|request| request["subject"]["id"] = "ben".into()), "page.token");
    assert_eq!(refused(&|request| request["action"]["name"] = "edit".into()), "page.token");
    assert_eq!(refused(&|request| request["context"] = json!({"a": 1})), "page.token");
    for bad in ["AA", "!", "AQ", &token[..10]] {
        assert_eq!(refused(&|request| request["page"]["token"] = bad.into()), "page.token", "{bad}");
    }
    assert_eq!(refused(&|request| request["page"]["limit"] = (-1).into()), "page");
    assert_eq!(refused(&|request| request["page"] = json!("x")), "page");
    // The same token with another search over the same entities.
    request["page"] = json!({ "token": token });
    request["resource"] = json!({"type": "record", "id": "r01"});
    assert_eq!(ask(Endpoint::SearchSubject, &request).unwrap_err().place, "page.token");
    // Nothing asked for is nothing, and more is to come.
    request["resource"] = json!({"type": "record"});
    request["page"] = json!({"limit": 0});
    let none = ask(Endpoint::SearchResource, &request).unwrap();
    assert_eq!(none["results"], json!([]));
    assert_ne!(none["page"]["next_token"], "");
}

#[test]
fn no_text_makes_it_panic() {
    let world = random::world(&mut Chance::new(7));
    let bytes = postern_compile::compile(&world).unwrap().to_bytes();
    let snapshot = Snapshot::open(&bytes).unwrap();
    let good = r#"{"subject":{"type":"user","id":"a","properties":{"x":[1,{"y":null}]}},"action":{"name":"read"},
        "resource":{"type":"site","id":"s","properties":{"parents":[{"type":"a","id":"b"}],"ownerID":"x"}},
        "context":{"session":"s"},"evaluations":[{},{"subject":{"type":"a"}}],"options":{"reasons":true},
        "page":{"limit":1}}"#;
    let mut chance = Chance::new(11);
    let signs = [b'{', b'}', b'[', b']', b'"', b',', b':', b'0', b'n', b' ', 0xc3];
    for _ in 0..20_000 {
        let mut text = good.as_bytes().to_vec();
        for _ in 0..chance.between(1, 3) {
            let at = chance.below(text.len());
            match chance.below(3) {
                0 => text.truncate(at + 1),
                1 => text[at] = *chance.pick(&signs),
                _ => _ = text.remove(at),
            }
            if text.is_empty() {
                break;
            }
        }
        let text = String::from_utf8_lossy(&text);
        for endpoint in Endpoint::ALL {
            let _ = endpoint.answer(&snapshot, &Mapping::default(), &text, NOW);
        }
    }
}
