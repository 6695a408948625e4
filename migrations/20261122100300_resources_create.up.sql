-- What can be acted on, and the edges from each to its parents.

CREATE TABLE resources (
    organization_id fact_text NOT NULL,
    resource_type fact_text NOT NULL,
    resource_id fact_text NOT NULL,
    -- The subject that owns it, listed or not.
    owner_id fact_text,
    attributes fact_dimensions NOT NULL DEFAULT '{}',
    active boolean NOT NULL DEFAULT true,
    not_before fact_time,
    expires_at fact_time,
    CONSTRAINT resources_pkey PRIMARY KEY (organization_id, resource_type, resource_id),
    CONSTRAINT resources_type_fkey FOREIGN KEY (organization_id, resource_type)
        REFERENCES resource_types (organization_id, resource_type) ON DELETE CASCADE,
    CONSTRAINT resources_id_form CHECK (resource_id <> '*'),
    CONSTRAINT resources_owner_form CHECK (
        strpos(owner_id, ':') > 1 AND substr(owner_id, strpos(owner_id, ':') + 1) NOT IN ('', '*', 'all')),
    -- Dimensions of that form are the subject's.
    CONSTRAINT resources_attributes_names CHECK (
        NOT jsonb_path_exists(attributes, '$.keyvalue() ? (@.key starts with "subject.")'))
);

CREATE TABLE resource_parents (
    organization_id fact_text NOT NULL,
    resource_parent_id uuid NOT NULL DEFAULT gen_random_uuid(),
    child_type fact_text NOT NULL,
    child_id fact_text NOT NULL,
    parent_type fact_text NOT NULL,
    parent_id fact_text NOT NULL,
    -- 'auto': everything flows down. 'ref': only the actions in cap do.
    relation text COLLATE "C" NOT NULL DEFAULT 'auto',
    cap text[] COLLATE "C" NOT NULL DEFAULT '{}',
    CONSTRAINT resource_parents_pkey PRIMARY KEY (organization_id, resource_parent_id),
    CONSTRAINT resource_parents_relation_known CHECK (relation IN ('auto', 'ref')),
    CONSTRAINT resource_parents_cap_of_ref CHECK (relation = 'ref' OR cardinality(cap) = 0),
    CONSTRAINT resource_parents_cap_actions CHECK (
        array_position(cap, NULL) IS NULL AND NOT ('*' = ANY (cap)) AND NOT ('' = ANY (cap))),
    CONSTRAINT resource_parents_child_fkey FOREIGN KEY (organization_id, child_type, child_id)
        REFERENCES resources (organization_id, resource_type, resource_id) ON DELETE CASCADE,
    CONSTRAINT resource_parents_parent_fkey FOREIGN KEY (organization_id, parent_type, parent_id)
        REFERENCES resources (organization_id, resource_type, resource_id) ON DELETE CASCADE
);

CREATE INDEX resource_parents_child_idx ON resource_parents (organization_id, child_type, child_id);
CREATE INDEX resource_parents_parent_idx ON resource_parents (organization_id, parent_type, parent_id);
-- Edges of relation ref may repeat with other caps; a second edge auto would only hide the removal of the first.
CREATE UNIQUE INDEX resource_parents_auto_key
    ON resource_parents (organization_id, child_type, child_id, parent_type, parent_id) WHERE relation = 'auto';

SELECT watch_facts('resources'), watch_facts('resource_parents');
