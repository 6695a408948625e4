-- What callers of the gateway prove themselves with. These are no facts: they raise no revision.

-- The key of an enforcement point that may read the organization's whole snapshot. The key itself is shown once and
-- never stored. It is 32 random bytes, so one round of SHA-256 is enough: there is nothing to guess.
CREATE TABLE api_keys (
    organization_id fact_text NOT NULL,
    api_key_id uuid NOT NULL DEFAULT gen_random_uuid(),
    -- For people.
    name text NOT NULL DEFAULT '',
    -- The first characters of the key, to recognise it by.
    prefix text NOT NULL,
    digest bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz,
    revoked_at timestamptz,
    CONSTRAINT api_keys_pkey PRIMARY KEY (organization_id, api_key_id),
    CONSTRAINT api_keys_digest_key UNIQUE (digest),
    CONSTRAINT api_keys_digest_length CHECK (octet_length(digest) = 32),
    CONSTRAINT api_keys_organization_fkey FOREIGN KEY (organization_id)
        REFERENCES organizations (organization_id) ON DELETE CASCADE
);

-- The secrets that subject tokens are signed with. Each belongs to one organization: no secret can sign for another.
CREATE TABLE signing_keys (
    organization_id fact_text NOT NULL,
    -- The token's `kid`.
    signing_key_id uuid NOT NULL DEFAULT gen_random_uuid(),
    -- HMAC-SHA-256. Whoever can read this table can issue tokens.
    secret bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    -- From then on its tokens are refused.
    retired_at timestamptz,
    CONSTRAINT signing_keys_pkey PRIMARY KEY (organization_id, signing_key_id),
    CONSTRAINT signing_keys_id_key UNIQUE (signing_key_id),
    CONSTRAINT signing_keys_secret_length CHECK (octet_length(secret) BETWEEN 32 AND 64),
    CONSTRAINT signing_keys_organization_fkey FOREIGN KEY (organization_id)
        REFERENCES organizations (organization_id) ON DELETE CASCADE
);

-- Tells the gateway to check the credentials of open streams again.
CREATE FUNCTION credentials_changed() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    touched text[];
BEGIN
    CASE TG_OP
        WHEN 'INSERT' THEN touched := ARRAY(SELECT DISTINCT organization_id::text FROM new_credentials);
        WHEN 'DELETE' THEN touched := ARRAY(SELECT DISTINCT organization_id::text FROM old_credentials);
        WHEN 'UPDATE' THEN touched := ARRAY(SELECT organization_id::text FROM old_credentials
            UNION SELECT organization_id::text FROM new_credentials);
        ELSE touched := ARRAY(SELECT organization_id::text FROM organizations);
    END CASE;
    PERFORM FROM organization_heads WHERE organization_id = ANY (touched) ORDER BY organization_id FOR NO KEY UPDATE;
    UPDATE organization_heads
        SET credentials_revision = credentials_revision + 1, changed_in = pg_current_xact_id()
        WHERE organization_id = ANY (touched);
    RETURN NULL;
END $$;

DO $$
DECLARE
    name text;
BEGIN
    EXECUTE format('ALTER FUNCTION credentials_changed() SET search_path = %I, pg_temp', current_schema());
    FOREACH name IN ARRAY ARRAY['api_keys', 'signing_keys'] LOOP
        EXECUTE format('CREATE TRIGGER credentials_inserted AFTER INSERT ON %I REFERENCING NEW TABLE AS new_credentials
            FOR EACH STATEMENT EXECUTE FUNCTION credentials_changed()', name);
        EXECUTE format('CREATE TRIGGER credentials_updated AFTER UPDATE ON %I
            REFERENCING OLD TABLE AS old_credentials NEW TABLE AS new_credentials
            FOR EACH STATEMENT EXECUTE FUNCTION credentials_changed()', name);
        EXECUTE format('CREATE TRIGGER credentials_deleted AFTER DELETE ON %I REFERENCING OLD TABLE AS old_credentials
            FOR EACH STATEMENT EXECUTE FUNCTION credentials_changed()', name);
        EXECUTE format('CREATE TRIGGER credentials_truncated AFTER TRUNCATE ON %I
            FOR EACH STATEMENT EXECUTE FUNCTION credentials_changed()', name);
    END LOOP;
END $$;
