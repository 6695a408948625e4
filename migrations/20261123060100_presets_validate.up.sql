-- What the step before left unchecked for the rows that were there, without a lock that anybody waits for.

ALTER TABLE roles VALIDATE CONSTRAINT roles_scope_fkey;
ALTER TABLE roles VALIDATE CONSTRAINT roles_preset_fkey;
ALTER TABLE roles VALIDATE CONSTRAINT roles_scope_whole;
ALTER TABLE roles VALIDATE CONSTRAINT roles_scope_form;
ALTER TABLE resources VALIDATE CONSTRAINT resources_deleted_form;
ALTER TABLE resources VALIDATE CONSTRAINT resources_deleted_inactive;
