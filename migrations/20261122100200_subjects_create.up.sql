-- Who may ask, under which further ids, and who belongs to which group.

CREATE TABLE subjects (
    organization_id fact_text NOT NULL,
    -- <type>:<id>
    subject_id fact_text NOT NULL,
    attributes fact_dimensions NOT NULL DEFAULT '{}',
    active boolean NOT NULL DEFAULT true,
    -- Inclusive; NULL: always.
    not_before fact_time,
    -- Exclusive; NULL: never.
    expires_at fact_time,
    CONSTRAINT subjects_pkey PRIMARY KEY (organization_id, subject_id),
    CONSTRAINT subjects_organization_fkey FOREIGN KEY (organization_id)
        REFERENCES organizations (organization_id) ON DELETE CASCADE,
    CONSTRAINT subjects_id_form CHECK (
        strpos(subject_id, ':') > 1 AND substr(subject_id, strpos(subject_id, ':') + 1) NOT IN ('', '*', 'all'))
);

CREATE TABLE subject_aliases (
    organization_id fact_text NOT NULL,
    -- <type>:<alias>, the type being that of the subject
    alias_id fact_text NOT NULL,
    subject_id fact_text NOT NULL,
    CONSTRAINT subject_aliases_pkey PRIMARY KEY (organization_id, alias_id),
    CONSTRAINT subject_aliases_subject_fkey FOREIGN KEY (organization_id, subject_id)
        REFERENCES subjects (organization_id, subject_id) ON DELETE CASCADE,
    CONSTRAINT subject_aliases_type CHECK (split_part(alias_id, ':', 1) = split_part(subject_id, ':', 1)),
    CONSTRAINT subject_aliases_id_form CHECK (
        strpos(alias_id, ':') > 1 AND substr(alias_id, strpos(alias_id, ':') + 1) NOT IN ('', '*', 'all'))
);

CREATE INDEX subject_aliases_subject_idx ON subject_aliases (organization_id, subject_id);

-- An alias that is also the id of a subject would stand for two. The trigger runs after facts_inserted and
-- facts_updated (triggers run in the order of their names), that is under the lock on the organization's head: no
-- other transaction can be adding the other half at the same time.
CREATE FUNCTION names_checked() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    double text;
BEGIN
    IF TG_TABLE_NAME = 'subjects' THEN
        SELECT alias_id INTO double FROM new_facts JOIN subject_aliases AS alias
            ON alias.organization_id = new_facts.organization_id AND alias.alias_id = new_facts.subject_id LIMIT 1;
    ELSE
        SELECT alias_id INTO double FROM new_facts JOIN subjects AS subject
            ON subject.organization_id = new_facts.organization_id AND subject.subject_id = new_facts.alias_id LIMIT 1;
    END IF;
    IF double IS NOT NULL THEN
        RAISE EXCEPTION '% is both the id and an alias of a subject', double
            USING ERRCODE = 'unique_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'subject_names_key';
    END IF;
    RETURN NULL;
END $$;

CREATE TABLE memberships (
    organization_id fact_text NOT NULL,
    membership_id uuid NOT NULL DEFAULT gen_random_uuid(),
    -- A subject, listed or not, or a group, which must be listed.
    subject_id fact_text NOT NULL,
    group_id fact_text NOT NULL,
    active boolean NOT NULL DEFAULT true,
    not_before fact_time,
    expires_at fact_time,
    member_group_id text COLLATE "C" GENERATED ALWAYS AS
        (CASE WHEN subject_id LIKE 'group:%' THEN subject_id END) STORED,
    CONSTRAINT memberships_pkey PRIMARY KEY (organization_id, membership_id),
    CONSTRAINT memberships_subject_group_key UNIQUE NULLS NOT DISTINCT
        (organization_id, subject_id, group_id, active, not_before, expires_at),
    CONSTRAINT memberships_group_fkey FOREIGN KEY (organization_id, group_id)
        REFERENCES subjects (organization_id, subject_id) ON DELETE CASCADE,
    CONSTRAINT memberships_member_group_fkey FOREIGN KEY (organization_id, member_group_id)
        REFERENCES subjects (organization_id, subject_id) ON DELETE CASCADE,
    CONSTRAINT memberships_group_form CHECK (group_id LIKE 'group:%'),
    CONSTRAINT memberships_subject_form CHECK (
        strpos(subject_id, ':') > 1 AND substr(subject_id, strpos(subject_id, ':') + 1) NOT IN ('', '*', 'all'))
);

CREATE INDEX memberships_group_idx ON memberships (organization_id, group_id);
CREATE INDEX memberships_member_group_idx ON memberships (organization_id, member_group_id)
    WHERE member_group_id IS NOT NULL;

SELECT watch_facts('subjects'), watch_facts('subject_aliases'), watch_facts('memberships');

DO $$
DECLARE
    name text;
BEGIN
    EXECUTE format('ALTER FUNCTION names_checked() SET search_path = %I, pg_temp', current_schema());
    FOREACH name IN ARRAY ARRAY['subjects', 'subject_aliases'] LOOP
        EXECUTE format('CREATE TRIGGER names_checked_on_insert AFTER INSERT ON %I REFERENCING NEW TABLE AS new_facts
            FOR EACH STATEMENT EXECUTE FUNCTION names_checked()', name);
        EXECUTE format('CREATE TRIGGER names_checked_on_update AFTER UPDATE ON %I REFERENCING NEW TABLE AS new_facts
            FOR EACH STATEMENT EXECUTE FUNCTION names_checked()', name);
        EXECUTE format('ALTER TABLE %I ENABLE ALWAYS TRIGGER names_checked_on_insert,
            ENABLE ALWAYS TRIGGER names_checked_on_update', name);
    END LOOP;
END $$;
