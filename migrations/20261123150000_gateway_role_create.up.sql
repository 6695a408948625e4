-- The role that the gateway works as, whoever it logs in as, and what it may: read and write the rows of one organization
-- at a time, the one that `postern.organization` names. Commands for operators (import, export, key, adopt), migrations
-- and the question for changed heads work as who logged in, who owns the tables and is not bound by the policies.
--
-- Roles belong to the whole cluster: another database may have made it already.

DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'postern_gateway') THEN
        BEGIN
            CREATE ROLE postern_gateway NOLOGIN;
        EXCEPTION
            WHEN duplicate_object OR unique_violation THEN
                -- By another database's migration, just now.
                NULL;
            WHEN insufficient_privilege THEN
                RAISE EXCEPTION 'the gateway works as the role postern_gateway, which is not there, and % may not make it. As somebody who may: CREATE ROLE postern_gateway NOLOGIN; GRANT postern_gateway TO %;',
                    current_user, quote_ident(current_user) USING ERRCODE = 'insufficient_privilege';
        END;
    END IF;
    IF NOT pg_has_role(current_user, 'postern_gateway', 'MEMBER') THEN
        BEGIN
            GRANT postern_gateway TO CURRENT_USER;
        EXCEPTION WHEN insufficient_privilege THEN
            RAISE EXCEPTION 'the gateway works as the role postern_gateway, of which % is no member. As somebody who may: GRANT postern_gateway TO %;',
                current_user, quote_ident(current_user) USING ERRCODE = 'insufficient_privilege';
        END;
    END IF;
    IF (SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = 'postern_gateway') THEN
        RAISE EXCEPTION 'the role postern_gateway must be bound by row-level security: ALTER ROLE postern_gateway NOSUPERUSER NOBYPASSRLS;';
    END IF;
    EXECUTE format('GRANT USAGE ON SCHEMA %I TO postern_gateway', current_schema());
END $$;

-- Lets the gateway see the rows of a table that are its organization's, and do what is listed to them; what other roles
-- may is a matter of their privileges. Each table with an organization_id calls it when it is created.
CREATE FUNCTION guard_rows(guarded regclass, rights text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', guarded);
    EXECUTE format('CREATE POLICY by_privilege ON %s USING (true)', guarded);
    EXECUTE format('CREATE POLICY own_organization ON %s AS RESTRICTIVE TO postern_gateway
        USING (organization_id = current_setting(''postern.organization'', true))', guarded);
    IF rights <> '' THEN
        EXECUTE format('GRANT %s ON %s TO postern_gateway', rights, guarded);
    END IF;
END $$;

DO $$
DECLARE
    name text;
BEGIN
    -- What the management interface writes.
    FOREACH name IN ARRAY ARRAY['subjects', 'subject_aliases', 'memberships', 'resources', 'resource_parents', 'roles',
        'role_permissions', 'assignments', 'grants', 'grant_permissions', 'presets', 'preset_permissions']
    LOOP
        PERFORM guard_rows(name::regclass, 'SELECT, INSERT, UPDATE, DELETE');
    END LOOP;
    -- What is made by an import or from a file, and by triggers.
    FOREACH name IN ARRAY ARRAY['organizations', 'resource_types', 'permissions', 'permission_links',
        'owner_permissions', 'fact_changes']
    LOOP
        PERFORM guard_rows(name::regclass, 'SELECT');
    END LOOP;
    -- What it never sees.
    FOREACH name IN ARRAY ARRAY['api_keys', 'signing_keys', 'adoptions', 'adoption_queries', 'adoption_rules'] LOOP
        PERFORM guard_rows(name::regclass, '');
    END LOOP;
END $$;
-- To lock a head is to be allowed to update it: this column does no more than have streams check their credentials.
SELECT guard_rows('organization_heads', 'SELECT, UPDATE (credentials_revision)');
-- What was done stays.
SELECT guard_rows('audit_events', 'SELECT, INSERT');
SELECT guard_rows('idempotency_keys', 'SELECT, INSERT, DELETE');
GRANT SELECT ON statement_keys TO postern_gateway;

-- Whose a credential is has to be found out before there is an organization: one at a time, by what only its holder has.
CREATE FUNCTION api_key_of_digest(wanted bytea) RETURNS SETOF api_keys LANGUAGE sql STABLE SECURITY DEFINER AS $$
    SELECT * FROM api_keys WHERE digest = wanted
$$;
CREATE FUNCTION signing_key_of_id(wanted uuid) RETURNS SETOF signing_keys LANGUAGE sql STABLE SECURITY DEFINER AS $$
    SELECT * FROM signing_keys WHERE signing_key_id = wanted
$$;

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['api_key_of_digest(bytea)', 'signing_key_of_id(uuid)'] LOOP
        EXECUTE format('ALTER FUNCTION %s SET search_path = %I, pg_temp', name, current_schema());
        EXECUTE format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC', name);
        EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO postern_gateway', name);
    END LOOP;
END $$;
