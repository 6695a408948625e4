//! Values of another type, times, permission keys and lengths.

use super::check;

#[test]
fn types_of_values() {
    check(&[
        (
            "\"revision\": 7",
            "\"revision\": ¦\"7\"",
            "$.revision",
            "expected a whole number from 0 to 18446744073709551615, found a string",
        ),
        ("\"revision\": 7", "\"revision\": ¦-7", "$.revision", "found a number"),
        ("\"revision\": 7", "\"revision\": ¦7.0", "$.revision", "found `7.0`"),
        (
            "\"revision\": 7",
            "\"revision\": ¦18446744073709551616",
            "$.revision",
            "found `18446744073709551616`",
        ),
        ("\"acme\"", "¦null", "$.organization", "expected a string, found null"),
        (
            "\"scope\": true",
            "\"scope\": ¦1",
            "$.catalog.types.site.scope",
            "expected true or false, found a number",
        ),
        (
            "[\"secret:*\"]}\n",
            "¦\"secret:*\"}\n",
            "$.catalog.types.secret.owner_permissions",
            "expected an array, found a string",
        ),
        (
            "{\"role\": \"admin\"}",
            "{\"role\": ¦true}",
            "$.subjects[0].attributes.role",
            "expected a string, found a boolean",
        ),
        ("[\"ann@example.com\"]", "[¦{}]", "$.subjects[0].aliases[0]", "expected a string, found an object"),
        ("\"own\": true", "\"own\": ¦null", "$.grants[0].own", "expected true or false, found null"),
        ("\"at\": null", "\"at\": ¦[]", "$.assignments[1].at", "expected an object, found an array"),
        (
            "\"effect\": \"exclude\"",
            "\"effect\": ¦\"deny\"",
            "$.grants[0].effect",
            "expected `allow` or `exclude`, found `deny`",
        ),
        (
            "\"relation\": \"ref\"",
            "\"relation\": ¦\"link\"",
            "$.resources[1].parents[0].relation",
            "expected `auto` or `ref`, found `link`",
        ),
        (
            "\"relation\": \"ref\", \"cap\": [\"read\"]",
            "\"relation\": \"auto\", \"cap\": ¦[\"read\"]",
            "$.resources[1].parents[0].cap",
            "belongs to the relation `ref`",
        ),
        (
            "\"relation\": \"ref\", \"cap\": [",
            "\"cap\": ¦[",
            "$.resources[1].parents[0].cap",
            "belongs to the relation `ref`",
        ),
    ]);
}

#[test]
fn times() {
    check(&[
        (
            "\"2026-01-01T00:00:00Z\"",
            "¦1767225600",
            "$.subjects[1].not_before",
            "expected a time as a string, found a number",
        ),
        (
            "\"2026-01-01T00:00:00Z\"",
            "¦\"2026-01-01\"",
            "$.subjects[1].not_before",
            "`2026-01-01` is not an RFC 3339 time",
        ),
        (
            "\"2026-01-01T00:00:00Z\"",
            "¦\"2026-01-01T00:00:00.1234567Z\"",
            "$.subjects[1].not_before",
            "six digits",
        ),
        (
            "\"expires_at\": null",
            "\"expires_at\": ¦\"2026-06-30T23:59:60Z\"",
            "$.assignments[1].expires_at",
            "leap second",
        ),
    ]);
}

#[test]
fn the_catalog() {
    check(&[
        (
            "\"remote:mcp:call\": {}",
            "¦\"minerread\": {}",
            "$.catalog.permissions.minerread",
            "`minerread` is no permission key",
        ),
        (
            "\"remote:mcp:call\": {}",
            "¦\"miner:*\": {}",
            "$.catalog.permissions[\"miner:*\"]",
            "is no permission key",
        ),
        (
            "\"remote:mcp:call\": {}",
            "¦\"a::b\": {}",
            "$.catalog.permissions[\"a::b\"]",
            "is no permission key",
        ),
        (
            "\"remote:mcp:call\": {}",
            "¦\"a b:c\": {}",
            "$.catalog.permissions[\"a b:c\"]",
            "is no permission key",
        ),
        (
            "[\"miner:all\"]",
            "[¦\"miner:some\"]",
            "$.catalog.permissions[\"miner:reboot\"].implied_by[0]",
            "`miner:some` is not in `catalog.permissions`",
        ),
        (
            "\"excluded_by\": []",
            "\"excluded_by\": [\"miner:all\", ¦\"miner:*\"]",
            "$.catalog.permissions[\"miner:reboot\"].excluded_by[1]",
            "is no permission key",
        ),
        (
            "\"requires\": [\"miner:read\"]",
            "\"requires\": [¦\"\"]",
            "$.catalog.permissions[\"miner:reboot\"].requires[0]",
            "empty",
        ),
        ("\"secret\": {\"owner", "¦\"\": {\"owner", "$.catalog.types[\"\"]", "the name of a type is empty"),
        (
            "\"owner_permissions\": [\"secret:*\"]",
            "\"owner_permissions\": [¦\"secret:read\"]",
            "$.catalog.types.secret.owner_permissions[0]",
            "not in `catalog.permissions`",
        ),
        (
            "\"miner:*\", \"*\"",
            "\"miner:*\", ¦\"miner:fly\"",
            "$.roles[0].permissions[2]",
            "`miner:fly` is not in `catalog.permissions`",
        ),
        ("\"miner:*\", \"*\"", "¦\"miner\"", "$.roles[0].permissions[1]", "`miner` is no permission key"),
        ("\"miner:*\", \"*\"", "¦\":*\"", "$.roles[0].permissions[1]", "`:*` is no permission key"),
        (
            "\"permissions\": [\"secret:*\"]",
            "\"permissions\": [¦\"secret:read\"]",
            "$.grants[0].permissions[0]",
            "not in `catalog.permissions`",
        ),
    ]);
}

#[test]
fn lengths() {
    let long = "x".repeat(4097);
    let case = |piece: &str, instead: &str, path: &str| {
        check(&[(piece, &instead.replace('@', &long), path, "4097 bytes long; at most 4096")]);
    };
    case("\"acme\"", "¦\"@\"", "$.organization");
    case("\"Field tech\"", "¦\"@\"", "$.roles[0].name");
    case("{\"x\": \"1\"}", "{\"x\": ¦\"@\"}", "$.grants[0].where.x");
    case("\"id\": \"k1\"", "\"id\": ¦\"@\"", "$.resources[1].id");
    let shortened = format!("$.grants[0].require[\"{}…\"]", &long[..80]);
    case("{\"y\": \"2\"}", "{¦\"@\": \"2\"}", &shortened);
}
