-- A fleet's database as it was before permissions had tables of their own, with a little data. One organization is 1.

CREATE TABLE organization (
    id bigint PRIMARY KEY,
    name text NOT NULL,
    deleted_at timestamptz
);

CREATE TABLE "user" (
    id bigint PRIMARY KEY,
    username text NOT NULL UNIQUE,
    deleted_at timestamptz
);

CREATE TABLE role (
    id bigint PRIMARY KEY,
    name text NOT NULL UNIQUE
);

-- Who belongs to which organization, with one role in all of it.
CREATE TABLE user_organization (
    user_id bigint NOT NULL REFERENCES "user",
    organization_id bigint NOT NULL REFERENCES organization,
    role_id bigint NOT NULL REFERENCES role,
    deleted_at timestamptz,
    PRIMARY KEY (user_id, organization_id)
);

CREATE TABLE site (
    id bigint PRIMARY KEY,
    organization_id bigint NOT NULL REFERENCES organization,
    name text NOT NULL
);

-- Who is a technician at a site, and at that site nothing else, whatever the organization lets them do elsewhere.
CREATE TABLE site_technician (
    site_id bigint NOT NULL REFERENCES site,
    user_id bigint NOT NULL REFERENCES "user",
    PRIMARY KEY (site_id, user_id)
);

CREATE TABLE rack (
    id bigint PRIMARY KEY,
    site_id bigint NOT NULL REFERENCES site,
    label text NOT NULL
);

CREATE TABLE device (
    id uuid PRIMARY KEY,
    site_id bigint NOT NULL REFERENCES site,
    rack_id bigint REFERENCES rack,
    serial_number text NOT NULL
);

INSERT INTO organization (id, name) VALUES (1, 'Northern Hash'), (2, 'Somebody else');
INSERT INTO role (id, name) VALUES (1, 'SUPER_ADMIN'), (2, 'ADMIN');
INSERT INTO "user" (id, username, deleted_at)
    SELECT n, 'user' || n || '@northern.example', CASE WHEN n % 10 = 0 THEN now() END FROM generate_series(1, 40) AS n;
INSERT INTO site (id, organization_id, name)
    SELECT n, CASE WHEN n <= 4 THEN 1 ELSE 2 END, 'Site ' || n FROM generate_series(1, 5) AS n;
-- User 1 is super admin, 2 to 10 are admins; 11 to 40 belong to no organization as a whole.
INSERT INTO user_organization (user_id, organization_id, role_id)
    SELECT n, 1, CASE WHEN n = 1 THEN 1 ELSE 2 END FROM generate_series(1, 10) AS n;
INSERT INTO user_organization (user_id, organization_id, role_id) VALUES (40, 2, 2);
INSERT INTO site_technician (site_id, user_id) SELECT 1 + n % 4, n FROM generate_series(11, 36) AS n;
-- Admin 2 is a technician at site 1.
INSERT INTO site_technician (site_id, user_id) VALUES (1, 2);
INSERT INTO rack (id, site_id, label) SELECT n, 1 + n % 4, 'R' || n FROM generate_series(1, 12) AS n;
-- A tenth of the devices stand in no rack.
INSERT INTO device (id, site_id, rack_id, serial_number)
    SELECT gen_random_uuid(), 1 + rack % 4, CASE WHEN n % 10 > 0 THEN rack END, 'SN' || n
    FROM generate_series(1, 300) AS n, LATERAL (SELECT 1 + n % 12 AS rack) AS of_rack;
