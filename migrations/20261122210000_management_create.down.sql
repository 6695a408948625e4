DROP TRIGGER subjects_super_admin_stays ON subjects;
DROP TRIGGER assignments_super_admin_stays ON assignments;
DROP FUNCTION super_admin_stays_live();
DROP FUNCTION super_admin_stays();
DROP FUNCTION super_admin_count(text);
DROP TABLE idempotency_keys;
DROP TABLE audit_events;
DROP FUNCTION refuse_audit_change();
ALTER TABLE api_keys DROP CONSTRAINT api_keys_subject_form, DROP COLUMN subject_id, DROP COLUMN can_write;
ALTER TABLE roles DROP CONSTRAINT roles_immutable_builtin, DROP COLUMN name_key, DROP COLUMN immutable,
    DROP COLUMN builtin_key;
