//! What is generated is what the readers of worlds and questions accept, in either style of writing.

use postern_testkit::json::{Style, query_text, world_text};
use postern_testkit::{Chance, random};
use postern_world::{World, parse_query};

#[test]
fn generated_worlds_and_questions_are_accepted_unchanged() {
    for seed in 0..400 {
        let mut chance = Chance::new(seed);
        let world = random::world(&mut chance);
        for style in [Style::Full, Style::Terse] {
            let text = world_text(&world, style);
            match World::parse(text.as_bytes()) {
                Ok(read) => assert_eq!(read, world, "seed {seed}, {style:?}"),
                Err(error) => panic!("seed {seed}, {style:?}: {error}\n{text}"),
            }
        }
        for query in random::queries(&mut chance, &world, 50) {
            let [full, terse] = [Style::Full, Style::Terse].map(|style| {
                let text = query_text(&query, style);
                parse_query(&text).unwrap_or_else(|error| panic!("seed {seed}: {error}\n{text}"))
            });
            // Members that the op does not use are not written, so the two readings are compared with each other.
            assert_eq!(full, terse, "seed {seed}");
            assert_eq!((full.op, full.now, &full.dimensions), (query.op, query.now, &query.dimensions));
        }
    }
}
