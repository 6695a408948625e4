-- A share is a grant on a resource, and where wanted an edge `ref` to where its receiver finds it: made together, and
-- removed together. Both are facts of their own, beside any other edge and grant that says the same.

ALTER TABLE grants
    -- Whether it was made as a share, and is removed as one.
    ADD COLUMN shared boolean NOT NULL DEFAULT false,
    -- What is shared is one resource with a subject or a group, without conditions.
    ADD CONSTRAINT grants_shared_form CHECK (NOT shared OR at_type IS NOT NULL AND effect = 'allow' AND NOT own
        AND conditions = '{}' AND require = '{}' AND session_id IS NULL AND subject_id NOT LIKE 'role:%') NOT VALID;
CREATE INDEX grants_shared_idx ON grants (organization_id, grant_id) WHERE shared;

ALTER TABLE resource_parents
    -- The share that it belongs to: it goes with that grant.
    ADD COLUMN share_grant_id uuid,
    ADD CONSTRAINT resource_parents_share_fkey FOREIGN KEY (organization_id, share_grant_id)
        REFERENCES grants (organization_id, grant_id) ON DELETE CASCADE NOT VALID,
    -- It shows where the resource is found, and lets nothing flow.
    ADD CONSTRAINT resource_parents_share_form CHECK (
        share_grant_id IS NULL OR relation = 'ref' AND cardinality(cap) = 0) NOT VALID;
CREATE UNIQUE INDEX resource_parents_share_key ON resource_parents (organization_id, share_grant_id)
    WHERE share_grant_id IS NOT NULL;
