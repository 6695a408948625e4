-- Values of secrets, encrypted. A secret is a resource of type `secret` like any other: who may read it is said by
-- facts, and decided by the resolver. What is here is no fact: to write it raises no revision, and no snapshot has it.
CREATE TABLE secrets (
    organization_id fact_text NOT NULL,
    secret_id fact_text NOT NULL,
    resource_type fact_text GENERATED ALWAYS AS ('secret') STORED,
    name text COLLATE "C" NOT NULL,
    kind text COLLATE "C" NOT NULL,
    description text COLLATE "C" NOT NULL,
    -- Raised with each value.
    version bigint NOT NULL DEFAULT 1,
    changed_at timestamptz NOT NULL DEFAULT now(),
    -- The key of the vault that encrypts the value's own key.
    key_id text COLLATE "C" NOT NULL,
    sealed_key bytea NOT NULL,
    sealed_value bytea NOT NULL,
    CONSTRAINT secrets_pkey PRIMARY KEY (organization_id, secret_id),
    CONSTRAINT secrets_organization_fkey FOREIGN KEY (organization_id)
        REFERENCES organizations (organization_id) ON DELETE CASCADE,
    -- A value is not lost because its resource is replaced: an import puts that back, all others are refused.
    CONSTRAINT secrets_resource_fkey FOREIGN KEY (organization_id, resource_type, secret_id)
        REFERENCES resources (organization_id, resource_type, resource_id) DEFERRABLE INITIALLY DEFERRED
);
CREATE INDEX secrets_key_idx ON secrets (key_id, organization_id, secret_id);
SELECT guard_rows('secrets', 'SELECT, INSERT, UPDATE, DELETE');

-- Which values of all organizations are not encrypted with a key, after one of them; so many at most. Two halves, so that
-- each is a part of the index: what is encrypted with that key is not looked at.
CREATE FUNCTION secrets_not_under(
    wanted text, after_key text, after_organization text, after_secret text, at_most bigint
) RETURNS TABLE (key_id text, organization_id text, secret_id text) LANGUAGE sql STABLE SECURITY DEFINER AS $$
    (SELECT secrets.key_id, secrets.organization_id::text, secrets.secret_id::text FROM secrets
        WHERE secrets.key_id < wanted COLLATE "C" AND (secrets.key_id, secrets.organization_id, secrets.secret_id)
            > (after_key COLLATE "C", after_organization COLLATE "C", after_secret COLLATE "C")
        ORDER BY secrets.key_id, secrets.organization_id, secrets.secret_id LIMIT at_most)
    UNION ALL
    (SELECT secrets.key_id, secrets.organization_id::text, secrets.secret_id::text FROM secrets
        WHERE secrets.key_id > wanted COLLATE "C" AND (secrets.key_id, secrets.organization_id, secrets.secret_id)
            > (after_key COLLATE "C", after_organization COLLATE "C", after_secret COLLATE "C")
        ORDER BY secrets.key_id, secrets.organization_id, secrets.secret_id LIMIT at_most)
    ORDER BY 1, 2, 3 LIMIT at_most
$$;
DO $$
DECLARE
    name text := 'secrets_not_under(text, text, text, text, bigint)';
BEGIN
    EXECUTE format('ALTER FUNCTION %s SET search_path = %I, pg_temp', name, current_schema());
    EXECUTE format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC', name);
    EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO postern_gateway', name);
END $$;
