-- A compute cluster's database after its roles were made and before sessions belonged to anybody by an edge, with a
-- little data. Permissions lie on roles, each at a scope; who holds a role holds it at every scope of its rows.

CREATE TABLE domains (name text PRIMARY KEY);

CREATE TABLE groups (
    id uuid PRIMARY KEY,
    domain_name text NOT NULL REFERENCES domains
);

CREATE TABLE users (
    uuid uuid PRIMARY KEY,
    email text NOT NULL UNIQUE,
    domain_name text NOT NULL REFERENCES domains
);

CREATE TABLE roles (
    id uuid PRIMARY KEY,
    name text NOT NULL,
    status text NOT NULL DEFAULT 'active'
);

CREATE TABLE user_roles (
    user_id uuid NOT NULL REFERENCES users,
    role_id uuid NOT NULL REFERENCES roles,
    PRIMARY KEY (user_id, role_id)
);

CREATE TABLE permissions (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    role_id uuid NOT NULL REFERENCES roles,
    scope_type text NOT NULL,
    scope_id text NOT NULL,
    entity_type text NOT NULL,
    operation text NOT NULL,
    UNIQUE (role_id, scope_type, scope_id, entity_type, operation)
);

CREATE TABLE sessions (
    id uuid PRIMARY KEY,
    user_uuid uuid NOT NULL REFERENCES users,
    group_id uuid NOT NULL REFERENCES groups,
    domain_name text NOT NULL REFERENCES domains,
    name text NOT NULL
);

INSERT INTO domains VALUES ('default'), ('research');
INSERT INTO groups SELECT md5('group ' || n)::uuid, CASE WHEN n <= 3 THEN 'default' ELSE 'research' END
    FROM generate_series(1, 4) AS n;
INSERT INTO users SELECT md5('user ' || n)::uuid, 'user' || n || '@cluster.example',
    CASE WHEN n <= 15 THEN 'default' ELSE 'research' END FROM generate_series(1, 20) AS n;
-- A role for each person, two for each project and two for each domain, as the cluster makes them.
INSERT INTO roles SELECT md5('role user ' || n)::uuid, 'user-' || left(md5('user ' || n), 8) FROM generate_series(1, 20) AS n;
INSERT INTO roles SELECT md5('role ' || kind || n)::uuid, 'project-' || left(md5('group ' || n), 8) || '-' || kind
    FROM generate_series(1, 4) AS n, (VALUES ('admin'), ('member')) AS kinds (kind);
INSERT INTO roles SELECT md5('role domain ' || kind || name)::uuid, 'domain-' || name || '-' || kind
    FROM domains, (VALUES ('admin'), ('member')) AS kinds (kind);
INSERT INTO permissions (role_id, scope_type, scope_id, entity_type, operation)
    SELECT md5('role user ' || n)::uuid, 'user', md5('user ' || n)::uuid::text, 'vfolder', operation
    FROM generate_series(1, 20) AS n, (VALUES ('read'), ('update')) AS operations (operation);
INSERT INTO permissions (role_id, scope_type, scope_id, entity_type, operation)
    SELECT md5('role ' || kind || n)::uuid, 'project', md5('group ' || n)::uuid::text, 'vfolder', operation
    FROM generate_series(1, 4) AS n, (VALUES ('admin'), ('member')) AS kinds (kind),
        (VALUES ('read'), ('update')) AS operations (operation);
INSERT INTO permissions (role_id, scope_type, scope_id, entity_type, operation)
    SELECT md5('role domain ' || kind || name)::uuid, 'domain', name, 'vfolder', 'read'
    FROM domains, (VALUES ('admin'), ('member')) AS kinds (kind);
INSERT INTO user_roles SELECT md5('user ' || n)::uuid, md5('role user ' || n)::uuid FROM generate_series(1, 20) AS n;
INSERT INTO user_roles SELECT md5('user ' || n)::uuid, md5('role member' || 1 + n % 4)::uuid
    FROM generate_series(1, 20) AS n;
INSERT INTO user_roles SELECT md5('user ' || n)::uuid, md5('role admin' || n)::uuid FROM generate_series(1, 4) AS n;
INSERT INTO user_roles VALUES (md5('user 5')::uuid, md5('role domain admindefault')::uuid),
    (md5('user 6')::uuid, md5('role domain memberdefault')::uuid);
UPDATE roles SET status = 'inactive' WHERE id = md5('role admin4')::uuid;
INSERT INTO sessions SELECT md5('session ' || n)::uuid, md5('user ' || 1 + n % 20)::uuid,
    md5('group ' || 1 + n % 4)::uuid, CASE WHEN n % 4 < 3 THEN 'default' ELSE 'research' END, 'session ' || n
    FROM generate_series(1, 2500) AS n;
