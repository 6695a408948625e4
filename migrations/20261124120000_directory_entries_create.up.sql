-- What a directory says of subjects and groups beyond the facts (SCIM 2.0, RFC 7643): how it calls them, and what it wants
-- told back. No fact: only `subjects`, `subject_aliases` and `memberships` decide.
CREATE TABLE directory_entries (
    organization_id fact_text NOT NULL,
    subject_id fact_text NOT NULL,
    external_id text COLLATE "C",
    -- As it was written, and folded; of users only.
    user_name text COLLATE "C",
    user_name_key text COLLATE "C",
    -- Further attributes, as they were written.
    resource jsonb NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT now(),
    modified_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT directory_entries_pkey PRIMARY KEY (organization_id, subject_id),
    CONSTRAINT directory_entries_subject_fkey FOREIGN KEY (organization_id, subject_id)
        REFERENCES subjects (organization_id, subject_id) ON DELETE CASCADE,
    CONSTRAINT directory_entries_user_name CHECK ((user_name IS NULL) = (user_name_key IS NULL))
);
CREATE UNIQUE INDEX directory_entries_user_name_key ON directory_entries (organization_id, user_name_key);
CREATE INDEX directory_entries_external_idx ON directory_entries (organization_id, external_id);
-- Groups are looked up by their names.
CREATE INDEX directory_entries_display_idx ON directory_entries (organization_id, (resource ->> 'displayName'))
    WHERE user_name IS NULL;
SELECT guard_rows('directory_entries', 'SELECT, INSERT, UPDATE, DELETE');
