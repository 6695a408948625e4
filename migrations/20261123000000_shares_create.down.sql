ALTER TABLE resource_parents DROP COLUMN share_grant_id, DROP CONSTRAINT IF EXISTS resource_parents_share_form;
ALTER TABLE grants DROP CONSTRAINT grants_shared_form, DROP COLUMN shared;
