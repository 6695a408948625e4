DROP FUNCTION writing_key_lives(text);
DROP TABLE invitations;
