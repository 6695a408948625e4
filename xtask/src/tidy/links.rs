//! Links from page to page lead to something that is committed: to a file, and to a heading where they name one.

use super::{Findings, Source};
use std::collections::BTreeSet;

pub fn check(sources: &[Source], findings: &mut Findings) {
    let paths: BTreeSet<&str> = sources.iter().map(|source| source.path.as_str()).collect();
    for page in sources.iter().filter(|source| source.path.ends_with(".md")) {
        for (line, target) in links(&page.text) {
            if target.contains("://") || target.starts_with("mailto:") {
                continue;
            }
            let (file, heading) = target.split_once('#').unwrap_or((target, ""));
            let path = if file.is_empty() { page.path.clone() } else { resolved(&page.path, file) };
            let mut fault =
                |what: &str| findings.errors.push(format!("{}:{line}: `{target}` {what}", page.path));
            let folder = format!("{path}/");
            if !paths.contains(path.as_str()) && !paths.iter().any(|known| known.starts_with(&folder)) {
                fault("leads to nothing that is committed");
            } else if !heading.is_empty()
                && let Some(other) =
                    sources.iter().find(|source| source.path == path && path.ends_with(".md"))
                && !headings(&other.text).contains(heading)
            {
                fault("names no heading of that page");
            }
        }
    }
}

/// The targets of links outside of code, with their lines.
fn links(text: &str) -> Vec<(usize, &str)> {
    let mut links = Vec::new();
    let mut code = false;
    for (number, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            code = !code;
        }
        if code {
            continue;
        }
        for part in line.split("](").skip(1) {
            if let Some((target, _)) = part.split_once(')')
                && !target.is_empty()
                && !target.contains(' ')
            {
                links.push((number + 1, target));
            }
        }
    }
    links
}

/// A path that a page names, from the root.
fn resolved(page: &str, file: &str) -> String {
    let mut parts: Vec<&str> = page.split('/').collect();
    parts.pop();
    for part in file.split('/') {
        match part {
            "." | "" => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// What headings are called in addresses, as GitHub makes it: lower case, words joined by hyphens, and nothing but letters,
/// digits, hyphens and underscores.
fn headings(text: &str) -> BTreeSet<String> {
    let mut code = false;
    let mut headings = BTreeSet::new();
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            code = !code;
        }
        let title = line.trim_start_matches('#');
        if code || title.len() == line.len() || !title.starts_with(' ') {
            continue;
        }
        let lower = title.trim().to_lowercase();
        let kept = lower.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
        headings.insert(kept.map(|c| if c == ' ' { '-' } else { c }).collect());
    }
    headings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn errors(pages: &[(&str, &str)]) -> Vec<String> {
        let source = |(path, text): &(&str, &str)| Source { path: (*path).into(), text: (*text).into() };
        let mut findings = Findings::default();
        check(&pages.iter().map(source).collect::<Vec<_>>(), &mut findings);
        findings.errors
    }

    #[test]
    fn links_lead_to_files_and_headings() {
        let other = ("docs/b.md", "# B\n\n## How `fast`, and why?\n\n```\n# no heading\n```\n");
        let good = "[a](docs/b.md) [b](docs/b.md#how-fast-and-why) [c](https://x.example/y) [d](docs) [e](#top)\n\n# Top\n";
        assert_eq!(errors(&[("README.md", good), other]), Vec::<String>::new());
        assert_eq!(
            errors(&[("docs/a.md", "[up](../README.md) [b](b.md)"), ("README.md", ""), other]),
            Vec::<String>::new()
        );
        for bad in
            ["[a](docs/c.md)", "[a](docs/b.md#no-heading)", "[a](#nowhere)", "[a](../b.md)", "[a](doc)"]
        {
            assert_eq!(errors(&[("README.md", bad), other]).len(), 1, "{bad}");
        }
        assert!(errors(&[("README.md", "```\n[a](nowhere.md)\n```")]).is_empty(), "code is no link");
    }
}
