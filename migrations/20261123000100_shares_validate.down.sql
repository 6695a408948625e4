ALTER TABLE resource_parents
    DROP CONSTRAINT resource_parents_share_fkey,
    DROP CONSTRAINT resource_parents_share_form,
    ADD CONSTRAINT resource_parents_share_fkey FOREIGN KEY (organization_id, share_grant_id)
        REFERENCES grants (organization_id, grant_id) ON DELETE CASCADE NOT VALID,
    ADD CONSTRAINT resource_parents_share_form CHECK (
        share_grant_id IS NULL OR relation = 'ref' AND cardinality(cap) = 0) NOT VALID;
ALTER TABLE grants
    DROP CONSTRAINT grants_shared_form,
    ADD CONSTRAINT grants_shared_form CHECK (NOT shared OR at_type IS NOT NULL AND effect = 'allow' AND NOT own
        AND conditions = '{}' AND require = '{}' AND session_id IS NULL AND subject_id NOT LIKE 'role:%') NOT VALID;
