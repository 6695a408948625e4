DROP TRIGGER organization_heads_forget_changes ON organization_heads;
DROP FUNCTION forget_changes();

CREATE OR REPLACE FUNCTION facts_inserted() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    PERFORM raise_revisions(ARRAY(SELECT DISTINCT organization_id::text FROM new_facts));
    RETURN NULL;
END $$;

-- A row that moves from one organization to another changes both.
CREATE OR REPLACE FUNCTION facts_updated() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    PERFORM raise_revisions(ARRAY(
        SELECT organization_id::text FROM old_facts UNION SELECT organization_id::text FROM new_facts));
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION facts_deleted() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    PERFORM raise_revisions(ARRAY(SELECT DISTINCT organization_id::text FROM old_facts));
    RETURN NULL;
END $$;

-- TRUNCATE shows no rows; but it runs under a lock that keeps every writer out, so the table itself can be asked.
CREATE OR REPLACE FUNCTION facts_truncated() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    touched text[];
BEGIN
    EXECUTE format('SELECT array_agg(DISTINCT organization_id::text) FROM %I.%I', TG_TABLE_SCHEMA, TG_TABLE_NAME)
        INTO touched;
    PERFORM raise_revisions(coalesce(touched, '{}'));
    RETURN NULL;
END $$;

DROP FUNCTION note_changes_sql(text, text);

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['facts_inserted()', 'facts_updated()', 'facts_deleted()', 'facts_truncated()']
    LOOP
        EXECUTE format('ALTER FUNCTION %s SET search_path = %I, pg_temp', name, current_schema());
    END LOOP;
END $$;

DROP TABLE fact_changes;
