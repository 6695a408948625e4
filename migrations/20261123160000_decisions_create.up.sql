-- What was decided for those who asked the gateway, where it is told to keep that here (`serve --decision-log-to`). These
-- are no facts: they raise no revision. Kept when the organization is deleted, until they are old enough.
CREATE TABLE decisions (
    organization_id fact_text NOT NULL,
    decision_id bigint GENERATED ALWAYS AS IDENTITY,
    decided_at timestamptz NOT NULL,
    -- Of the facts that it was decided on.
    revision numeric(20, 0) NOT NULL,
    -- The first characters of the key that asked.
    asked_by text COLLATE "C" NOT NULL,
    request_id text COLLATE "C" NOT NULL,
    -- `<type>:<id>`, and what else was asked about: what the caller wrote, which need not be what any fact may be called.
    subject text COLLATE "C" NOT NULL,
    permission text COLLATE "C" NOT NULL,
    resource_type text COLLATE "C" NOT NULL,
    resource_id text COLLATE "C" NOT NULL,
    allowed boolean NOT NULL,
    reason text COLLATE "C" NOT NULL,
    CONSTRAINT decisions_pkey PRIMARY KEY (organization_id, decision_id)
);
-- For `forget_decisions`: rows come in the order of their time, nearly.
CREATE INDEX decisions_decided_at_idx ON decisions USING brin (decided_at);
SELECT guard_rows('decisions', 'SELECT, INSERT');

-- Deletes decisions of all organizations that are older than wanted, so many at most; how many there were.
CREATE FUNCTION forget_decisions(older_than interval, at_most bigint) RETURNS bigint LANGUAGE sql SECURITY DEFINER AS $$
    WITH gone AS (
        DELETE FROM decisions WHERE ctid = ANY (ARRAY(
            SELECT ctid FROM decisions WHERE decided_at < now() - older_than LIMIT at_most FOR UPDATE SKIP LOCKED))
        RETURNING 1)
    SELECT count(*) FROM gone
$$;
DO $$
BEGIN
    EXECUTE format('ALTER FUNCTION forget_decisions(interval, bigint) SET search_path = %I, pg_temp', current_schema());
    REVOKE EXECUTE ON FUNCTION forget_decisions(interval, bigint) FROM PUBLIC;
    GRANT EXECUTE ON FUNCTION forget_decisions(interval, bigint) TO postern_gateway;
END $$;
