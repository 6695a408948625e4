DROP TRIGGER scopes_of_roles_checked_on_insert ON assignments;
DROP TRIGGER scopes_of_roles_checked_on_update ON assignments;
DROP TRIGGER scopes_of_roles_checked_on_update ON roles;
DROP FUNCTION scopes_of_roles_checked();
ALTER TABLE resources
    DROP CONSTRAINT resources_deleted_inactive,
    DROP CONSTRAINT resources_deleted_form,
    DROP COLUMN restored_active,
    DROP COLUMN deleted_at;
ALTER TABLE roles
    DROP CONSTRAINT roles_scope_form,
    DROP CONSTRAINT roles_scope_whole,
    DROP CONSTRAINT roles_preset_fkey,
    DROP CONSTRAINT roles_scope_fkey,
    DROP COLUMN auto_assign,
    DROP COLUMN preset_id,
    DROP COLUMN scope_id,
    DROP COLUMN scope_type;
DROP TABLE preset_permissions, presets;
