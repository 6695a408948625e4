DROP FUNCTION installation_key_of_digest(bytea);
DROP TABLE installation_keys;
