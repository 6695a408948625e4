-- What the management interface needs beside the facts: what roles are to people, who may write, what was written.

ALTER TABLE roles
    -- NULL: made by people. Else what `postern serve --catalog` calls it.
    ADD COLUMN builtin_key fact_text,
    -- Nobody changes it; `--catalog` repairs it at every start.
    ADD COLUMN immutable boolean NOT NULL DEFAULT false,
    -- The name, trimmed and in lower case. NULL for roles that were imported or written by SQL: those may share names.
    ADD COLUMN name_key fact_text,
    ADD CONSTRAINT roles_immutable_builtin CHECK (builtin_key IS NOT NULL OR NOT immutable);
CREATE UNIQUE INDEX roles_builtin_key ON roles (organization_id, builtin_key);
CREATE UNIQUE INDEX roles_name_key ON roles (organization_id, name_key);

ALTER TABLE api_keys
    -- Without it the key reads and asks only.
    ADD COLUMN can_write boolean NOT NULL DEFAULT false,
    -- Whose current rights it has in the management interface. NULL: it is an operator's, and has all of its organization's.
    ADD COLUMN subject_id fact_text,
    ADD CONSTRAINT api_keys_subject_form CHECK (
        strpos(subject_id, ':') > 1 AND substr(subject_id, strpos(subject_id, ':') + 1) NOT IN ('', '*', 'all'));

-- Who wrote what through the management interface: in the transaction of the write. Kept when the organization is deleted.
CREATE TABLE audit_events (
    organization_id fact_text NOT NULL,
    audit_event_id bigint GENERATED ALWAYS AS IDENTITY,
    occurred_at timestamptz NOT NULL DEFAULT transaction_timestamp(),
    -- That the write made.
    revision numeric(20, 0) NOT NULL,
    -- A subject, or `key:<prefix>` of an operator's key, or `gateway`.
    actor fact_text NOT NULL,
    -- <what>.<what was done>
    operation fact_text NOT NULL,
    -- The id of what was written.
    target fact_text NOT NULL,
    -- NULL: it was not there.
    before jsonb,
    -- NULL: it is no more.
    after jsonb,
    request_id text COLLATE "C",
    CONSTRAINT audit_events_pkey PRIMARY KEY (organization_id, audit_event_id)
);

CREATE FUNCTION refuse_audit_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'what was audited is neither changed nor deleted'
        USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'audit_events_stay';
END $$;

CREATE TRIGGER audit_events_stay BEFORE UPDATE OR DELETE ON audit_events
    FOR EACH ROW EXECUTE FUNCTION refuse_audit_change();

-- Answers to writes that may be sent again: in the transaction of the write.
CREATE TABLE idempotency_keys (
    organization_id fact_text NOT NULL,
    actor fact_text NOT NULL,
    idempotency_key fact_text NOT NULL,
    -- SHA-256 of method, path and body: the same key with another request is a mistake.
    request_digest bytea NOT NULL,
    answer jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT transaction_timestamp(),
    CONSTRAINT idempotency_keys_pkey PRIMARY KEY (organization_id, actor, idempotency_key),
    CONSTRAINT idempotency_keys_digest_length CHECK (octet_length(request_digest) = 32),
    CONSTRAINT idempotency_keys_organization_fkey FOREIGN KEY (organization_id)
        REFERENCES organizations (organization_id) ON DELETE CASCADE
);
CREATE INDEX idempotency_keys_created_at_idx ON idempotency_keys (organization_id, created_at);

-- How many hold an organization's immutable role everywhere: not over a group, by an assignment that counts now, and
-- themselves not ended.
CREATE FUNCTION super_admin_count(organization text) RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT count(DISTINCT assignment.subject_id)
    FROM roles AS role
    JOIN assignments AS assignment USING (organization_id, role_id)
    LEFT JOIN subjects AS subject
        ON subject.organization_id = assignment.organization_id AND subject.subject_id = assignment.subject_id
    WHERE role.organization_id = organization AND role.immutable AND role.active
      AND assignment.at_type IS NULL AND assignment.group_id IS NULL AND assignment.subject_id <> 'user:all'
      AND assignment.active AND coalesce(assignment.not_before <= now(), true)
      AND coalesce(now() < assignment.expires_at, true)
      AND (subject.subject_id IS NULL OR subject.active AND coalesce(subject.not_before <= now(), true)
           AND coalesce(now() < subject.expires_at, true))
$$;

-- Whoever takes the last one away, by whatever path, is refused. Deferred, so that a transaction may hand the role over
-- in any order; and while the organization's head is locked, as every write of a fact locks it, so that of two
-- transactions the later sees what the earlier did.
CREATE FUNCTION super_admin_stays() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    IF EXISTS (SELECT FROM roles
               WHERE organization_id = OLD.organization_id AND role_id = OLD.role_id AND immutable)
       AND super_admin_count(OLD.organization_id) = 0 THEN
        RAISE EXCEPTION 'organization % would be left without anybody who may do everything', OLD.organization_id
            USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'assignments_super_admin_stays';
    END IF;
    RETURN NULL;
END $$;

CREATE CONSTRAINT TRIGGER assignments_super_admin_stays AFTER UPDATE OR DELETE ON assignments
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (OLD.at_type IS NULL)
    EXECUTE FUNCTION super_admin_stays();

CREATE FUNCTION super_admin_stays_live() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    touched text;
BEGIN
    FOR touched IN
        SELECT DISTINCT was.organization_id FROM old_facts AS was
        JOIN assignments AS assignment USING (organization_id, subject_id)
        JOIN roles AS role USING (organization_id, role_id)
        WHERE role.immutable AND assignment.at_type IS NULL AND was.active
    LOOP
        IF super_admin_count(touched) = 0 THEN
            RAISE EXCEPTION 'organization % would be left without anybody who may do everything', touched
                USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME,
                      CONSTRAINT = 'subjects_super_admin_stays';
        END IF;
    END LOOP;
    RETURN NULL;
END $$;

CREATE TRIGGER subjects_super_admin_stays AFTER UPDATE ON subjects REFERENCING OLD TABLE AS old_facts
    FOR EACH STATEMENT EXECUTE FUNCTION super_admin_stays_live();

ALTER TABLE audit_events ENABLE ALWAYS TRIGGER audit_events_stay;
ALTER TABLE assignments ENABLE ALWAYS TRIGGER assignments_super_admin_stays;
ALTER TABLE subjects ENABLE ALWAYS TRIGGER subjects_super_admin_stays;

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['super_admin_count(text)', 'super_admin_stays()', 'super_admin_stays_live()']
    LOOP
        EXECUTE format('ALTER FUNCTION %s SET search_path = %I, pg_temp', name, current_schema());
    END LOOP;
END $$;
