-- An API platform's roles as they were before they had ids: a grant names its holder as text, `user:<id>` or `role:<slug>`,
-- and what it is about as an object. Organization is org_1.

CREATE TABLE organization_roles (
    organization_id text NOT NULL,
    slug text NOT NULL,
    name text NOT NULL,
    deleted_at timestamptz,
    PRIMARY KEY (organization_id, slug)
);

CREATE TABLE members (
    organization_id text NOT NULL,
    user_id text NOT NULL,
    email text NOT NULL,
    role_slug text NOT NULL,
    deleted_at timestamptz,
    PRIMARY KEY (organization_id, user_id)
);

CREATE TABLE projects (
    id uuid PRIMARY KEY,
    organization_id text NOT NULL,
    slug text NOT NULL
);

CREATE TABLE toolsets (
    id uuid PRIMARY KEY,
    project_id uuid NOT NULL REFERENCES projects,
    name text NOT NULL
);

CREATE TABLE principal_grants (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    organization_id text NOT NULL,
    principal_urn text NOT NULL,
    scope text NOT NULL,
    effect text NOT NULL DEFAULT 'allow' CHECK (effect IN ('allow', 'deny')),
    selectors jsonb NOT NULL CHECK (selectors <> '{}'),
    UNIQUE (organization_id, principal_urn, scope, effect, selectors)
);

INSERT INTO organization_roles VALUES ('org_1', 'admin', 'Admin', NULL), ('org_1', 'member', 'Member', NULL),
    ('org_1', 'editors', 'Editors', NULL), ('org_1', 'old', 'Old', now()), ('org_2', 'editors', 'Editors elsewhere', NULL);
INSERT INTO members SELECT 'org_1', 'u' || n, 'u' || n || '@platform.example',
    CASE WHEN n = 1 THEN 'admin' WHEN n % 3 = 0 THEN 'editors' ELSE 'member' END, CASE WHEN n = 9 THEN now() END
    FROM generate_series(1, 12) AS n;
INSERT INTO members VALUES ('org_2', 'u1', 'u1@platform.example', 'editors', NULL);
INSERT INTO projects SELECT md5('project ' || n)::uuid, CASE WHEN n <= 3 THEN 'org_1' ELSE 'org_2' END, 'project-' || n
    FROM generate_series(1, 4) AS n;
INSERT INTO toolsets SELECT md5('toolset ' || n)::uuid, md5('project ' || 1 + n % 3)::uuid, 'toolset ' || n
    FROM generate_series(1, 9) AS n;
INSERT INTO principal_grants (organization_id, principal_urn, scope, effect, selectors)
    SELECT 'org_1', principal, scope, effect, selectors::jsonb FROM (VALUES
        ('role:admin', 'project:write', 'allow', '{"resource_kind": "project", "resource_id": "*"}'),
        ('role:admin', 'mcp:write', 'allow', '{"resource_kind": "mcp", "resource_id": "*"}'),
        ('role:member', 'project:read', 'allow', '{"resource_kind": "project", "resource_id": "*"}'),
        ('role:editors', 'project:write', 'allow', '{"resource_kind": "project", "resource_id": "' || md5('project 1')::uuid || '"}'),
        ('role:editors', 'mcp:read', 'allow', '{"resource_kind": "mcp", "resource_id": "*", "project_id": "' || md5('project 2')::uuid || '"}'),
        ('role:old', 'project:write', 'allow', '{"resource_kind": "project", "resource_id": "*"}'),
        ('user:u2', 'mcp:connect', 'allow', '{"resource_kind": "mcp", "resource_id": "' || md5('toolset 4')::uuid || '"}'),
        ('user:u3', 'project:write', 'deny', '{"resource_kind": "project", "resource_id": "' || md5('project 1')::uuid || '"}')
    ) AS granted (principal, scope, effect, selectors);
INSERT INTO principal_grants (organization_id, principal_urn, scope, selectors)
    VALUES ('org_2', 'user:u1', 'project:write', '{"resource_kind": "project", "resource_id": "*"}');
