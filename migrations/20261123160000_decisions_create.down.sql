DROP FUNCTION forget_decisions(interval, bigint);
DROP TABLE decisions;
