-- The role stays: other databases of the cluster may have it too.
DROP FUNCTION signing_key_of_id(uuid);
DROP FUNCTION api_key_of_digest(bytea);
DO $$
DECLARE
    guarded regclass;
BEGIN
    REVOKE ALL ON statement_keys FROM postern_gateway;
    FOR guarded IN SELECT polrelid::regclass FROM pg_policy JOIN pg_class ON pg_class.oid = polrelid
        WHERE polname = 'own_organization' AND relnamespace = current_schema()::regnamespace
    LOOP
        EXECUTE format('DROP POLICY own_organization ON %s', guarded);
        EXECUTE format('DROP POLICY by_privilege ON %s', guarded);
        EXECUTE format('ALTER TABLE %s DISABLE ROW LEVEL SECURITY', guarded);
        EXECUTE format('REVOKE ALL ON %s FROM postern_gateway', guarded);
    END LOOP;
    -- Of the one table with a grant for a column, REVOKE ALL takes that too.
    EXECUTE format('REVOKE USAGE ON SCHEMA %I FROM postern_gateway', current_schema());
END $$;
DROP FUNCTION guard_rows(regclass, text);
