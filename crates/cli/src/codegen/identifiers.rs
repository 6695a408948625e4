//! Identifiers for names that may be anything.
//!
//! Where two names give the same identifier, each gets the beginning of its own hash: so an identifier depends on the
//! names that are there, never on their order, and code that used the shared one no longer compiles.

use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fmt;

/// Two names whose identifiers are the same even with their hashes.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Taken {
    names: [String; 2],
    identifier: String,
}

impl fmt::Display for Taken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [first, second] = &self.names;
        let identifier = &self.identifier;
        write!(f, "{first:?} and {second:?} would both be called `{identifier}`: rename one of them")
    }
}

impl std::error::Error for Taken {}

/// How identifiers are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    /// `MINER_REBOOT`
    Constant,
    /// `MinerReboot`
    Variant,
}

/// An identifier for each name, in their order.
pub(super) fn identifiers(names: &[&str], style: Style) -> Result<Vec<String>, Taken> {
    let mut all: Vec<String> = names.iter().map(|name| identifier(name, style)).collect();
    let mut owners: BTreeMap<&str, usize> = BTreeMap::new();
    for identifier in &all {
        *owners.entry(identifier).or_default() += 1;
    }
    let marked = all.iter().zip(names).map(|(identifier, name)| {
        // The one keyword that is written like a variant, and the constant beside the variants.
        let reserved =
            identifier.is_empty() || (style == Style::Variant && ["Self", "ALL"].contains(&&**identifier));
        let alone = owners[identifier.as_str()] == 1 && !reserved;
        if alone { identifier.clone() } else { mark(identifier, name, style) }
    });
    all = marked.collect();
    let mut owners: BTreeMap<&str, &str> = BTreeMap::new();
    for (identifier, name) in all.iter().zip(names) {
        if let Some(first) = owners.insert(identifier, name) {
            let names = [first.to_owned(), (*name).to_owned()];
            return Err(Taken { names, identifier: identifier.clone() });
        }
    }
    Ok(all)
}

/// The identifier that a name asks for; empty where no character of it can be in one.
fn identifier(name: &str, style: Style) -> String {
    let words = words(name).into_iter();
    let joined = match style {
        Style::Constant => words.map(|word| word.to_ascii_uppercase()).collect::<Vec<_>>().join("_"),
        Style::Variant => words.map(|word| word[..1].to_ascii_uppercase() + &word[1..]).collect(),
    };
    match (joined.starts_with(|c: char| c.is_ascii_digit()), style) {
        (false, _) => joined,
        (true, Style::Constant) => format!("N_{joined}"),
        (true, Style::Variant) => format!("N{joined}"),
    }
}

/// The words of a name: between what is no letter or digit, and where a capital follows a small letter.
fn words(name: &str) -> Vec<String> {
    let (mut words, mut word) = (Vec::new(), String::new());
    for character in name.chars() {
        let begins = character.is_ascii_uppercase() && word.ends_with(|c: char| !c.is_ascii_uppercase());
        if begins || !character.is_ascii_alphanumeric() {
            words.push(std::mem::take(&mut word));
        }
        if character.is_ascii_alphanumeric() {
            word.push(character);
        }
    }
    words.push(word);
    words.retain(|word| !word.is_empty());
    words
}

/// An identifier that only this name has.
fn mark(identifier: &str, name: &str, style: Style) -> String {
    let digest = Sha256::digest(name);
    let digits: String = digest.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
    match style {
        Style::Constant if identifier.is_empty() => format!("X_{}", digits.to_ascii_uppercase()),
        Style::Constant => format!("{identifier}_X{}", digits.to_ascii_uppercase()),
        Style::Variant => format!("{identifier}X{digits}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(names: &[&str], style: Style) -> Vec<String> {
        identifiers(names, style).unwrap()
    }

    #[test]
    fn names_become_identifiers() {
        let names = ["miner:update_worker_names", "a.b:c-d", "csv:downloadCSV", "3d:view", "_x:_y_"];
        let constants = ["MINER_UPDATE_WORKER_NAMES", "A_B_C_D", "CSV_DOWNLOAD_CSV", "N_3D_VIEW", "X_Y"];
        let variants = ["MinerUpdateWorkerNames", "ABCD", "CsvDownloadCSV", "N3dView", "XY"];
        assert_eq!(of(&names, Style::Constant), constants);
        assert_eq!(of(&names, Style::Variant), variants);
    }

    #[test]
    fn names_that_share_an_identifier_get_their_own_whatever_the_order() {
        for style in [Style::Constant, Style::Variant] {
            let there = of(&["a:b_c", "a:b", "a:b-c", "A:B-C"], style);
            let mut back = of(&["A:B-C", "a:b-c", "a:b", "a:b_c"], style);
            back.reverse();
            assert_eq!(there, back);
            assert_eq!(there[1].to_ascii_uppercase().replace('_', ""), "AB", "one that shares nothing stays");
            assert!(there[0].contains('X') && there[2].contains('X') && there[0] != there[2], "{there:?}");
        }
        let apart = of(&["a:b_c", "a:b"], Style::Constant);
        assert_eq!(apart, ["A_B_C", "A_B"]);
    }

    #[test]
    fn what_has_no_letters_or_is_a_keyword_is_told_by_its_hash() {
        let constants = of(&["サイト", "場所", "_:_"], Style::Constant);
        assert!(constants.iter().all(|name| name.len() == 10 && name.starts_with("X_")), "{constants:?}");
        let variants = of(&["self:_", "サイト"], Style::Variant);
        assert!(variants[0].starts_with("SelfX") && variants[1].starts_with('X'), "{variants:?}");
        assert_eq!(of(&["type:match"], Style::Variant), ["TypeMatch"]);
        assert!(of(&["a:l_l"], Style::Variant)[0].starts_with("ALLX"), "beside the list of all");
    }

    #[test]
    fn what_cannot_be_told_apart_is_refused() {
        let marked = mark("A_B", "a:b", Style::Constant);
        let third = marked.to_ascii_lowercase().replacen('_', ":", 1);
        let error = identifiers(&["a:b", "a:B", &third], Style::Constant).unwrap_err();
        let message = format!("\"a:b\" and {third:?} would both be called `{marked}`: rename one of them");
        assert_eq!(error.to_string(), message);
    }
}
