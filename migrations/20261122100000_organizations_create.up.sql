-- Organizations, and the head row of each: its revision, which every write of a fact raises.
--
-- Names are not qualified: everything is created in the first schema of the connection's search_path.

-- An id, name or key that a decision compares: by bytes, never empty. 512 bytes keep every composite key inside
-- the 2,704 bytes that one entry of a B-tree may have.
CREATE DOMAIN fact_text AS text COLLATE "C"
    CONSTRAINT fact_text_length CHECK (octet_length(VALUE) BETWEEN 1 AND 512);

-- A moment. 'infinity' has no place in a world document: an absent bound is NULL.
CREATE DOMAIN fact_time AS timestamptz
    CONSTRAINT fact_time_finite CHECK (isfinite(VALUE));

-- Dimensions: a JSON object whose values are strings.
CREATE DOMAIN fact_dimensions AS jsonb
    CONSTRAINT fact_dimensions_strings CHECK (
        jsonb_typeof(VALUE) = 'object' AND NOT jsonb_path_exists(VALUE, '$.* ? (@.type() != "string")'));

-- One row per organization that exists or ever existed: a deleted organization keeps its row, so that one of the
-- same id that is created later continues the numbers and no client ever sees a revision twice.
CREATE TABLE organization_heads (
    organization_id fact_text NOT NULL,
    -- Raised once by every transaction that writes a fact of the organization. u64.
    revision numeric(20, 0) NOT NULL,
    -- The transaction that raised it last: number and start. Both, because numbers start again in a restored dump.
    raised_in xid8 NOT NULL,
    raised_at timestamptz NOT NULL,
    -- Raised by every write of an API key or signing key, so that open streams check theirs again.
    credentials_revision bigint NOT NULL DEFAULT 0,
    -- The last transaction that changed this row: what the gateway asks for.
    changed_in xid8 NOT NULL,
    deleted_at timestamptz,
    CONSTRAINT organization_heads_pkey PRIMARY KEY (organization_id),
    CONSTRAINT organization_heads_revision_range CHECK (revision BETWEEN 0 AND 18446744073709551615)
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 500);

CREATE INDEX organization_heads_changed_in_idx ON organization_heads (changed_in);

CREATE TABLE organizations (
    organization_id fact_text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT organizations_pkey PRIMARY KEY (organization_id),
    CONSTRAINT organizations_head_fkey FOREIGN KEY (organization_id) REFERENCES organization_heads (organization_id)
);

-- A revision never goes back: a client that holds a later one would never take the earlier.
CREATE FUNCTION refuse_lower_revision() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the revision of organization % cannot go from % back to %',
        OLD.organization_id, OLD.revision, NEW.revision
        USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'organization_heads_revision_rises';
END $$;

CREATE TRIGGER organization_heads_revision_rises BEFORE UPDATE ON organization_heads
    FOR EACH ROW WHEN (NEW.revision < OLD.revision) EXECUTE FUNCTION refuse_lower_revision();
ALTER TABLE organization_heads ENABLE ALWAYS TRIGGER organization_heads_revision_rises;

-- Raises the revision of each organization once for the current transaction. The row locks are held until it ends:
-- the next writer of the same organization waits, so revisions have no gaps and are in the order of the commits.
-- A rollback to a savepoint takes back the raise together with the facts.
CREATE FUNCTION raise_revisions(touched text[]) RETURNS void LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    found_count bigint;
BEGIN
    -- In the order of the ids: two statements that touch the same organizations cannot wait for each other.
    PERFORM FROM organization_heads
        WHERE organization_id = ANY (touched)
          AND (raised_in <> pg_current_xact_id() OR raised_at <> transaction_timestamp())
        ORDER BY organization_id FOR NO KEY UPDATE;
    UPDATE organization_heads
        SET revision = revision + 1, raised_in = pg_current_xact_id(), raised_at = transaction_timestamp(),
            changed_in = pg_current_xact_id()
        WHERE organization_id = ANY (touched)
          AND (raised_in <> pg_current_xact_id() OR raised_at <> transaction_timestamp());
    SELECT count(*) INTO found_count FROM organization_heads WHERE organization_id = ANY (touched);
    IF found_count <> cardinality(touched) THEN
        RAISE EXCEPTION 'an organization of % has no row in organization_heads', touched;
    END IF;
END $$;

-- The functions behind watch_facts.
CREATE FUNCTION facts_inserted() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    PERFORM raise_revisions(ARRAY(SELECT DISTINCT organization_id::text FROM new_facts));
    RETURN NULL;
END $$;

-- A row that moves from one organization to another changes both.
CREATE FUNCTION facts_updated() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    PERFORM raise_revisions(ARRAY(
        SELECT organization_id::text FROM old_facts UNION SELECT organization_id::text FROM new_facts));
    RETURN NULL;
END $$;

CREATE FUNCTION facts_deleted() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    PERFORM raise_revisions(ARRAY(SELECT DISTINCT organization_id::text FROM old_facts));
    RETURN NULL;
END $$;

-- TRUNCATE shows no rows; but it runs under a lock that keeps every writer out, so the table itself can be asked.
CREATE FUNCTION facts_truncated() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    touched text[];
BEGIN
    EXECUTE format('SELECT array_agg(DISTINCT organization_id::text) FROM %I.%I', TG_TABLE_SCHEMA, TG_TABLE_NAME)
        INTO touched;
    PERFORM raise_revisions(coalesce(touched, '{}'));
    RETURN NULL;
END $$;

-- Makes every write of a table of facts raise the revision. Each table with facts calls it when it is created.
-- ALWAYS: also under session_replication_role = replica.
CREATE FUNCTION watch_facts(facts regclass) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('CREATE TRIGGER facts_inserted AFTER INSERT ON %s REFERENCING NEW TABLE AS new_facts
        FOR EACH STATEMENT EXECUTE FUNCTION facts_inserted()', facts);
    EXECUTE format('CREATE TRIGGER facts_updated AFTER UPDATE ON %s
        REFERENCING OLD TABLE AS old_facts NEW TABLE AS new_facts
        FOR EACH STATEMENT EXECUTE FUNCTION facts_updated()', facts);
    EXECUTE format('CREATE TRIGGER facts_deleted AFTER DELETE ON %s REFERENCING OLD TABLE AS old_facts
        FOR EACH STATEMENT EXECUTE FUNCTION facts_deleted()', facts);
    EXECUTE format('CREATE TRIGGER facts_truncated BEFORE TRUNCATE ON %s
        FOR EACH STATEMENT EXECUTE FUNCTION facts_truncated()', facts);
    EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER facts_inserted, ENABLE ALWAYS TRIGGER facts_updated,
        ENABLE ALWAYS TRIGGER facts_deleted, ENABLE ALWAYS TRIGGER facts_truncated', facts);
END $$;

-- A new organization starts at revision 1, or one above what an earlier one of its id had. Whoever wants another
-- number (an import) writes the head row first, in the same transaction.
CREATE FUNCTION organization_created() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    INSERT INTO organization_heads AS head (organization_id, revision, raised_in, raised_at, changed_in)
        VALUES (NEW.organization_id, 1, pg_current_xact_id(), transaction_timestamp(), pg_current_xact_id())
        ON CONFLICT (organization_id) DO UPDATE SET deleted_at = NULL, changed_in = pg_current_xact_id();
    PERFORM raise_revisions(ARRAY[NEW.organization_id::text]);
    RETURN NEW;
END $$;

CREATE TRIGGER organization_created BEFORE INSERT ON organizations
    FOR EACH ROW EXECUTE FUNCTION organization_created();

CREATE FUNCTION organizations_deleted() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    gone text[] := ARRAY(SELECT organization_id::text FROM old_facts);
BEGIN
    PERFORM raise_revisions(gone);
    UPDATE organization_heads SET deleted_at = now(), changed_in = pg_current_xact_id()
        WHERE organization_id = ANY (gone);
    RETURN NULL;
END $$;

CREATE TRIGGER organizations_deleted AFTER DELETE ON organizations REFERENCING OLD TABLE AS old_facts
    FOR EACH STATEMENT EXECUTE FUNCTION organizations_deleted();

CREATE FUNCTION organizations_truncated() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    gone text[] := ARRAY(SELECT organization_id::text FROM organizations);
BEGIN
    PERFORM raise_revisions(gone);
    UPDATE organization_heads SET deleted_at = now(), changed_in = pg_current_xact_id()
        WHERE organization_id = ANY (gone);
    RETURN NULL;
END $$;

CREATE TRIGGER organizations_truncated BEFORE TRUNCATE ON organizations
    FOR EACH STATEMENT EXECUTE FUNCTION organizations_truncated();

-- Clients know an organization by its id: another id is another organization.
CREATE FUNCTION refuse_organization_rename() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'an organization keeps its id: % cannot become %', OLD.organization_id, NEW.organization_id
        USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'organizations_id_stays';
END $$;

CREATE TRIGGER organizations_id_stays BEFORE UPDATE ON organizations
    FOR EACH ROW WHEN (NEW.organization_id <> OLD.organization_id) EXECUTE FUNCTION refuse_organization_rename();

ALTER TABLE organizations
    ENABLE ALWAYS TRIGGER organization_created, ENABLE ALWAYS TRIGGER organizations_deleted,
    ENABLE ALWAYS TRIGGER organizations_truncated, ENABLE ALWAYS TRIGGER organizations_id_stays;

-- The functions run with their owner's rights, so that a role that may write facts need not be able to write heads;
-- their search_path is therefore pinned, with the temporary schema last.
DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['raise_revisions(text[])', 'facts_inserted()', 'facts_updated()', 'facts_deleted()',
        'facts_truncated()', 'organization_created()', 'organizations_deleted()', 'organizations_truncated()']
    LOOP
        EXECUTE format('ALTER FUNCTION %s SET search_path = %I, pg_temp', name, current_schema());
    END LOOP;
END $$;
REVOKE EXECUTE ON FUNCTION raise_revisions(text[]) FROM PUBLIC;
