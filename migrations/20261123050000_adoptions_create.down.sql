DO $$
DECLARE
    facts text;
BEGIN
    FOREACH facts IN ARRAY ARRAY['subjects', 'subject_aliases', 'memberships', 'resources', 'resource_parents', 'roles',
        'role_permissions', 'assignments', 'grants', 'grant_permissions']
    LOOP
        EXECUTE format('DROP TRIGGER adopted_row_taken_over ON %I', facts);
        EXECUTE format('ALTER TABLE %I DROP COLUMN adoption_rule_id', facts);
    END LOOP;
END $$;
DROP FUNCTION adopted_row_taken_over();
DROP TABLE adoption_rules, adoption_queries, adoptions;
