-- Roles, who holds them where, and grants.

CREATE TABLE roles (
    organization_id fact_text NOT NULL,
    -- role:global:<uuid>, role:organization:<uuid>, role:system:<name> or role:<slug>
    role_id fact_text NOT NULL,
    name text NOT NULL,
    active boolean NOT NULL DEFAULT true,
    CONSTRAINT roles_pkey PRIMARY KEY (organization_id, role_id),
    CONSTRAINT roles_organization_fkey FOREIGN KEY (organization_id)
        REFERENCES organizations (organization_id) ON DELETE CASCADE,
    CONSTRAINT roles_id_form CHECK (role_id LIKE 'role:_%')
);

-- permission: a key, '<type>:*' or '*', as in owner_permissions.
CREATE TABLE role_permissions (
    organization_id fact_text NOT NULL,
    role_id fact_text NOT NULL,
    permission fact_text NOT NULL,
    permission_key text COLLATE "C" GENERATED ALWAYS AS
        (CASE WHEN permission = '*' OR permission LIKE '%:*' THEN NULL ELSE permission END) STORED,
    CONSTRAINT role_permissions_pkey PRIMARY KEY (organization_id, role_id, permission),
    CONSTRAINT role_permissions_role_fkey FOREIGN KEY (organization_id, role_id)
        REFERENCES roles (organization_id, role_id) ON DELETE CASCADE,
    CONSTRAINT role_permissions_permission_fkey FOREIGN KEY (organization_id, permission_key)
        REFERENCES permissions (organization_id, permission_key) ON DELETE CASCADE
);

CREATE INDEX role_permissions_permission_idx ON role_permissions (organization_id, permission_key);

CREATE TABLE assignments (
    organization_id fact_text NOT NULL,
    assignment_id uuid NOT NULL DEFAULT gen_random_uuid(),
    -- A subject, listed or not, 'user:all', or a group, which must be listed.
    subject_id fact_text NOT NULL,
    role_id fact_text NOT NULL,
    -- Both NULL: the whole organization. The type must be declared; the resource need not be listed.
    at_type fact_text,
    at_id fact_text,
    active boolean NOT NULL DEFAULT true,
    not_before fact_time,
    expires_at fact_time,
    group_id text COLLATE "C" GENERATED ALWAYS AS
        (CASE WHEN subject_id LIKE 'group:%' THEN subject_id END) STORED,
    CONSTRAINT assignments_pkey PRIMARY KEY (organization_id, assignment_id),
    CONSTRAINT assignments_subject_role_at_key UNIQUE NULLS NOT DISTINCT
        (organization_id, subject_id, role_id, at_type, at_id, active, not_before, expires_at),
    CONSTRAINT assignments_role_fkey FOREIGN KEY (organization_id, role_id)
        REFERENCES roles (organization_id, role_id) ON DELETE CASCADE,
    CONSTRAINT assignments_group_fkey FOREIGN KEY (organization_id, group_id)
        REFERENCES subjects (organization_id, subject_id) ON DELETE CASCADE,
    CONSTRAINT assignments_at_type_fkey FOREIGN KEY (organization_id, at_type)
        REFERENCES resource_types (organization_id, resource_type) ON DELETE CASCADE,
    CONSTRAINT assignments_at_whole CHECK ((at_type IS NULL) = (at_id IS NULL)),
    CONSTRAINT assignments_at_form CHECK (at_id <> '*'),
    CONSTRAINT assignments_subject_form CHECK (
        subject_id = 'user:all'
        OR strpos(subject_id, ':') > 1 AND substr(subject_id, strpos(subject_id, ':') + 1) NOT IN ('', '*', 'all'))
);

CREATE INDEX assignments_role_idx ON assignments (organization_id, role_id);
CREATE INDEX assignments_group_idx ON assignments (organization_id, group_id) WHERE group_id IS NOT NULL;
CREATE INDEX assignments_at_idx ON assignments (organization_id, at_type, at_id) WHERE at_type IS NOT NULL;

CREATE TABLE grants (
    organization_id fact_text NOT NULL,
    grant_id uuid NOT NULL DEFAULT gen_random_uuid(),
    -- A subject, listed or not, 'user:all', a group, which must be listed, or a role.
    subject_id fact_text NOT NULL,
    effect text COLLATE "C" NOT NULL DEFAULT 'allow',
    at_type fact_text,
    at_id fact_text,
    -- The member `where` of a world: dimensions that must be equal where the query states them.
    conditions fact_dimensions NOT NULL DEFAULT '{}',
    -- Dimensions that must be present and equal.
    require fact_dimensions NOT NULL DEFAULT '{}',
    own boolean NOT NULL DEFAULT false,
    session_id text COLLATE "C",
    active boolean NOT NULL DEFAULT true,
    not_before fact_time,
    expires_at fact_time,
    group_id text COLLATE "C" GENERATED ALWAYS AS
        (CASE WHEN subject_id LIKE 'group:%' THEN subject_id END) STORED,
    role_id text COLLATE "C" GENERATED ALWAYS AS
        (CASE WHEN subject_id LIKE 'role:%' THEN subject_id END) STORED,
    CONSTRAINT grants_pkey PRIMARY KEY (organization_id, grant_id),
    CONSTRAINT grants_organization_fkey FOREIGN KEY (organization_id)
        REFERENCES organizations (organization_id) ON DELETE CASCADE,
    CONSTRAINT grants_group_fkey FOREIGN KEY (organization_id, group_id)
        REFERENCES subjects (organization_id, subject_id) ON DELETE CASCADE,
    CONSTRAINT grants_role_fkey FOREIGN KEY (organization_id, role_id)
        REFERENCES roles (organization_id, role_id) ON DELETE CASCADE,
    CONSTRAINT grants_at_type_fkey FOREIGN KEY (organization_id, at_type)
        REFERENCES resource_types (organization_id, resource_type) ON DELETE CASCADE,
    CONSTRAINT grants_effect_known CHECK (effect IN ('allow', 'exclude')),
    CONSTRAINT grants_at_whole CHECK ((at_type IS NULL) = (at_id IS NULL)),
    CONSTRAINT grants_at_form CHECK (at_id <> '*'),
    CONSTRAINT grants_subject_form CHECK (
        subject_id = 'user:all' OR role_id IS NOT NULL
        OR strpos(subject_id, ':') > 1 AND substr(subject_id, strpos(subject_id, ':') + 1) NOT IN ('', '*', 'all'))
);

CREATE INDEX grants_subject_idx ON grants (organization_id, subject_id);
CREATE INDEX grants_at_idx ON grants (organization_id, at_type, at_id) WHERE at_type IS NOT NULL;

-- permission: a key, '<type>:*' or '*', as in owner_permissions.
CREATE TABLE grant_permissions (
    organization_id fact_text NOT NULL,
    grant_id uuid NOT NULL,
    permission fact_text NOT NULL,
    permission_key text COLLATE "C" GENERATED ALWAYS AS
        (CASE WHEN permission = '*' OR permission LIKE '%:*' THEN NULL ELSE permission END) STORED,
    CONSTRAINT grant_permissions_pkey PRIMARY KEY (organization_id, grant_id, permission),
    CONSTRAINT grant_permissions_grant_fkey FOREIGN KEY (organization_id, grant_id)
        REFERENCES grants (organization_id, grant_id) ON DELETE CASCADE,
    CONSTRAINT grant_permissions_permission_fkey FOREIGN KEY (organization_id, permission_key)
        REFERENCES permissions (organization_id, permission_key) ON DELETE CASCADE
);

CREATE INDEX grant_permissions_permission_idx ON grant_permissions (organization_id, permission_key);

SELECT watch_facts('roles'), watch_facts('role_permissions'), watch_facts('assignments'), watch_facts('grants'),
    watch_facts('grant_permissions');
