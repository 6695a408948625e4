ALTER TABLE resource_parents DROP CONSTRAINT resource_parents_share_form, DROP COLUMN share_grant_id;
ALTER TABLE grants DROP CONSTRAINT grants_shared_form, DROP COLUMN shared;
