-- What the step before left unchecked for the rows that were there, without a lock that anybody waits for.

ALTER TABLE grants VALIDATE CONSTRAINT grants_shared_form;
ALTER TABLE resource_parents VALIDATE CONSTRAINT resource_parents_share_fkey;
ALTER TABLE resource_parents VALIDATE CONSTRAINT resource_parents_share_form;
