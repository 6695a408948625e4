-- What a world document refuses, the tables refuse too: one such row would keep an organization's next state from being
-- compiled.

ALTER TABLE subjects ADD CONSTRAINT subjects_no_role CHECK (subject_id NOT LIKE 'role:%');
ALTER TABLE memberships ADD CONSTRAINT memberships_no_role CHECK (subject_id NOT LIKE 'role:%');
ALTER TABLE assignments ADD CONSTRAINT assignments_no_role CHECK (subject_id NOT LIKE 'role:%');

-- A group that owns something must be listed, and stays so for as long as it does.
ALTER TABLE resources
    ADD COLUMN owner_group_id text COLLATE "C" GENERATED ALWAYS AS
        (CASE WHEN owner_id LIKE 'group:%' THEN owner_id END) STORED,
    ADD CONSTRAINT resources_owner_no_role CHECK (owner_id NOT LIKE 'role:%'),
    ADD CONSTRAINT resources_owner_group_fkey FOREIGN KEY (organization_id, owner_group_id)
        REFERENCES subjects (organization_id, subject_id);
CREATE INDEX resources_owner_group_idx ON resources (organization_id, owner_group_id) WHERE owner_group_id IS NOT NULL;

ALTER TABLE roles DROP CONSTRAINT roles_id_form;
ALTER TABLE roles ADD CONSTRAINT roles_id_form
    CHECK (role_id ~ '^role:([^:]+|(global|organization|system):.+)$');

ALTER TABLE grants ADD CONSTRAINT grants_session_form CHECK (octet_length(session_id) BETWEEN 1 AND 512);
