DROP TABLE owner_permissions, permission_links, permissions, resource_types;
