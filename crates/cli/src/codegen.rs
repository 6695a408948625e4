//! Code that names what a catalog has: `docs/codegen.md`.
//!
//! The same catalog gives the same text, whatever machine, moment or order. Names come from whoever manages the catalog,
//! so nothing of them reaches the text but as a literal, an identifier that is made here, or a comment on one line.

mod identifiers;
mod rust;
mod text;
mod typescript;

use identifiers::Taken;
use postern_gateway::cli::CatalogNames;
use postern_snapshot::catalog_hash;

/// A language that code is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Lang {
    /// TypeScript, for `@postern/client` and what stands on it.
    Ts,
    /// Rust: one module, without dependencies and without `std`.
    Rust,
}

/// What a catalog has, sorted by bytes, with its hash.
struct Catalog {
    types: Vec<String>,
    permissions: Vec<Permission>,
    hash: String,
}

struct Permission {
    key: String,
    /// What comes before the last colon of the key.
    kind: String,
    /// What follows it.
    action: String,
    /// What a comment says of it.
    about: String,
}

/// Writes the code for a catalog. `package`: whose `Register` TypeScript augments.
///
/// # Errors
/// Two names for which no two identifiers can be made.
pub(crate) fn generate(lang: Lang, names: CatalogNames, package: &str) -> Result<String, Taken> {
    let catalog = Catalog::new(names);
    match lang {
        Lang::Ts => Ok(typescript::write(&catalog, package)),
        Lang::Rust => rust::write(&catalog),
    }
}

impl Catalog {
    fn new(CatalogNames { mut types, mut permissions }: CatalogNames) -> Self {
        types.sort_unstable();
        permissions.sort_unstable();
        let hash =
            catalog_hash(types.iter().map(String::as_str), permissions.iter().map(|(key, _)| key.as_str()));
        let permissions = permissions.into_iter().map(|(key, description)| {
            // INVARIANT: every key of a catalog has a colon; the document's reader and the schema see to it.
            let (kind, action) = key.rsplit_once(':').unwrap_or(("", &key));
            let (kind, action) = (kind.to_owned(), action.to_owned());
            let about = text::about(&key, &description);
            Permission { key, kind, action, about }
        });
        Catalog { permissions: permissions.collect(), types, hash }
    }
}
