-- The catalog of an organization: resource types and permissions.

CREATE TABLE resource_types (
    organization_id fact_text NOT NULL,
    resource_type fact_text NOT NULL,
    scope boolean NOT NULL DEFAULT false,
    narrows boolean NOT NULL DEFAULT false,
    registered boolean NOT NULL DEFAULT true,
    CONSTRAINT resource_types_pkey PRIMARY KEY (organization_id, resource_type),
    CONSTRAINT resource_types_organization_fkey FOREIGN KEY (organization_id)
        REFERENCES organizations (organization_id) ON DELETE CASCADE
);

CREATE TABLE permissions (
    organization_id fact_text NOT NULL,
    permission_key fact_text NOT NULL,
    description text NOT NULL DEFAULT '',
    works_when_inactive boolean NOT NULL DEFAULT false,
    CONSTRAINT permissions_pkey PRIMARY KEY (organization_id, permission_key),
    CONSTRAINT permissions_organization_fkey FOREIGN KEY (organization_id)
        REFERENCES organizations (organization_id) ON DELETE CASCADE,
    -- <type>:<action>; what follows the last colon is the action, further colons belong to the type.
    CONSTRAINT permissions_key_form CHECK (permission_key ~ '^[A-Za-z0-9_.-]+(:[A-Za-z0-9_.-]+)+$')
);

-- What one permission says about another.
CREATE TABLE permission_links (
    organization_id fact_text NOT NULL,
    permission_key fact_text NOT NULL,
    relation text COLLATE "C" NOT NULL,
    other_key fact_text NOT NULL,
    CONSTRAINT permission_links_pkey PRIMARY KEY (organization_id, permission_key, relation, other_key),
    CONSTRAINT permission_links_relation_known CHECK (relation IN ('implied_by', 'excluded_by', 'requires')),
    CONSTRAINT permission_links_permission_fkey FOREIGN KEY (organization_id, permission_key)
        REFERENCES permissions (organization_id, permission_key) ON DELETE CASCADE,
    CONSTRAINT permission_links_other_fkey FOREIGN KEY (organization_id, other_key)
        REFERENCES permissions (organization_id, permission_key) ON DELETE CASCADE
);

CREATE INDEX permission_links_other_idx ON permission_links (organization_id, other_key);

-- What the owner of a resource of the type may do. permission: a key, '<type>:*' or '*'; a wildcard may stand for
-- no key at all, a key must be in the catalog.
CREATE TABLE owner_permissions (
    organization_id fact_text NOT NULL,
    resource_type fact_text NOT NULL,
    permission fact_text NOT NULL,
    permission_key text COLLATE "C" GENERATED ALWAYS AS
        (CASE WHEN permission = '*' OR permission LIKE '%:*' THEN NULL ELSE permission END) STORED,
    CONSTRAINT owner_permissions_pkey PRIMARY KEY (organization_id, resource_type, permission),
    CONSTRAINT owner_permissions_type_fkey FOREIGN KEY (organization_id, resource_type)
        REFERENCES resource_types (organization_id, resource_type) ON DELETE CASCADE,
    CONSTRAINT owner_permissions_permission_fkey FOREIGN KEY (organization_id, permission_key)
        REFERENCES permissions (organization_id, permission_key) ON DELETE CASCADE
);

CREATE INDEX owner_permissions_permission_idx ON owner_permissions (organization_id, permission_key);

SELECT watch_facts('resource_types'), watch_facts('permissions'), watch_facts('permission_links'),
    watch_facts('owner_permissions');
