-- A secrets service as it was: one row a secret, which says who reads it in one of five ways. Values are encrypted by the
-- program, and no plan reads them.

CREATE TABLE users (
    id text PRIMARY KEY,
    email text NOT NULL UNIQUE,
    is_active boolean NOT NULL DEFAULT true
);

CREATE TABLE team_members (
    team_id text NOT NULL,
    user_id text NOT NULL REFERENCES users,
    PRIMARY KEY (team_id, user_id)
);

CREATE TABLE session_collaborators (
    session_id text NOT NULL,
    user_id text NOT NULL REFERENCES users,
    PRIMARY KEY (session_id, user_id)
);

CREATE TABLE secrets (
    id uuid PRIMARY KEY,
    owner_id text NOT NULL REFERENCES users,
    name text NOT NULL,
    scope text NOT NULL CHECK (scope IN ('user', 'session', 'shared', 'group', 'organization')),
    session_id text,
    shared_with text[] NOT NULL DEFAULT '{}',
    team_ids text[] NOT NULL DEFAULT '{}',
    encrypted_value bytea NOT NULL,
    expires_at timestamptz,
    is_active boolean NOT NULL DEFAULT true
);

INSERT INTO users SELECT 'u' || n, 'u' || n || '@vault.example', n <> 8 FROM generate_series(1, 8) AS n;
INSERT INTO team_members VALUES ('t1', 'u3'), ('t1', 'u4'), ('t2', 'u5'), ('t2', 'u8');
INSERT INTO session_collaborators VALUES ('s1', 'u1'), ('s1', 'u2'), ('s1', 'u6'), ('s2', 'u7');
-- Ten of each kind: owned by users 1 to 7 in turn, the ninth of each expired and the tenth put out of use.
INSERT INTO secrets (id, owner_id, name, scope, session_id, shared_with, team_ids, encrypted_value, expires_at, is_active)
    SELECT md5(scope || n)::uuid, 'u' || 1 + n % 7, scope || '-' || n, scope,
        CASE WHEN scope = 'session' THEN 's' || 1 + n % 2 END,
        CASE WHEN scope = 'shared' AND n % 4 > 0 THEN ARRAY['u' || 1 + n % 3, 'u' || 6 + n % 2] ELSE '{}' END,
        CASE WHEN scope = 'group' AND n % 4 > 0 THEN ARRAY['t' || 1 + n % 2] ELSE '{}' END,
        '', CASE WHEN n = 9 THEN now() - interval '1 day' WHEN n = 1 THEN now() + interval '10 years' END, n <> 10
    FROM generate_series(1, 10) AS n, unnest(ARRAY['user', 'session', 'shared', 'group', 'organization']) AS scope;
