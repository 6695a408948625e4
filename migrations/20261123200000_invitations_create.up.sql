-- Invitations: an assignment or a share that is made when the one whom it is for accepts it. They are no facts: until
-- then no decision depends on them, so that writing one raises no revision. Every change of one holds the lock on the
-- organization's head, so that two answers to one invitation follow each other.
CREATE TABLE invitations (
    organization_id fact_text NOT NULL,
    invitation_id uuid NOT NULL,
    -- Whom it is for.
    subject_id fact_text NOT NULL,
    kind text COLLATE "C" NOT NULL,
    -- What `POST …/assignments` or `POST …/shares` takes.
    offer jsonb NOT NULL,
    -- A subject, or `key:` and the first characters of a key. What it may give is asked again when it is accepted.
    invited_by text COLLATE "C" NOT NULL,
    invited_by_key boolean NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    -- From then on it cannot be answered.
    expires_at timestamptz NOT NULL,
    state text COLLATE "C" NOT NULL DEFAULT 'pending',
    answered_at timestamptz,
    -- The assignment or the share that was made.
    made_id uuid,
    CONSTRAINT invitations_pkey PRIMARY KEY (organization_id, invitation_id),
    CONSTRAINT invitations_organization_fkey FOREIGN KEY (organization_id)
        REFERENCES organizations (organization_id) ON DELETE CASCADE,
    CONSTRAINT invitations_kind CHECK (kind IN ('assignment', 'share')),
    CONSTRAINT invitations_state CHECK (state IN ('pending', 'accepted', 'rejected', 'cancelled')),
    CONSTRAINT invitations_answered CHECK ((state = 'pending') = (answered_at IS NULL)),
    CONSTRAINT invitations_made CHECK ((state = 'accepted') = (made_id IS NOT NULL))
);
CREATE INDEX invitations_subject_idx ON invitations (organization_id, subject_id, invitation_id);
-- What was offered stays as it was.
SELECT guard_rows('invitations', 'SELECT, INSERT, UPDATE (state, answered_at, made_id)');

-- Whether a key that may write for whoever runs the gateway is one still, by its first characters: the gateway's role
-- does not see keys.
CREATE FUNCTION writing_key_lives(of_prefix text) RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER AS $$
    SELECT EXISTS (SELECT FROM api_keys WHERE organization_id = current_setting('postern.organization', true)
            AND prefix = of_prefix AND can_write AND subject_id IS NULL AND revoked_at IS NULL
            AND (expires_at IS NULL OR expires_at > now()))
        OR EXISTS (SELECT FROM installation_keys WHERE prefix = of_prefix AND can_write AND revoked_at IS NULL
            AND (expires_at IS NULL OR expires_at > now()))
$$;
DO $$
BEGIN
    EXECUTE format('ALTER FUNCTION writing_key_lives(text) SET search_path = %I, pg_temp', current_schema());
    REVOKE EXECUTE ON FUNCTION writing_key_lives(text) FROM PUBLIC;
    GRANT EXECUTE ON FUNCTION writing_key_lives(text) TO postern_gateway;
END $$;
