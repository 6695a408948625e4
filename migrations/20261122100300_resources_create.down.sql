DROP TABLE resource_parents, resources;
