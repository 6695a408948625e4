-- Keys of whoever runs the installation: they make and end organizations, and manage each as its operator. Stored as
-- `api_keys` are; they belong to no organization.
CREATE TABLE installation_keys (
    installation_key_id uuid NOT NULL DEFAULT gen_random_uuid(),
    -- For people.
    name text NOT NULL DEFAULT '',
    -- The first characters of the key, to recognise it by.
    prefix text NOT NULL,
    digest bytea NOT NULL,
    -- Without it the key reads only.
    can_write boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz,
    revoked_at timestamptz,
    CONSTRAINT installation_keys_pkey PRIMARY KEY (installation_key_id),
    CONSTRAINT installation_keys_digest_key UNIQUE (digest),
    CONSTRAINT installation_keys_digest_length CHECK (octet_length(digest) = 32)
);

CREATE FUNCTION installation_key_of_digest(wanted bytea) RETURNS SETOF installation_keys
LANGUAGE sql STABLE SECURITY DEFINER AS $$
    SELECT * FROM installation_keys WHERE digest = wanted
$$;
DO $$
BEGIN
    EXECUTE format('ALTER FUNCTION installation_key_of_digest(bytea) SET search_path = %I, pg_temp', current_schema());
    REVOKE EXECUTE ON FUNCTION installation_key_of_digest(bytea) FROM PUBLIC;
    GRANT EXECUTE ON FUNCTION installation_key_of_digest(bytea) TO postern_gateway;
END $$;
