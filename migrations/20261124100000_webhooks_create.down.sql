DROP FUNCTION webhooks_due(bigint);
DROP INDEX audit_events_told_idx;
DROP TABLE webhook_dead_letters;
DROP TABLE webhooks;
