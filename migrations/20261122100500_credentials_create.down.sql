DROP TABLE signing_keys, api_keys;
DROP FUNCTION credentials_changed();
