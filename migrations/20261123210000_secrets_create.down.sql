DROP FUNCTION secrets_not_under(text, text, text, text, bigint);
DROP TABLE secrets;
