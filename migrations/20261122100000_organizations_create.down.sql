DROP TABLE organizations, organization_heads;
DROP FUNCTION refuse_organization_rename(), organizations_truncated(), organizations_deleted(), organization_created(),
    watch_facts(regclass), facts_truncated(), facts_deleted(), facts_updated(), facts_inserted(),
    raise_revisions(text[]), refuse_lower_revision();
DROP DOMAIN fact_dimensions, fact_time, fact_text;
