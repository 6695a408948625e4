//! From rows to a state: facts are streamed into the compiler as they come from the database.

use super::state::State;
use crate::store::facts::{AssignmentFact, FactSink, GrantFact, PermissionFact, ResourceFact, SubjectFact};
use crate::store::held::Held;
use crate::store::{StoreError, facts};
use postern_compile::{CompileError, Compiler, GrantFacts};
use postern_world::Life;
use sqlx::PgConnection;

/// Why there is no new state. The one before stays in force.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PublishError {
    /// The facts could not be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The facts do not make a snapshot.
    #[error("the facts do not compile: {0}")]
    Compile(#[from] CompileError),
    /// The compiler's output was not taken by its reader.
    #[error("the compiled snapshot cannot be opened: {0}")]
    Open(#[from] postern_snapshot::OpenError),
    /// The compiler panicked.
    #[error("the compiler stopped: {0}")]
    Stopped(#[from] tokio::task::JoinError),
}

/// Compiles an organization as it is now; what is held of an earlier revision need not be read again, and takes the place
/// of what was held. `None` where there is no such organization.
pub async fn compile(
    connection: &mut PgConnection,
    organization: &str,
    held: &mut Option<Held>,
) -> Result<Option<State>, PublishError> {
    // What fails in the middle is not held any more.
    let Some(read) = Held::read(connection, organization, held.take()).await? else {
        return Ok(None);
    };
    let mut sink = CompilerSink::new(organization, false);
    // Seconds of work for a large organization, in which others must be answered.
    let built = tokio::task::spawn_blocking(move || {
        read.tell(&sink.organization.clone(), &mut sink)?;
        let state = sink.build(read.revision, read.epoch.clone())?;
        // Here, and not where others are answered: to give a gigabyte back takes more than a second.
        Ok::<_, PublishError>((Some(read).filter(Held::may_stay), state))
    });
    let (read, state) = built.await??;
    *held = read;
    Ok(Some(state))
}

/// Compiles an organization as the transaction of the connection sees it, which has locked its head. `revision`: that of
/// the head. `firm`: without what counts under conditions; a grant to do something in one environment only is left away,
/// and an exclusion from one holds everywhere. Whoever may do something on these facts may do it whatever is asked.
pub async fn compile_locked(
    connection: &mut PgConnection,
    organization: &str,
    revision: u64,
    firm: bool,
) -> Result<State, PublishError> {
    let mut sink = CompilerSink::new(organization, firm);
    facts::read_locked(connection, organization, revision, &mut sink).await?;
    // It is never sent, so it needs no epoch.
    tokio::task::spawn_blocking(move || sink.build(revision, String::new())).await?
}

struct CompilerSink {
    organization: String,
    compiler: Compiler,
    /// Without conditions.
    firm: bool,
}

impl CompilerSink {
    fn new(organization: &str, firm: bool) -> Self {
        CompilerSink { organization: organization.to_owned(), compiler: Compiler::new(organization, 0), firm }
    }

    fn build(self, revision: u64, epoch: String) -> Result<State, PublishError> {
        let bytes = self.compiler.finish()?.to_bytes();
        State::new(revision, epoch, bytes.into())
    }
}

impl FactSink for CompilerSink {
    fn begin(&mut self, organization: &str, revision: u64) -> Result<(), StoreError> {
        self.compiler = Compiler::new(organization, revision);
        Ok(())
    }

    fn resource_type(&mut self, name: &str, flags: [bool; 3], owner: &[&str]) -> Result<(), StoreError> {
        let [scope, narrows, registered] = flags;
        self.compiler.resource_type(name, scope, narrows, registered, owner);
        Ok(())
    }

    fn permission(&mut self, fact: &PermissionFact<'_>) -> Result<(), StoreError> {
        self.compiler.permission(fact.key, fact.implied_by, fact.excluded_by, fact.works_when_inactive);
        Ok(())
    }

    fn subject(&mut self, fact: &SubjectFact<'_>) -> Result<(), StoreError> {
        self.compiler.subject(fact.id, fact.aliases, fact.attributes, fact.life);
        Ok(())
    }

    fn membership(&mut self, subject: &str, group: &str, life: Life) -> Result<(), StoreError> {
        self.compiler.membership(subject, group, life);
        Ok(())
    }

    fn resource(&mut self, fact: &ResourceFact<'_>) -> Result<(), StoreError> {
        self.compiler.resource(fact.kind, fact.id, fact.owner, fact.attributes, fact.life);
        Ok(())
    }

    fn parent(
        &mut self,
        child: (&str, &str),
        parent: (&str, &str),
        cap: Option<&[&str]>,
    ) -> Result<(), StoreError> {
        self.compiler.parent(child, parent, cap);
        Ok(())
    }

    fn role(&mut self, id: &str, name: &str, permissions: &[&str], active: bool) -> Result<(), StoreError> {
        self.compiler.role(id, name, permissions, active);
        Ok(())
    }

    fn assignment(&mut self, fact: &AssignmentFact<'_>) -> Result<(), StoreError> {
        self.compiler.assignment(fact.subject, fact.role, fact.at, fact.life);
        Ok(())
    }

    fn grant(&mut self, fact: &GrantFact<'_>) -> Result<(), StoreError> {
        let conditional =
            !fact.conditions.is_empty() || !fact.require.is_empty() || fact.own || fact.session.is_some();
        if self.firm && conditional && !fact.exclude {
            return Ok(());
        }
        // An exclusion that begins later holds already for whoever must hold something for good.
        let from_now = Life { not_before: None, ..fact.life };
        self.compiler.grant(&GrantFacts {
            subject: fact.subject,
            exclude: fact.exclude,
            permissions: fact.permissions,
            at: fact.at,
            conditions: if self.firm { &[] } else { fact.conditions },
            require: if self.firm { &[] } else { fact.require },
            own: fact.own && !self.firm,
            session: fact.session.filter(|_| !self.firm),
            life: if self.firm && fact.exclude { from_now } else { fact.life },
        });
        Ok(())
    }
}
