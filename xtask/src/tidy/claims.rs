//! `docs/systems.md` says which test holds a rule: each must be there, and no rule may be without an answer.

use super::{Findings, Source};

const PAGE: &str = "docs/systems.md";

pub fn check(sources: &[Source], findings: &mut Findings) {
    let Some(page) = sources.iter().find(|source| source.path == PAGE) else {
        return findings.errors.push(format!("{PAGE}: is missing"));
    };
    let mut rules = 0;
    for (number, line) in page.text.lines().enumerate() {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let ["", id, rule, held, note, ""] = cells[..] else { continue };
        if id == "id" || id.starts_with('-') {
            continue;
        }
        rules += 1;
        let mut fault = |what: String| findings.errors.push(format!("{PAGE}:{}: {id}: {what}", number + 1));
        if rule.is_empty() || (held.is_empty() && !note.starts_with("**Not built yet**")) {
            fault("neither a test nor a reason".to_owned());
        }
        // What stands between backticks is every second part.
        for claim in held.split('`').skip(1).step_by(2) {
            let (path, wanted) = match claim.split_once("::") {
                Some((path, test)) => (path, format!("fn {test}(")),
                None => (claim, format!("\"id\": \"{id}\"")),
            };
            if !sources.iter().any(|source| source.path == path && source.text.contains(&wanted)) {
                fault(format!("{path} has no `{wanted}`"));
            }
        }
    }
    if rules < 90 {
        findings.errors.push(format!("{PAGE}: only {rules} rules were found"));
    }
}
