-- Where others want to hear of what happens. What they are told is not copied: an event is a row of the audit, written in
-- the transaction of the change that it tells of, and a webhook knows how far it has come.
CREATE TABLE webhooks (
    organization_id fact_text NOT NULL,
    webhook_id uuid NOT NULL,
    url text COLLATE "C" NOT NULL,
    description text COLLATE "C" NOT NULL,
    -- What stands before the point of an operation of the audit; `revision`; or `*` for all operations.
    events text[] COLLATE "C" NOT NULL,
    active boolean NOT NULL,
    -- What deliveries are signed with, and what they were signed with until a moment.
    secret bytea NOT NULL,
    former_secret bytea,
    former_until timestamptz,
    -- The last event of the audit that was delivered, or passed over; the last revision that was told.
    delivered bigint NOT NULL,
    announced numeric(20, 0) NOT NULL,
    -- Since the last delivery that was taken.
    attempts integer NOT NULL DEFAULT 0,
    failing_since timestamptz,
    last_error text COLLATE "C",
    last_delivered_at timestamptz,
    -- When the next attempt may be made, and until when a gateway has it in hand.
    due_at timestamptz NOT NULL DEFAULT now(),
    claimed_until timestamptz,
    CONSTRAINT webhooks_pkey PRIMARY KEY (organization_id, webhook_id),
    CONSTRAINT webhooks_organization_fkey FOREIGN KEY (organization_id)
        REFERENCES organizations (organization_id) ON DELETE CASCADE,
    CONSTRAINT webhooks_former CHECK ((former_secret IS NULL) = (former_until IS NULL))
);
CREATE INDEX webhooks_due_idx ON webhooks (due_at) WHERE active;
SELECT guard_rows('webhooks', 'SELECT, INSERT, UPDATE, DELETE');

-- Events that were given up.
CREATE TABLE webhook_dead_letters (
    organization_id fact_text NOT NULL,
    webhook_id uuid NOT NULL,
    audit_event_id bigint NOT NULL,
    error text COLLATE "C" NOT NULL,
    given_up_at timestamptz NOT NULL DEFAULT now(),
    -- To be tried once more.
    again boolean NOT NULL DEFAULT false,
    CONSTRAINT webhook_dead_letters_pkey PRIMARY KEY (organization_id, webhook_id, audit_event_id),
    CONSTRAINT webhook_dead_letters_webhook_fkey FOREIGN KEY (organization_id, webhook_id)
        REFERENCES webhooks (organization_id, webhook_id) ON DELETE CASCADE
);
SELECT guard_rows('webhook_dead_letters', 'SELECT, INSERT, UPDATE, DELETE');

-- What is told of: everything but readings of secrets. Such events are written while nobody else writes the organization,
-- so that their numbers are in the order in which they were committed.
CREATE INDEX audit_events_told_idx ON audit_events (organization_id, audit_event_id)
    WHERE operation NOT IN ('secret.read', 'secret.denied');

-- The webhooks of all organizations for which there may be something to do.
CREATE FUNCTION webhooks_due(at_most bigint) RETURNS TABLE (organization_id text, webhook_id uuid)
LANGUAGE sql STABLE SECURITY DEFINER AS $$
    SELECT webhook.organization_id::text, webhook.webhook_id FROM webhooks AS webhook
        JOIN organization_heads AS head ON head.organization_id = webhook.organization_id
        WHERE webhook.active AND webhook.due_at <= now()
          AND (webhook.claimed_until IS NULL OR webhook.claimed_until <= now())
          AND ((head.revision <> webhook.announced AND 'revision' = ANY (webhook.events))
            OR EXISTS (SELECT FROM audit_events AS event WHERE event.organization_id = webhook.organization_id
                AND event.audit_event_id > webhook.delivered
                AND event.operation NOT IN ('secret.read', 'secret.denied'))
            OR EXISTS (SELECT FROM webhook_dead_letters AS letter
                WHERE letter.organization_id = webhook.organization_id
                  AND letter.webhook_id = webhook.webhook_id AND letter.again))
        ORDER BY webhook.due_at LIMIT at_most
$$;
DO $$
BEGIN
    EXECUTE format('ALTER FUNCTION webhooks_due(bigint) SET search_path = %I, pg_temp', current_schema());
    REVOKE EXECUTE ON FUNCTION webhooks_due(bigint) FROM PUBLIC;
    GRANT EXECUTE ON FUNCTION webhooks_due(bigint) TO postern_gateway;
END $$;
