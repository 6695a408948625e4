ALTER TABLE resources
    DROP CONSTRAINT resources_deleted_inactive,
    DROP CONSTRAINT resources_deleted_form,
    ADD CONSTRAINT resources_deleted_form CHECK ((deleted_at IS NULL) = (restored_active IS NULL)) NOT VALID,
    ADD CONSTRAINT resources_deleted_inactive CHECK (deleted_at IS NULL OR NOT active) NOT VALID;
ALTER TABLE roles
    DROP CONSTRAINT roles_scope_form,
    DROP CONSTRAINT roles_scope_whole,
    DROP CONSTRAINT roles_preset_fkey,
    DROP CONSTRAINT roles_scope_fkey,
    ADD CONSTRAINT roles_scope_fkey FOREIGN KEY (organization_id, scope_type, scope_id)
        REFERENCES resources (organization_id, resource_type, resource_id) ON DELETE CASCADE NOT VALID,
    ADD CONSTRAINT roles_preset_fkey FOREIGN KEY (organization_id, preset_id)
        REFERENCES presets (organization_id, preset_id) ON DELETE SET NULL (preset_id) NOT VALID,
    ADD CONSTRAINT roles_scope_whole CHECK ((scope_type IS NULL) = (scope_id IS NULL)) NOT VALID,
    ADD CONSTRAINT roles_scope_form CHECK (
        CASE WHEN scope_type IS NULL THEN preset_id IS NULL AND NOT auto_assign ELSE builtin_key IS NULL END) NOT VALID;
