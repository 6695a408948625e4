//! `postern adopt`: an existing database into facts, as a plan says. `docs/adopting.md` is for who does it,
//! `docs/decisions/0010-adoption.md` says why it is so.
//!
//! ```text
//! plan --document, rule, template--> Plan
//! source --keyset pages--> row --fill--> facts --store::adopt--> one transaction with the progress
//! ```
//! Nothing here changes or deletes a fact that is there: rows are added, and `--revert` removes those that were.

mod compare;
mod decisions;
mod document;
mod error;
mod fill;
mod pages;
mod plan;
mod progress;
mod revert;
mod rule;
mod run;
mod template;

pub use compare::{Compared, RuleCompared, compare};
pub use decisions::{Checked, decide};
pub use document::PlanError;
pub use error::{AdoptError, Refused};
pub use plan::{FORMAT, Plan};
pub use progress::{Meter, Tell};
pub use revert::{Reverted, revert};
pub use run::{Adopted, adopt};
