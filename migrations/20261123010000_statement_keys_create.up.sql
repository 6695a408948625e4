-- What snapshots and slices are signed with, and what tells one history of this database from another.

-- Ed25519 keys of the whole installation. These are no facts: they raise no revision.
CREATE TABLE statement_keys (
    -- The `kid`: the public key's thumbprint (RFC 7638).
    statement_key_id fact_text NOT NULL,
    -- 32 random bytes. Whoever can read this table can sign.
    seed bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    -- It is published at once, and signs from then on: by then every verifier knows it.
    signs_from timestamptz NOT NULL DEFAULT now(),
    -- From then on it is not published any more, and what it signed is refused.
    withdrawn_at timestamptz,
    CONSTRAINT statement_keys_pkey PRIMARY KEY (statement_key_id),
    CONSTRAINT statement_keys_seed_length CHECK (octet_length(seed) = 32)
);

-- Names one history of revisions: another one after a dump was restored (another cluster, database or table) and after
-- a recovery to a point in time or a failover (another timeline). Then a lower revision may be news.
CREATE FUNCTION database_epoch() RETURNS text LANGUAGE sql STABLE AS $$
    SELECT to_hex(cluster.system_identifier) || '-' || to_hex(here.oid::bigint) || '-' ||
        to_hex('organization_heads'::regclass::oid::bigint) || '-' ||
        -- The control file has a new timeline only from the next checkpoint on.
        CASE WHEN pg_is_in_recovery() THEN (SELECT to_hex(timeline_id) FROM pg_control_checkpoint())
            ELSE lower(ltrim(left(pg_walfile_name(pg_current_wal_lsn()), 8), '0')) END
    FROM pg_control_system() AS cluster, pg_database AS here WHERE here.datname = current_database()
$$;
