-- The newest event of a directory that was done about each user and group, by what the directory calls it: also of one that
-- is gone, so that what comes late does not bring it back.
CREATE TABLE directory_events (
    organization_id fact_text NOT NULL,
    of_user boolean NOT NULL,
    external_id text COLLATE "C" NOT NULL,
    -- Compared by bytes.
    last_event_id text COLLATE "C" NOT NULL,
    -- Of a group: what the directory calls its members, of whom some may not be here yet.
    members text[] COLLATE "C" NOT NULL DEFAULT '{}',
    CONSTRAINT directory_events_pkey PRIMARY KEY (organization_id, of_user, external_id),
    CONSTRAINT directory_events_organization_fkey FOREIGN KEY (organization_id)
        REFERENCES organizations (organization_id) ON DELETE CASCADE
);
CREATE INDEX directory_events_groups_idx ON directory_events (organization_id) WHERE NOT of_user;
SELECT guard_rows('directory_events', 'SELECT, INSERT, UPDATE');
