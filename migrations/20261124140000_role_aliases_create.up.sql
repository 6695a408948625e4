-- Former ids of roles, such as `role:<slug>`, while some still use them: who names one means the role. Grants are kept
-- under the role's own id, so that what was given under either is one thing, and goes with the role.
CREATE TABLE role_aliases (
    organization_id fact_text NOT NULL,
    alias_id fact_text NOT NULL,
    role_id fact_text NOT NULL,
    CONSTRAINT role_aliases_pkey PRIMARY KEY (organization_id, alias_id),
    CONSTRAINT role_aliases_role_fkey FOREIGN KEY (organization_id, role_id)
        REFERENCES roles (organization_id, role_id) ON DELETE CASCADE,
    CONSTRAINT role_aliases_form CHECK (alias_id ~ '^role:[^:]+$' AND alias_id <> 'role:*')
);
CREATE INDEX role_aliases_role_idx ON role_aliases (organization_id, role_id);
SELECT guard_rows('role_aliases', 'SELECT, INSERT, DELETE');

-- An id is a role's or a former one, never both.
CREATE FUNCTION refuse_role_alias() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    taken boolean;
BEGIN
    IF TG_TABLE_NAME = 'roles' THEN
        taken := EXISTS (SELECT FROM role_aliases WHERE organization_id = NEW.organization_id AND alias_id = NEW.role_id);
    ELSE
        taken := EXISTS (SELECT FROM roles WHERE organization_id = NEW.organization_id AND role_id = NEW.alias_id);
    END IF;
    IF taken THEN
        RAISE EXCEPTION 'the id is taken by a role, or is a former id of one'
            USING ERRCODE = 'unique_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'role_aliases_key';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER role_aliases_key BEFORE INSERT ON role_aliases FOR EACH ROW EXECUTE FUNCTION refuse_role_alias();
CREATE TRIGGER role_aliases_key BEFORE INSERT ON roles FOR EACH ROW
    WHEN (NEW.role_id NOT LIKE 'role:%:%') EXECUTE FUNCTION refuse_role_alias();
ALTER TABLE role_aliases ENABLE ALWAYS TRIGGER role_aliases_key;
ALTER TABLE roles ENABLE ALWAYS TRIGGER role_aliases_key;

-- Whatever writes a grant under a former id writes it under the role's.
CREATE FUNCTION name_role_of_grant() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.subject_id := coalesce((SELECT role_id FROM role_aliases
        WHERE organization_id = NEW.organization_id AND alias_id = NEW.subject_id), NEW.subject_id);
    RETURN NEW;
END $$;
CREATE TRIGGER grants_name_role BEFORE INSERT OR UPDATE OF subject_id ON grants FOR EACH ROW
    WHEN (NEW.subject_id LIKE 'role:%' AND NEW.subject_id NOT LIKE 'role:%:%') EXECUTE FUNCTION name_role_of_grant();
ALTER TABLE grants ENABLE ALWAYS TRIGGER grants_name_role;
DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['refuse_role_alias()', 'name_role_of_grant()'] LOOP
        EXECUTE format('ALTER FUNCTION %s SET search_path = %I, pg_temp', name, current_schema());
    END LOOP;
END $$;
