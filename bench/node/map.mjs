// The floor that everybody writes themselves: a Map from the user's id to what the user holds, and a Set of permissions
// for each role. Union and nothing else: no rule of Postern's beyond that is in it.

/** Builds the table. */
export function buildMap(workload) {
  const roles = workload.roles.map((keys) => new Set(keys.map((key) => workload.permissions[key])));
  const users = new Map();
  const nothing = [];
  for (const user of workload.users) users.set(user, { assignments: [], grants: nothing });
  // Rows come in the order of the users, and so does a Map iterate.
  const holders = [...users.values()];
  for (const { user, role, site } of workload.assignments) {
    holders[user].assignments.push({ permissions: roles[role], site });
  }
  for (const { user, permission, site } of workload.grants) {
    if (holders[user].grants === nothing) holders[user].grants = [];
    holders[user].grants.push({ permission, site });
  }
  return users;
}

/** May the user do it at the site? */
export function isAllowed(users, user, permission, site) {
  const held = users.get(user);
  if (held === undefined) return false;
  const { assignments, grants } = held;
  for (let index = 0; index < assignments.length; index += 1) {
    const assignment = assignments[index];
    if ((assignment.site === null || assignment.site === site) && assignment.permissions.has(permission))
      return true;
  }
  for (let index = 0; index < grants.length; index += 1) {
    const grant = grants[index];
    if (grant.permission === permission && grant.site === site) return true;
  }
  return false;
}

/** The engine for `main.mjs`. */
export function mapEngine(workload, users) {
  const { queries } = workload;
  return {
    allows: (number) => {
      const { user, permission, site } = queries[number];
      return isAllowed(users, user, permission, site);
    },
    pass: () => {
      let allowed = 0;
      for (let number = 0; number < queries.length; number += 1) {
        const query = queries[number];
        allowed += Number(isAllowed(users, query.user, query.permission, query.site));
      }
      return allowed;
    },
  };
}
