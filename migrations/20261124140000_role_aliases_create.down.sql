DROP TRIGGER grants_name_role ON grants;
DROP TRIGGER role_aliases_key ON roles;
DROP TABLE role_aliases;
DROP FUNCTION name_role_of_grant();
DROP FUNCTION refuse_role_alias();
