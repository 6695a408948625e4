-- Which facts each of the last revisions changed, so that a gateway reads those again and not all of them.

-- What a revision changed: rows of one relation, by what they are read by. A revision without a row here, or with a
-- relation that a gateway does not know, changed anything. These are no facts: they raise no revision.
CREATE TABLE fact_changes (
    organization_id fact_text NOT NULL,
    revision numeric(20, 0) NOT NULL,
    -- resource_types, permissions, subjects, memberships, resources, roles, assignments, grants; '*': anything.
    relation text COLLATE "C" NOT NULL,
    -- The subject, role, permission or type, of a resource too; '': any.
    key text COLLATE "C" NOT NULL,
    -- The id of the resource; else ''.
    key2 text COLLATE "C" NOT NULL,
    CONSTRAINT fact_changes_pkey PRIMARY KEY (organization_id, revision, relation, key, key2)
);

-- The statement that takes down what another one has changed. `facts`: the transition table, or a query of both.
-- LIMIT: 256 keys a statement and organization; what changes more changes the relation.
CREATE FUNCTION note_changes_sql(changed_table text, facts text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    relation text := '*';
    key text := '''''';
    key2 text := '''''';
BEGIN
    CASE
        WHEN changed_table IN ('resource_types', 'owner_permissions') THEN
            relation := 'resource_types'; key := 'fact.resource_type';
        WHEN changed_table IN ('permissions', 'permission_links') THEN
            relation := 'permissions'; key := 'fact.permission_key';
        WHEN changed_table IN ('subjects', 'subject_aliases') THEN
            relation := 'subjects'; key := 'fact.subject_id';
        WHEN changed_table IN ('memberships', 'assignments', 'grants') THEN
            relation := changed_table; key := 'fact.subject_id';
        WHEN changed_table = 'resources' THEN
            relation := 'resources'; key := 'fact.resource_type'; key2 := 'fact.resource_id';
        WHEN changed_table = 'resource_parents' THEN
            relation := 'resources'; key := 'fact.child_type'; key2 := 'fact.child_id';
        WHEN changed_table IN ('roles', 'role_permissions') THEN
            relation := 'roles'; key := 'fact.role_id';
        WHEN changed_table = 'grant_permissions' THEN
            -- NULL where the grant goes in the same transaction, which says so itself.
            relation := 'grants';
            key := '(SELECT held.subject_id FROM grants AS held
                WHERE held.organization_id = fact.organization_id AND held.grant_id = fact.grant_id)';
        ELSE
            -- Tables that are younger than this list.
            NULL;
    END CASE;
    RETURN format(
        'WITH changed AS (
            SELECT DISTINCT fact.organization_id::text AS organization_id, (%s)::text AS key, (%s)::text AS key2
            FROM %s AS fact),
        counted AS (SELECT organization_id, count(*) > 256 AS many FROM changed GROUP BY organization_id)
        INSERT INTO fact_changes (organization_id, revision, relation, key, key2)
        SELECT DISTINCT head.organization_id, head.revision, %L,
            CASE WHEN many THEN '''' ELSE key END, CASE WHEN many THEN '''' ELSE key2 END
        FROM changed JOIN counted USING (organization_id) JOIN organization_heads AS head USING (organization_id)
        WHERE key IS NOT NULL ON CONFLICT DO NOTHING', key, key2, facts, relation);
END $$;

-- As before, and each takes down what it changed, under the revision that it raised.
CREATE OR REPLACE FUNCTION facts_inserted() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    PERFORM raise_revisions(ARRAY(SELECT DISTINCT organization_id::text FROM new_facts));
    EXECUTE note_changes_sql(TG_TABLE_NAME, 'new_facts');
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION facts_updated() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    PERFORM raise_revisions(ARRAY(
        SELECT organization_id::text FROM old_facts UNION SELECT organization_id::text FROM new_facts));
    EXECUTE note_changes_sql(TG_TABLE_NAME, '(SELECT * FROM old_facts UNION ALL SELECT * FROM new_facts)');
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION facts_deleted() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    PERFORM raise_revisions(ARRAY(SELECT DISTINCT organization_id::text FROM old_facts));
    EXECUTE note_changes_sql(TG_TABLE_NAME, 'old_facts');
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION facts_truncated() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    touched text[];
BEGIN
    EXECUTE format('SELECT array_agg(DISTINCT organization_id::text) FROM %I.%I', TG_TABLE_SCHEMA, TG_TABLE_NAME)
        INTO touched;
    PERFORM raise_revisions(coalesce(touched, '{}'));
    INSERT INTO fact_changes (organization_id, revision, relation, key, key2)
        SELECT organization_id, revision, '*', '', '' FROM organization_heads
        WHERE organization_id = ANY (touched) ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;

-- What no gateway asks for any more goes, some revisions at a time.
CREATE FUNCTION forget_changes() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    DELETE FROM fact_changes WHERE organization_id = NEW.organization_id AND revision < NEW.revision - 512;
    RETURN NULL;
END $$;

CREATE TRIGGER organization_heads_forget_changes AFTER UPDATE ON organization_heads
    FOR EACH ROW WHEN (NEW.revision <> OLD.revision AND NEW.revision % 64 = 0) EXECUTE FUNCTION forget_changes();
ALTER TABLE organization_heads ENABLE ALWAYS TRIGGER organization_heads_forget_changes;

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['facts_inserted()', 'facts_updated()', 'facts_deleted()', 'facts_truncated()',
        'forget_changes()']
    LOOP
        EXECUTE format('ALTER FUNCTION %s SET search_path = %I, pg_temp', name, current_schema());
    END LOOP;
END $$;
