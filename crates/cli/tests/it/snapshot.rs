//! `postern world compile` and `postern snapshot …`

use crate::examples::WORLD;
use crate::{Folder, complaint, postern, stdout, text};
use std::path::Path;

#[test]
fn snapshots_are_compiled_inspected_and_sliced() {
    let folder = Folder::new("snapshot");
    let world = folder.file("world.json", WORLD);
    let (snapshot, slice) = (folder.0.join("w.snapshot"), folder.0.join("a.slice"));
    assert_eq!(stdout(&postern(&["world", "compile", text(&world), "-o", text(&snapshot)])), "");
    let bytes = std::fs::read(&snapshot).unwrap();

    let inspected: serde_json::Value =
        serde_json::from_str(&stdout(&postern(&["snapshot", "inspect", text(&snapshot)]))).unwrap();
    assert_eq!(inspected["organization"], "acme");
    assert_eq!(inspected["revision"], 7);
    assert_eq!(inspected["kind"], "snapshot");
    assert_eq!(inspected["size_bytes"], bytes.len());
    assert_eq!(inspected["depends_on_time"], true);
    assert_eq!(inspected["permissions"], 5);

    for subject in ["user:a", "user:ann@example.com", "user:new"] {
        let output =
            postern(&["snapshot", "slice", text(&snapshot), "--subject", subject, "-o", text(&slice)]);
        assert_eq!(stdout(&output), "");
        let inspected: serde_json::Value =
            serde_json::from_str(&stdout(&postern(&["snapshot", "inspect", text(&slice)]))).unwrap();
        assert_eq!(inspected["kind"], "slice", "{subject}");
        assert_eq!(inspected["revision"], 7);
    }

    // Written again over what is there: the same facts, the same bytes, and nothing left behind.
    let mut lines: Vec<&str> = WORLD.lines().collect();
    let first = lines.iter().position(|line| line.contains("\"user:a\", \"aliases\"")).unwrap();
    lines.swap(first, first + 1);
    let world = folder.file("world.json", &lines.join("\n"));
    stdout(&postern(&["world", "compile", text(&world), "-o", text(&snapshot)]));
    assert_eq!(std::fs::read(&snapshot).unwrap(), bytes);
    assert_eq!(folder.names(), ["a.slice", "w.snapshot", "world.json"]);
}

#[test]
fn what_is_no_snapshot_is_refused_and_the_output_stays() {
    let folder = Folder::new("refused");
    let world = folder.file("world.json", WORLD);
    let kept = folder.file("kept", "as it was");
    let snapshot = folder.0.join("w.snapshot");
    stdout(&postern(&["world", "compile", text(&world), "-o", text(&snapshot)]));

    let slice = |file: &Path, subject: &str| {
        complaint(&postern(&["snapshot", "slice", text(file), "--subject", subject, "-o", text(&kept)]))
    };
    assert!(
        complaint(&postern(&["snapshot", "inspect", text(&world)]))
            .starts_with(&format!("{}: ", world.display()))
    );
    assert!(slice(&world, "user:a").starts_with(&format!("{}: ", world.display())));
    assert!(slice(&folder.0.join("missing"), "user:a").contains("missing: cannot read: "));
    assert!(slice(&snapshot, "ann").starts_with("--subject \"ann\": no slice can be cut for it"));
    assert!(slice(&snapshot, "user:all").starts_with("--subject \"user:all\": "));

    let mut bytes = std::fs::read(&snapshot).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    let damaged = folder.0.join("damaged");
    std::fs::write(&damaged, bytes).unwrap();
    assert!(slice(&damaged, "user:a").starts_with(&format!("{}: ", damaged.display())));

    let of_a = folder.0.join("a.slice");
    stdout(&postern(&["snapshot", "slice", text(&snapshot), "--subject", "user:a", "-o", text(&of_a)]));
    assert!(slice(&of_a, "user:b").ends_with("no slice can be cut for it: not_in_slice"));
    assert_eq!(std::fs::read_to_string(&kept).unwrap(), "as it was");

    let output = postern(&["world", "compile", text(&world), "-o", text(&folder.0)]);
    assert!(complaint(&output).starts_with(&format!("{}: cannot write: ", folder.0.display())));
    let output = postern(&["world", "compile", text(&world), "-o", text(&folder.0.join("no/such/folder"))]);
    assert!(complaint(&output).contains("folder: cannot write: "));
    assert_eq!(folder.names(), ["a.slice", "damaged", "kept", "w.snapshot", "world.json"]);
}

#[test]
fn output_may_go_to_a_device() {
    let folder = Folder::new("device");
    let world = folder.file("world.json", WORLD);
    let output = postern(&["world", "compile", text(&world), "-o", "/dev/stdout"]);
    assert!(output.status.success(), "{output:?}");
    let snapshot = folder.0.join("w.snapshot");
    stdout(&postern(&["world", "compile", text(&world), "-o", text(&snapshot)]));
    assert_eq!(output.stdout, std::fs::read(&snapshot).unwrap());
}

#[test]
fn a_delta_leads_from_one_snapshot_to_the_other() {
    let folder = Folder::new("delta");
    let [old, new, delta, result] =
        ["old.snapshot", "new.snapshot", "change.delta", "result.snapshot"].map(|name| folder.0.join(name));
    let world = folder.file("world.json", WORLD);
    stdout(&postern(&["world", "compile", text(&world), "-o", text(&old)]));
    let changed = WORLD.replace("\"revision\": 7", "\"revision\": 8");
    assert_ne!(changed, WORLD);
    let world = folder.file("world.json", &changed);
    stdout(&postern(&["world", "compile", text(&world), "-o", text(&new)]));
    stdout(&postern(&["snapshot", "delta", text(&old), text(&new), "-o", text(&delta)]));
    stdout(&postern(&["snapshot", "apply", text(&old), text(&delta), "-o", text(&result)]));
    assert_eq!(std::fs::read(&result).unwrap(), std::fs::read(&new).unwrap());
    assert!(std::fs::metadata(&delta).unwrap().len() < 200);

    let refused = |file: &Path, delta: &Path| {
        complaint(&postern(&["snapshot", "apply", text(file), text(delta), "-o", text(&result)]))
    };
    let message = refused(&new, &delta);
    assert!(
        message.starts_with(&format!("{}: a delta for revision 7 of organization", delta.display())),
        "{message}"
    );
    assert!(refused(&old, &new).contains("not a delta"));
    assert!(refused(&world, &delta).starts_with(&format!("{}: not a snapshot", world.display())));
    let mut bytes = std::fs::read(&delta).unwrap();
    bytes[40] ^= 4;
    std::fs::write(&delta, bytes).unwrap();
    assert!(refused(&old, &delta).contains("damaged: the checksum does not fit"));
    assert_eq!(std::fs::read(&result).unwrap(), std::fs::read(&new).unwrap(), "the output stays as it was");
}
