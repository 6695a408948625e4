-- Whoever holds the immutable role without being listed counts as live: to list them as somebody who is not takes the
-- role away from them as well.

CREATE OR REPLACE FUNCTION super_admin_stays_live() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    organizations text[];
    touched text;
BEGIN
    IF NOT EXISTS (SELECT FROM roles WHERE immutable) THEN
        RETURN NULL;
    END IF;
    IF TG_OP = 'INSERT' THEN
        organizations := ARRAY(
            SELECT DISTINCT listed.organization_id FROM new_facts AS listed
            JOIN assignments AS assignment USING (organization_id, subject_id)
            JOIN roles AS role USING (organization_id, role_id)
            WHERE role.immutable AND assignment.at_type IS NULL);
    ELSE
        organizations := ARRAY(
            SELECT DISTINCT was.organization_id FROM old_facts AS was
            JOIN assignments AS assignment USING (organization_id, subject_id)
            JOIN roles AS role USING (organization_id, role_id)
            WHERE role.immutable AND assignment.at_type IS NULL AND was.active);
    END IF;
    FOREACH touched IN ARRAY organizations LOOP
        IF super_admin_count(touched) = 0 THEN
            RAISE EXCEPTION 'organization % would be left without anybody who may do everything', touched
                USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME,
                      CONSTRAINT = 'subjects_super_admin_stays';
        END IF;
    END LOOP;
    RETURN NULL;
END $$;

CREATE TRIGGER subjects_super_admin_stays_listed AFTER INSERT ON subjects REFERENCING NEW TABLE AS new_facts
    FOR EACH STATEMENT EXECUTE FUNCTION super_admin_stays_live();
ALTER TABLE subjects ENABLE ALWAYS TRIGGER subjects_super_admin_stays_listed;

DO $$
BEGIN
    EXECUTE format('ALTER FUNCTION super_admin_stays_live() SET search_path = %I, pg_temp', current_schema());
END $$;
