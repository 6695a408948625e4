ALTER TABLE grants DROP CONSTRAINT grants_session_form;
ALTER TABLE roles DROP CONSTRAINT roles_id_form;
ALTER TABLE roles ADD CONSTRAINT roles_id_form CHECK (role_id LIKE 'role:_%');
ALTER TABLE resources DROP COLUMN owner_group_id, DROP CONSTRAINT resources_owner_no_role;
ALTER TABLE assignments DROP CONSTRAINT assignments_no_role;
ALTER TABLE memberships DROP CONSTRAINT memberships_no_role;
ALTER TABLE subjects DROP CONSTRAINT subjects_no_role;
