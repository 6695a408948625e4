//! The host with the module that ships (`cargo xtask wasm` builds it), and with modules that misbehave.

use postern_host::abi::{Answer, Op, Request, Texts};
use postern_host::{CallLimit, HostError, Instance, Limits, Module};
use postern_resolver::View;
use postern_snapshot::Snapshot;
use postern_vocab::{QueryError, Reason};
use postern_world::World;

const WORLD: &str = r#"{
  "format": "postern-world/1", "organization": "acme", "revision": 7,
  "catalog": {
    "types": {"site": {"scope": true, "narrows": true}},
    "permissions": {"miner:read": {}, "miner:reboot": {}, "site:read": {}}
  },
  "subjects": [{"id": "user:ann"}, {"id": "user:bob", "active": false}],
  "resources": [{"type": "site", "id": "s1"}, {"type": "site", "id": "s2"}],
  "roles": [{"id": "role:system:tech", "name": "Tech", "permissions": ["miner:*"]}],
  "assignments": [{"subject": "user:ann", "role": "role:system:tech", "at": {"type": "site", "id": "s1"}}],
  "grants": [{"subject": "user:all", "effect": "allow", "permissions": ["site:read"], "expires_at": "2026-01-01T00:00:00Z"}]
}"#;

const NOW: i64 = 1_700_000_000_000_000;

fn snapshot() -> Vec<u8> {
    let world = World::parse(WORLD.as_bytes()).expect("the world is one");
    postern_compile::compile(&world).expect("it compiles").to_bytes()
}

fn module_bytes() -> Vec<u8> {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../wasm/dist/postern.wasm");
    std::fs::read(file).unwrap_or_else(|error| panic!("{file}: {error}; build it with `cargo xtask wasm`"))
}

fn open(limits: Limits) -> Instance {
    Module::load_with(&module_bytes(), limits).expect("it loads").open(&snapshot()).expect("it opens")
}

#[test]
fn every_way_of_asking_gives_the_resolvers_answer() {
    let bytes = snapshot();
    let native = Snapshot::open(&bytes).expect("it opens");
    let mut instance = open(Limits::default());
    let permissions: Vec<u32> = (0..native.permission_count()).collect();
    let (mut triples, mut expected, mut mask) = (Vec::new(), Vec::new(), Vec::new());
    for subject in ["user:ann", "user:bob"] {
        let handle = instance.subject(subject).unwrap().expect("it is listed");
        for resource in [None, Some(("site", "s1")), Some(("site", "s2"))] {
            let (kind, id) = resource.unwrap_or_default();
            let at = instance.resource(kind, id).unwrap().expect("it is listed");
            instance.mask(handle, at, NOW, &mut mask).unwrap();
            for permission in &permissions {
                let key = native.permission_key(*permission);
                assert_eq!(instance.permission(key), Ok(Some(*permission)));
                let context = postern_resolver::Context { now: NOW, ..Default::default() };
                let question = postern_resolver::Question { subject, permission: key, resource, context };
                let answer = postern_resolver::check(&native, &question);

                let request = Request { subject, permission: key, resource, now: NOW, ..Request::default() };
                assert_eq!(instance.answer(&request).unwrap().reason(), Some(answer), "{request:?}");
                assert_eq!(instance.check(handle, *permission, at, NOW), Ok(answer), "{request:?}");
                let bit = mask[*permission as usize / 8] >> (permission % 8) & 1 == 1;
                assert_eq!(bit, answer.is_ok_and(|reason| (reason as u8) < 16), "{request:?}");
                triples.push([handle, *permission, at]);
                expected.push(postern_host::abi::code(answer));
            }
        }
    }
    assert!(expected.contains(&(Reason::Assignment as u8)) && expected.contains(&(Reason::Grant as u8)));
    assert!(
        expected.contains(&(Reason::InactiveSubject as u8)) && expected.contains(&(Reason::NotGranted as u8))
    );
    let mut codes = vec![0; triples.len()];
    instance.check_batch(&triples, NOW, &mut codes).unwrap();
    assert_eq!(codes, expected);
}

#[test]
fn lists_and_descriptions_come_out_whole() {
    let mut instance = open(Limits::default());
    let filter = Request {
        op: Op::Filter,
        subject: "user:ann",
        permission: "miner:read",
        kind: "site",
        now: NOW,
        ..Request::default()
    };
    assert_eq!(instance.answer(&filter), Ok(Answer::List(Texts(vec!["s1".into()]))));
    let unknown =
        Request { op: Op::Anywhere, subject: "user:ann", permission: "miner:paint", ..Request::default() };
    assert_eq!(instance.answer(&unknown), Ok(Answer::Error(QueryError::UnknownPermission as u8)));
    let keys = instance.describe(|description| {
        assert_eq!((description.organization, description.revision), ("acme", 7));
        assert!(description.timed && !description.slice && description.subject.0.is_empty());
        description.permissions.0
    });
    assert_eq!(keys, Ok(vec!["miner:read".into(), "miner:reboot".into(), "site:read".into()]));
    assert_eq!(instance.revision(), Ok(7));
    assert_eq!(instance.next_change(NOW), Ok(Some(1_767_225_600_000_000)));
    assert_eq!(instance.next_change(1_767_225_600_000_000), Ok(None));
}

#[test]
fn what_is_not_named_has_no_handle_and_no_decision_by_handle() {
    let mut instance = open(Limits::default());
    assert_eq!(instance.subject("user:zoe"), Ok(None));
    assert_eq!(instance.resource("site", "s3"), Ok(None));
    assert_eq!(instance.permission("miner:paint"), Ok(None));
    assert_eq!(instance.check(u32::MAX, 2, 0, NOW), Ok(Err(QueryError::InvalidRequest)));
    assert_eq!(instance.check(0, 2, u32::MAX, NOW), Ok(Err(QueryError::InvalidRequest)));
    assert_eq!(instance.check(0, 3, 0, NOW), Ok(Err(QueryError::UnknownPermission)));
    // In text the subject that nobody lists still gets what everybody has.
    let request = Request { subject: "user:zoe", permission: "site:read", now: NOW, ..Request::default() };
    assert_eq!(instance.answer(&request).unwrap().reason(), Some(Ok(Reason::Grant)));
}

#[test]
fn bytes_that_are_refused_leave_the_snapshot_in_force() {
    let module = Module::load(&module_bytes()).unwrap();
    assert_eq!(module.open(b"").unwrap_err(), HostError::Open(1));
    assert_eq!(module.open(b"{}").unwrap_err(), HostError::Open(2));
    let mut instance = module.open(&snapshot()).unwrap();
    let mut damaged = snapshot();
    let last = damaged.len() - 1;
    damaged[last] ^= 1;
    assert_eq!(instance.swap(&damaged), Err(HostError::Open(4)));
    assert_eq!(instance.revision(), Ok(7));
    assert_eq!(instance.swap(&snapshot()), Ok(()));
    assert_eq!(instance.revision(), Ok(7));
}

#[test]
fn opening_again_and_again_takes_no_more_memory() {
    let bytes = snapshot();
    // Room for a few snapshots, not for a thousand.
    let limits = Limits { memory_bytes: 2 << 20, ..Limits::default() };
    let mut instance = open(limits);
    for _ in 0..2_000 {
        instance.swap(&bytes).unwrap();
        instance.swap(&bytes[1..]).unwrap_err();
    }
    assert_eq!(instance.revision(), Ok(7));
}

#[test]
fn a_call_that_exceeds_its_limit_is_an_error_and_the_next_one_works() {
    let mut instance = open(Limits { call: CallLimit::Fuel(1_000_000), ..Limits::default() });
    let (subject, resource) =
        (instance.subject("user:ann").unwrap().unwrap(), instance.resource("site", "s1").unwrap().unwrap());
    let triples = vec![[subject, 0, resource]; 200_000];
    let mut codes = vec![0; triples.len()];
    assert_eq!(instance.check_batch(&triples, NOW, &mut codes), Err(HostError::Limit));
    assert!(codes.iter().all(|code| *code == 0), "a batch that was cut off wrote some of its codes");
    assert_eq!(instance.check(subject, 0, resource, NOW), Ok(Ok(Reason::Assignment)));
}

#[test]
fn what_does_not_fit_into_the_memory_is_refused() {
    let mut instance = open(Limits { memory_bytes: 2 << 20, ..Limits::default() });
    let triples = vec![[0, 0, 0]; 1 << 20];
    let mut codes = vec![0; triples.len()];
    assert_eq!(instance.check_batch(&triples, NOW, &mut codes), Err(HostError::Memory));
    assert_eq!(instance.swap(&vec![0; 4 << 20]), Err(HostError::Memory));
    assert_eq!(instance.revision(), Ok(7));
}

/// A module with the exports of the contract, in which one function's body is another.
fn misbehaving(function: &str, body: &str) -> Vec<u8> {
    let functions = [
        ("postern_alloc", "(param i32) (result i32)", "i32.const 1024"),
        ("postern_free", "(param i32 i32)", ""),
        ("postern_open", "(param i32 i32) (result i32)", "i32.const 0"),
        ("postern_revision", "(result i64)", "i64.const 1"),
        ("postern_describe", "(result i64)", "i64.const 0"),
        ("postern_subject", "(param i32 i32) (result i32)", "i32.const 0"),
        ("postern_permission", "(param i32 i32) (result i32)", "i32.const 0"),
        ("postern_resource", "(param i32 i32 i32 i32) (result i32)", "i32.const 0"),
        ("postern_check", "(param i32 i32 i32 f64) (result i32)", "i32.const 22"),
        ("postern_check_batch", "(param i32 i32 f64 i32) (result i32)", "i32.const 0"),
        ("postern_mask", "(param i32 i32 f64 i32 i32) (result i32)", "i32.const 0"),
        ("postern_query", "(param i32 i32) (result i64)", "i64.const 0"),
        ("postern_next_change", "(param f64) (result f64)", "f64.const inf"),
    ];
    let mut text = String::from("(module (memory (export \"memory\") 1)");
    for (name, signature, usual) in functions {
        let body = if name == function { body } else { usual };
        text += &format!("(func (export \"{name}\") {signature} {body})");
    }
    wat::parse_str(text + ")").expect("it is WebAssembly")
}

fn misbehaving_instance(function: &str, body: &str, call: CallLimit) -> Instance {
    let limits = Limits { call, ..Limits::default() };
    Module::load_with(&misbehaving(function, body), limits).unwrap().open(b"snapshot").unwrap()
}

#[test]
fn a_trap_is_an_error_and_the_instance_is_replaced() {
    // Traps at the first call in an instance only if its memory says that nothing was called before.
    let body = "(i32.store (i32.const 0) (i32.add (i32.load (i32.const 0)) (i32.const 1)))
        (if (i32.eq (i32.load (i32.const 0)) (i32.const 2)) (then unreachable)) i32.const 22";
    let mut instance = misbehaving_instance("postern_check", body, CallLimit::None);
    for _ in 0..3 {
        assert_eq!(
            instance.check(0, 0, 0, NOW),
            Ok(Ok(Reason::NotGranted)),
            "a new instance has a new memory"
        );
        assert!(matches!(instance.check(0, 0, 0, NOW), Err(HostError::Trap(_))));
    }
}

#[test]
fn a_module_that_never_returns_is_stopped() {
    let limit = CallLimit::Time(std::time::Duration::from_millis(20));
    for body in ["(loop br 0) i32.const 1", "(i32.load (i32.const 65536))"] {
        let mut instance = misbehaving_instance("postern_check", body, limit);
        let error = instance.check(0, 0, 0, NOW).unwrap_err();
        assert!(matches!(error, HostError::Limit | HostError::Trap(_)), "{error}");
    }
}

#[test]
fn answers_that_the_contract_does_not_have_are_errors() {
    for code in ["i32.const 0", "i32.const 99", "i32.const 257"] {
        let mut instance = misbehaving_instance("postern_check", code, CallLimit::None);
        assert!(matches!(instance.check(0, 0, 0, NOW), Err(HostError::Contract(_))), "{code}");
    }
    let mut instance = misbehaving_instance("postern_query", "i64.const -1", CallLimit::None);
    assert!(matches!(instance.answer(&Request::default()), Err(HostError::Contract(_))));
    let mut instance = misbehaving_instance("postern_mask", "i32.const -1", CallLimit::None);
    assert!(matches!(instance.mask(0, 0, NOW, &mut Vec::new()), Err(HostError::Contract(_))));
}

#[test]
fn modules_of_other_kinds_are_refused() {
    assert!(matches!(Module::load(b"not wasm").unwrap_err(), HostError::Module(_)));
    let empty = wat::parse_str("(module)").unwrap();
    assert_eq!(Module::load(&empty).unwrap_err(), HostError::Export("memory"));
    let importing = wat::parse_str("(module (import \"env\" \"now\" (func)))").unwrap();
    assert_eq!(Module::load(&importing).unwrap_err(), HostError::Imports("env.now".into()));
    let other = misbehaving("postern_mask", "unreachable");
    let text = wasm_without(&other);
    assert_eq!(Module::load(&text).unwrap_err(), HostError::Export("postern_mask"));
}

/// The module with the name of one export changed, in place.
fn wasm_without(module: &[u8]) -> Vec<u8> {
    let mut module = module.to_vec();
    let at = module.windows(12).position(|name| name == b"postern_mask").expect("it exports it");
    module[at] = b'P';
    module
}
