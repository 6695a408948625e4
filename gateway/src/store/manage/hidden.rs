//! What somebody holds that asking now, without conditions, does not show.

use crate::store::StoreError;
use sqlx::PgConnection;
use std::collections::BTreeSet;

/// For each of these subjects: every grant and exclusion that it, a group that it can ever reach, or a role of theirs
/// holds; what begins only later; what they own; and its attributes that some grant looks at. As texts that are the same
/// as long as all of that is.
pub async fn of(
    connection: &mut PgConnection,
    organization: &str,
    subjects: &[String],
) -> Result<BTreeSet<String>, StoreError> {
    let rows: Vec<String> = sqlx::query_scalar(
        "WITH RECURSIVE reached AS (
            SELECT wanted COLLATE \"C\" AS origin, wanted COLLATE \"C\" AS id FROM unnest($2) AS wanted
            UNION
            SELECT origin, next.id FROM reached CROSS JOIN LATERAL (
                SELECT alias_id::text COLLATE \"C\" AS id FROM subject_aliases
                WHERE organization_id = $1 AND subject_id = reached.id
                UNION ALL
                SELECT group_id::text COLLATE \"C\" FROM memberships
                WHERE organization_id = $1 AND subject_id = reached.id) AS next)
        SELECT jsonb_build_array(origin, 'grant', grant_id)::text FROM reached
            JOIN grants ON organization_id = $1 AND subject_id = reached.id
        UNION ALL
        SELECT jsonb_build_array(origin, 'role grant', assignment.assignment_id, held.grant_id)::text FROM reached
            JOIN assignments AS assignment ON assignment.organization_id = $1 AND assignment.subject_id = reached.id
            JOIN roles AS role ON role.organization_id = $1 AND role.role_id = assignment.role_id AND role.active
            JOIN grants AS held ON held.organization_id = $1 AND held.subject_id = assignment.role_id
        UNION ALL
        SELECT jsonb_build_array(origin, 'later', assignment_id)::text FROM reached
            JOIN assignments ON organization_id = $1 AND subject_id = reached.id AND not_before > now()
        UNION ALL
        SELECT jsonb_build_array(origin, 'later', membership_id)::text FROM reached
            JOIN memberships ON organization_id = $1 AND subject_id = reached.id AND not_before > now()
        UNION ALL
        SELECT jsonb_build_array(origin, 'later', subject_id, not_before)::text FROM reached
            JOIN subjects ON organization_id = $1 AND subject_id = reached.id AND not_before > now()
        UNION ALL
        SELECT jsonb_build_array(origin, 'owner', resource_type, resource_id)::text FROM reached
            JOIN resources AS owned ON owned.organization_id = $1 AND owned.owner_id = reached.id
            WHERE EXISTS (SELECT FROM owner_permissions AS entry
                WHERE entry.organization_id = $1 AND entry.resource_type = owned.resource_type)
        UNION ALL
        SELECT jsonb_build_array(origin, 'attribute', attribute.key, attribute.value)::text FROM reached
            JOIN subjects AS subject ON subject.organization_id = $1 AND subject.subject_id = reached.id
            CROSS JOIN LATERAL jsonb_each_text(subject.attributes) AS attribute
            WHERE EXISTS (SELECT FROM grants AS looking WHERE looking.organization_id = $1
                AND (looking.conditions || looking.require) ? ('subject.' || attribute.key))",
    )
    .bind(organization)
    .bind(subjects)
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().collect())
}

/// Whether somebody, a group that it can ever reach, everybody, or a role of theirs holds a grant or exclusion that
/// counts under a condition or at some time only.
pub async fn conditional(
    connection: &mut PgConnection,
    organization: &str,
    subject: &str,
) -> Result<bool, StoreError> {
    Ok(sqlx::query_scalar(
        "WITH RECURSIVE reached AS (
            SELECT start COLLATE \"C\" AS id FROM unnest(ARRAY[$2, 'user:all']) AS start
            UNION
            SELECT next.id FROM reached CROSS JOIN LATERAL (
                SELECT alias_id::text COLLATE \"C\" AS id FROM subject_aliases
                WHERE organization_id = $1 AND subject_id = reached.id
                UNION ALL
                SELECT subject_id::text COLLATE \"C\" FROM subject_aliases
                WHERE organization_id = $1 AND alias_id = reached.id
                UNION ALL
                SELECT group_id::text COLLATE \"C\" FROM memberships
                WHERE organization_id = $1 AND subject_id = reached.id
                UNION ALL
                SELECT role_id::text COLLATE \"C\" FROM assignments
                WHERE organization_id = $1 AND subject_id = reached.id) AS next)
        SELECT EXISTS (SELECT FROM grants AS held JOIN reached ON held.subject_id = reached.id
            WHERE held.organization_id = $1 AND held.active AND (held.conditions <> '{}' OR held.require <> '{}'
                OR held.own OR held.session_id IS NOT NULL OR held.not_before > now()))",
    )
    .bind(organization)
    .bind(subject)
    .fetch_one(connection)
    .await?)
}
