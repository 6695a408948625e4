DROP TABLE memberships, subject_aliases, subjects;
DROP FUNCTION names_checked();
