//! Assignments.

use super::{Item, Range, Statement, bounds, iso, moment};
use crate::store::StoreError;
use crate::store::facts::AssignmentFact;
use sqlx::PgConnection;
use uuid::Uuid;

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT assignment_id::text, jsonb_build_object('id', assignment_id, 'subject', subject_id,
                'role', role_id, 'at', CASE WHEN at_type IS NOT NULL
                    THEN jsonb_build_object('type', at_type, 'id', at_id) END,
                'active', active, 'not_before', ",
            iso!("not_before"),
            ", 'expires_at', ",
            iso!("expires_at"),
            ")::text FROM assignments WHERE organization_id = $1 ",
            $rest
        )
    };
}

/// A part of the list, by id; of one subject or role if wanted.
pub async fn list(
    connection: &mut PgConnection,
    organization: &str,
    subject: Option<&str>,
    role: Option<&str>,
    range: &Range,
) -> Result<Vec<Item>, StoreError> {
    let statement = select!(
        "AND ($2::uuid IS NULL OR assignment_id > $2) AND ($4::text IS NULL OR subject_id = $4)
         AND ($5::text IS NULL OR role_id = $5) ORDER BY assignments.assignment_id LIMIT $3"
    );
    Item::page(connection, statement, organization, range, &[subject, role]).await
}

/// One assignment.
pub async fn get(
    connection: &mut PgConnection,
    organization: &str,
    id: Uuid,
) -> Result<Option<Item>, StoreError> {
    Item::by_id(connection, select!("AND assignment_id = $2"), organization, id).await
}

/// Makes an assignment, unless this very one is there; whether it was made.
pub async fn insert(
    connection: &mut PgConnection,
    organization: &str,
    fact: &AssignmentFact<'_>,
) -> Result<bool, StoreError> {
    let (not_before, expires_at) = bounds(fact.life);
    let made = sqlx::query(concat!(
        "INSERT INTO assignments
            (organization_id, subject_id, role_id, at_type, at_id, active, not_before, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, ",
        moment!("$7"),
        ", ",
        moment!("$8"),
        ") ON CONFLICT DO NOTHING"
    ));
    let made = bind(made, organization, fact).bind(not_before).bind(expires_at).execute(connection).await?;
    Ok(made.rows_affected() > 0)
}

/// The assignment that says this.
pub async fn same(
    connection: &mut PgConnection,
    organization: &str,
    fact: &AssignmentFact<'_>,
) -> Result<Option<Item>, StoreError> {
    let (not_before, expires_at) = bounds(fact.life);
    let statement = sqlx::query(concat!(
        select!(
            "AND subject_id = $2 AND role_id = $3 AND (at_type, at_id) IS NOT DISTINCT FROM ($4, $5) AND active = $6"
        ),
        " AND not_before IS NOT DISTINCT FROM ",
        moment!("$7"),
        " AND expires_at IS NOT DISTINCT FROM ",
        moment!("$8")
    ));
    Item::one(connection, bind(statement, organization, fact).bind(not_before).bind(expires_at)).await
}

/// The first six parameters of both.
fn bind<'q>(statement: Statement<'q>, organization: &'q str, fact: &AssignmentFact<'q>) -> Statement<'q> {
    statement
        .bind(organization)
        .bind(fact.subject)
        .bind(fact.role)
        .bind(fact.at.map(|at| at.0))
        .bind(fact.at.map(|at| at.1))
        .bind(fact.life.active)
}

/// Deletes an assignment.
pub async fn delete(connection: &mut PgConnection, organization: &str, id: Uuid) -> Result<(), StoreError> {
    let statement = "DELETE FROM assignments WHERE organization_id = $1 AND assignment_id = $2";
    super::execute_by_id(connection, statement, organization, id).await
}
