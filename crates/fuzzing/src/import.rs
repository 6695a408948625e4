//! Target `import`: text that claims to be a world.

use crate::exercise;
use postern_snapshot::Snapshot;
use postern_world::World;

/// Reads the text; a world that is accepted must survive being written and read again, and compile to bytes that open.
pub fn import(bytes: &[u8]) {
    let Ok(world) = World::parse(bytes) else { return };
    let text = world.to_json();
    let again = World::parse(text.as_bytes()).expect("what was written cannot be read again");
    assert_eq!(again, world, "the world has changed on the way through JSON");
    let Ok(facts) = postern_compile::compile(&world) else {
        return;
    };
    let snapshot = facts.to_bytes();
    assert_eq!(postern_compile::compile(&again).map(|facts| facts.to_bytes()).as_ref(), Ok(&snapshot));
    exercise(&Snapshot::open(&snapshot).expect("what was written cannot be opened"));
}
