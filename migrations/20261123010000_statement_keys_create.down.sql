DROP FUNCTION database_epoch();
DROP TABLE statement_keys;
