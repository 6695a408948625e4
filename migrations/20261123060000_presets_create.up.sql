-- Presets: which roles a new scope of a type gets. They are no facts: no decision depends on them, so that writing one
-- raises no revision. The roles that are made from them are roles like all others, which exist for one scope and go
-- with it.

CREATE TABLE presets (
    organization_id fact_text NOT NULL,
    preset_id uuid NOT NULL DEFAULT gen_random_uuid(),
    name text NOT NULL,
    -- Trimmed and in lower case. A deleted preset keeps its name, so that it can always be restored.
    name_key fact_text NOT NULL,
    -- Every new scope of this type gets a role.
    resource_type fact_text NOT NULL,
    -- A template for the names of the roles; NULL: the preset's name and the scope's id.
    role_name text COLLATE "C",
    -- Whoever joins the scope is assigned the role.
    auto_assign boolean NOT NULL DEFAULT false,
    -- Whoever makes the scope is assigned the role, and need not hold what is in it.
    for_creator boolean NOT NULL DEFAULT false,
    -- NULL: new scopes get its role.
    deleted_at timestamptz,
    CONSTRAINT presets_pkey PRIMARY KEY (organization_id, preset_id),
    CONSTRAINT presets_type_fkey FOREIGN KEY (organization_id, resource_type)
        REFERENCES resource_types (organization_id, resource_type) ON DELETE CASCADE,
    CONSTRAINT presets_role_name_length CHECK (char_length(role_name) BETWEEN 1 AND 64)
);
CREATE UNIQUE INDEX presets_name_key ON presets (organization_id, name_key);
CREATE INDEX presets_type_idx ON presets (organization_id, resource_type);

-- permission: a key, '<type>:*' or '*', as in role_permissions.
CREATE TABLE preset_permissions (
    organization_id fact_text NOT NULL,
    preset_id uuid NOT NULL,
    permission fact_text NOT NULL,
    permission_key text COLLATE "C" GENERATED ALWAYS AS
        (CASE WHEN permission = '*' OR permission LIKE '%:*' THEN NULL ELSE permission END) STORED,
    CONSTRAINT preset_permissions_pkey PRIMARY KEY (organization_id, preset_id, permission),
    CONSTRAINT preset_permissions_preset_fkey FOREIGN KEY (organization_id, preset_id)
        REFERENCES presets (organization_id, preset_id) ON DELETE CASCADE,
    CONSTRAINT preset_permissions_permission_fkey FOREIGN KEY (organization_id, permission_key)
        REFERENCES permissions (organization_id, permission_key) ON DELETE CASCADE
);
CREATE INDEX preset_permissions_permission_idx ON preset_permissions (organization_id, permission_key);

ALTER TABLE roles
    -- The scope that it exists for: it is assigned there only, and goes with it. Both NULL: none.
    ADD COLUMN scope_type fact_text,
    ADD COLUMN scope_id fact_text,
    -- What it was made from. NULL: something else, or a preset that is no more.
    ADD COLUMN preset_id uuid,
    -- Whoever joins the scope is assigned it.
    ADD COLUMN auto_assign boolean NOT NULL DEFAULT false,
    ADD CONSTRAINT roles_scope_fkey FOREIGN KEY (organization_id, scope_type, scope_id)
        REFERENCES resources (organization_id, resource_type, resource_id) ON DELETE CASCADE NOT VALID,
    -- A role outlives its preset: what was given stays given.
    ADD CONSTRAINT roles_preset_fkey FOREIGN KEY (organization_id, preset_id)
        REFERENCES presets (organization_id, preset_id) ON DELETE SET NULL (preset_id) NOT VALID,
    ADD CONSTRAINT roles_scope_whole CHECK ((scope_type IS NULL) = (scope_id IS NULL)) NOT VALID,
    -- A built-in role is the whole organization's.
    ADD CONSTRAINT roles_scope_form CHECK (
        CASE WHEN scope_type IS NULL THEN preset_id IS NULL AND NOT auto_assign ELSE builtin_key IS NULL END) NOT VALID;
CREATE INDEX roles_scope_idx ON roles (organization_id, scope_type, scope_id) WHERE scope_type IS NOT NULL;
CREATE INDEX roles_preset_idx ON roles (organization_id, preset_id) WHERE preset_id IS NOT NULL;

ALTER TABLE resources
    -- When it was deleted so that it can be restored. Until then it is inactive.
    ADD COLUMN deleted_at timestamptz,
    -- What restoring makes of `active`.
    ADD COLUMN restored_active boolean,
    ADD CONSTRAINT resources_deleted_form CHECK ((deleted_at IS NULL) = (restored_active IS NULL)) NOT VALID,
    ADD CONSTRAINT resources_deleted_inactive CHECK (deleted_at IS NULL OR NOT active) NOT VALID;

-- A role that exists for one scope is assigned at that scope and nowhere else, by whatever path. The triggers run after
-- facts_inserted and facts_updated (triggers run in the order of their names), that is under the lock on the
-- organization's head: no other transaction can be binding the role at the same time.
CREATE FUNCTION scopes_of_roles_checked() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    wrong text;
BEGIN
    -- Most organizations have no such role, and load many assignments at once.
    IF NOT EXISTS (SELECT FROM roles WHERE scope_type IS NOT NULL) THEN
        RETURN NULL;
    END IF;
    IF TG_TABLE_NAME = 'assignments' THEN
        SELECT role.role_id INTO wrong FROM new_facts AS assignment
            JOIN roles AS role USING (organization_id, role_id)
            WHERE role.scope_type IS NOT NULL
              AND (assignment.at_type, assignment.at_id) IS DISTINCT FROM (role.scope_type, role.scope_id) LIMIT 1;
    ELSE
        SELECT role.role_id INTO wrong FROM new_facts AS role
            JOIN assignments AS assignment USING (organization_id, role_id)
            WHERE role.scope_type IS NOT NULL
              AND (assignment.at_type, assignment.at_id) IS DISTINCT FROM (role.scope_type, role.scope_id) LIMIT 1;
    END IF;
    IF wrong IS NOT NULL THEN
        RAISE EXCEPTION '% exists for one scope and is assigned there only', wrong
            USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'assignments_at_scope_of_role';
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER scopes_of_roles_checked_on_insert AFTER INSERT ON assignments REFERENCING NEW TABLE AS new_facts
    FOR EACH STATEMENT EXECUTE FUNCTION scopes_of_roles_checked();
CREATE TRIGGER scopes_of_roles_checked_on_update AFTER UPDATE ON assignments REFERENCING NEW TABLE AS new_facts
    FOR EACH STATEMENT EXECUTE FUNCTION scopes_of_roles_checked();
-- Nobody is assigned a role that was not there.
CREATE TRIGGER scopes_of_roles_checked_on_update AFTER UPDATE ON roles REFERENCING NEW TABLE AS new_facts
    FOR EACH STATEMENT EXECUTE FUNCTION scopes_of_roles_checked();

ALTER TABLE assignments ENABLE ALWAYS TRIGGER scopes_of_roles_checked_on_insert,
    ENABLE ALWAYS TRIGGER scopes_of_roles_checked_on_update;
ALTER TABLE roles ENABLE ALWAYS TRIGGER scopes_of_roles_checked_on_update;

DO $$
BEGIN
    EXECUTE format('ALTER FUNCTION scopes_of_roles_checked() SET search_path = %I, pg_temp', current_schema());
END $$;
