DROP TABLE grant_permissions, grants, assignments, role_permissions, roles;
