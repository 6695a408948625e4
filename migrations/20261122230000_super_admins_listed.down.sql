DROP TRIGGER subjects_super_admin_stays_listed ON subjects;
CREATE OR REPLACE FUNCTION super_admin_stays_live() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
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

DO $$
BEGIN
    EXECUTE format('ALTER FUNCTION super_admin_stays_live() SET search_path = %I, pg_temp', current_schema());
END $$;
