-- What `postern adopt` has made of which plan, how far it has come, and on every row that it made, by which rule.

-- A plan that was run on an organization, until it is reverted.
CREATE TABLE adoptions (
    organization_id fact_text NOT NULL,
    adoption_id integer GENERATED ALWAYS AS IDENTITY,
    -- The name in the plan. A changed plan of the same name is the same adoption.
    plan_name fact_text NOT NULL,
    -- SHA-256 of `plan`.
    plan_digest bytea NOT NULL,
    -- The plan as it was run last.
    plan text COLLATE "C" NOT NULL,
    -- Host and database that it was read from, without credentials.
    source text COLLATE "C" NOT NULL,
    begun_at timestamptz NOT NULL DEFAULT now(),
    -- NULL: a run was interrupted, or goes on.
    finished_at timestamptz,
    CONSTRAINT adoptions_pkey PRIMARY KEY (organization_id, adoption_id),
    CONSTRAINT adoptions_plan_name_key UNIQUE (organization_id, plan_name),
    CONSTRAINT adoptions_digest_length CHECK (octet_length(plan_digest) = 32),
    CONSTRAINT adoptions_organization_fkey FOREIGN KEY (organization_id)
        REFERENCES organizations (organization_id) ON DELETE CASCADE
);

-- How far the run that is under way, or was interrupted, has come: written with the facts of each batch.
CREATE TABLE adoption_queries (
    organization_id fact_text NOT NULL,
    adoption_id integer NOT NULL,
    query_name fact_text NOT NULL,
    -- The key of the last row that was read, each column as text. NULL: none was.
    last_key text[] COLLATE "C",
    rows_read bigint NOT NULL DEFAULT 0,
    finished boolean NOT NULL DEFAULT false,
    CONSTRAINT adoption_queries_pkey PRIMARY KEY (organization_id, adoption_id, query_name),
    CONSTRAINT adoption_queries_adoption_fkey FOREIGN KEY (organization_id, adoption_id)
        REFERENCES adoptions (organization_id, adoption_id) ON DELETE CASCADE
);

-- A rule of a plan: what each row of a query becomes.
CREATE TABLE adoption_rules (
    organization_id fact_text NOT NULL,
    adoption_rule_id integer GENERATED ALWAYS AS IDENTITY,
    adoption_id integer NOT NULL,
    query_name fact_text NOT NULL,
    -- The kind of fact, and its number among those of the query: `edge 2`.
    rule_name fact_text NOT NULL,
    -- Since the adoption began; some of them may have been changed or deleted since.
    rows_created bigint NOT NULL DEFAULT 0,
    CONSTRAINT adoption_rules_pkey PRIMARY KEY (organization_id, adoption_rule_id),
    CONSTRAINT adoption_rules_name_key UNIQUE (organization_id, adoption_id, query_name, rule_name),
    CONSTRAINT adoption_rules_adoption_fkey FOREIGN KEY (organization_id, adoption_id)
        REFERENCES adoptions (organization_id, adoption_id) ON DELETE CASCADE
);

-- Whoever writes a row that a plan made takes it over: it is not the plan's any more, and `--revert` leaves it.
CREATE FUNCTION adopted_row_taken_over() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.adoption_rule_id := NULL;
    RETURN NEW;
END $$;

-- The rule that made the row; NULL: none did. Without a foreign key and without an index: those would cost every row of
-- a run more than the mark itself. A rule's row is deleted only when no fact bears its number, and numbers do not return.
DO $$
DECLARE
    facts text;
BEGIN
    FOREACH facts IN ARRAY ARRAY['subjects', 'subject_aliases', 'memberships', 'resources', 'resource_parents', 'roles',
        'role_permissions', 'assignments', 'grants', 'grant_permissions']
    LOOP
        EXECUTE format('ALTER TABLE %I ADD COLUMN adoption_rule_id integer', facts);
        EXECUTE format('CREATE TRIGGER adopted_row_taken_over BEFORE UPDATE ON %I FOR EACH ROW
            WHEN (NEW.adoption_rule_id = OLD.adoption_rule_id) EXECUTE FUNCTION adopted_row_taken_over()', facts);
    END LOOP;
END $$;
