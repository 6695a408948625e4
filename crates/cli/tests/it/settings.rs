//! `--config FILE`.

use crate::{Folder, complaint, fresh, postern, server, text};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

/// What the command says of such a file.
fn said_of(command: &str, contents: &str) -> String {
    let folder = Folder::new("settings");
    let file = folder.file("postern.toml", contents);
    let said = complaint(&postern(&[command, "--config", text(&file)]));
    said.strip_prefix(text(&file)).expect("which file it is about").to_owned()
}

#[test]
fn a_mistake_is_told_with_its_line() {
    let cases = [
        ("listen = \n", ":1: "),
        (
            "# where\nlisten = \"here\"\n",
            ":2: `listen`: invalid value 'here' for '--listen <ADDRESS:PORT>': invalid socket address",
        ),
        ("\n\npoll-ms = 4", ":3: `poll-ms`: invalid value '4' for '--poll-ms <MS>': 4 is not in 5..=60000"),
        (
            "log-format = 'xml'",
            ":1: `log-format`: invalid value 'xml' for '--log-format <FORMAT>' [possible values: text, json]",
        ),
        ("shared-caches = 'yes'", ":1: `shared-caches`: is true or false"),
        ("connections = [1, 2]", ":1: `connections` takes one value"),
        ("listen = []", ":1: `listen` takes one value"),
        (
            "connections = 1.5",
            ":1: `connections` is a text, a number, true or false, or a list of texts, without a table",
        ),
        ("[limits]\nmax-streams = 5", ":1: there is no setting `limits`: there are allow-origin, catalog, "),
        ("lisen = 'x'", ":1: there is no setting `lisen`: there are allow-origin, "),
        ("config = 'other.toml'", ":1: there is no setting `config`: "),
        (
            "allow-origin = ['https://app.example.com', 'app.example.com']",
            ":1: `allow-origin`: invalid value 'app.example.com'",
        ),
    ];
    for (contents, expected) in cases {
        let said = said_of("serve", contents);
        assert!(said.starts_with(expected), "{contents}: {said}");
    }
    // The agent has settings of its own.
    assert!(
        said_of("edge", "poll-ms = 50").starts_with(":1: there is no setting `poll-ms`: there are gateway, ")
    );
}

#[test]
fn a_file_that_is_not_there_is_told() {
    let said = complaint(&postern(&["serve", "--config", "/nowhere/postern.toml"]));
    assert_eq!(said, "/nowhere/postern.toml: No such file or directory (os error 2)");
}

#[test]
fn what_is_required_may_be_in_the_file() {
    let folder = Folder::new("settings-edge");
    // It is read far enough to find that there are no such keys.
    let settings =
        "gateway = 'http://127.0.0.1:1'\norganization = 'acme'\nkey = 'pk'\nkeys = '/nowhere/keys.json'";
    let file = folder.file("edge.toml", settings);
    let said = complaint(&postern(&["edge", "--config", text(&file)]));
    assert!(said.contains("/nowhere/keys.json"), "{said}");
}

/// Ends with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The `policy_decision_point` of the metadata of a gateway with these flags and variables.
fn public_url(flags: &[&str], variables: &[(&str, &str)]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_postern"));
    command.arg("serve").args(flags).envs(variables.iter().copied());
    let mut gateway = Running(command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap());
    let mut line = String::new();
    BufReader::new(gateway.0.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let address = line.trim().strip_prefix("listening on http://").expect(&line);
    let mut stream = TcpStream::connect(address).unwrap();
    let request = "GET /.well-known/authzen-configuration HTTP/1.0\r\nHost: localhost\r\n\r\n";
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (_, body) = answer.split_once("\r\n\r\n").expect(&answer);
    let body: serde_json::Value = serde_json::from_str(body).unwrap();
    body["policy_decision_point"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_flag_comes_before_a_variable_and_that_before_the_file() {
    let server = server().await;
    let url = fresh(&server, "settings").await;
    let folder = Folder::new("settings-order");
    let settings = format!(
        "database-url = \"{url}\"\nlisten = \"127.0.0.1:0\"\ndefault-organization = \"acme\"\n\
         public-url = \"https://file.example.com\"\nmax-streams = 1_000\nshared-caches = true\n\
         allow-origin = [\"https://a.example.com\", \"https://b.example.com\"]\n"
    );
    let file = folder.file("postern.toml", &settings);
    let config = ["--config", text(&file)];
    let asked = tokio::task::spawn_blocking({
        let config: Vec<String> = config.map(str::to_owned).to_vec();
        move || {
            let config: Vec<&str> = config.iter().map(String::as_str).collect();
            let variable = [("POSTERN_PUBLIC_URL", "https://variable.example.com")];
            let flagged = [&config[..], &["--public-url", "https://flag.example.com"]].concat();
            let by_variable = [("POSTERN_CONFIG", config[1])];
            [
                public_url(&config, &[]),
                public_url(&[], &by_variable),
                public_url(&config, &variable),
                public_url(&flagged, &variable),
            ]
        }
    });
    let found = asked.await.unwrap();
    server.stop().await;
    assert_eq!(
        found,
        ["https://file", "https://file", "https://variable", "https://flag"]
            .map(|name| format!("{name}.example.com"))
    );
}

/// Every flag of a command is in the table of its page.
#[test]
fn every_setting_is_documented() {
    for (command, page) in [("serve", "gateway.md"), ("edge", "edge.md")] {
        let help = postern(&[command, "--help"]);
        let help = String::from_utf8(help.stdout).unwrap();
        let page =
            std::fs::read_to_string(format!("{}/../../docs/{page}", env!("CARGO_MANIFEST_DIR"))).unwrap();
        let flags: Vec<&str> = help
            .split_whitespace()
            .filter_map(|word| word.strip_prefix("--"))
            .filter(|name| *name != "help" && name.chars().all(|c| c.is_ascii_lowercase() || c == '-'))
            .collect();
        assert!(flags.len() > 8, "{help}");
        for flag in flags {
            assert!(
                page.contains(&format!("| `--{flag}` |")),
                "--{flag} is not in the table of docs/{command}.md"
            );
        }
    }
}
