// People and roles.

import { Act } from "../act.js";
import { Card, Failed, Loading, PageHead } from "../parts.js";
import { useApp, useLoaded } from "../context.js";
import { loadTeam } from "../data.js";
import { count } from "../format.js";

export function Team() {
  const { postern } = useApp();
  const team = useLoaded("team", loadTeam);
  if (team === undefined) return <Loading what="the team" />;
  if (team instanceof Error) return <Failed what="the team" error={team} />;
  return (
    <>
      <PageHead title="Team" about={`${count(team.count)} people in the organization`}>
        <Act label="Invite" permission="user:manage" icon="plus" kind="primary" />
      </PageHead>
      {postern.can("user:read") && (
        <Card title="People">
          <div class="scroll" tabIndex={0} role="region" aria-label="Table of people">
            <table class="list">
              <thead>
                <tr>
                  <th scope="col">Name</th>
                  <th scope="col">Roles</th>
                  <th scope="col" class="end">
                    Actions
                  </th>
                </tr>
              </thead>
              <tbody>
                {team.people.map((person) => (
                  <tr key={person.subject}>
                    <th scope="row">
                      {person.name} {person.subject === postern.subject && <span class="tag">you</span>}
                    </th>
                    <td>
                      {person.roles.length === 0 ? <span class="muted">none</span> : person.roles.join("; ")}
                    </td>
                    <td class="end">
                      <span class="row-actions">
                        <Act label="Change role" permission="role:manage" />
                        <Act label="Deactivate" permission="user:manage" kind="danger" />
                      </span>
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        </Card>
      )}
      <Card title="Roles" aside={<Act label="New role" permission="role:manage" icon="plus" />}>
        <ul class="roles">
          {team.roles.map((role) => (
            <li key={role.id}>
              <strong>{role.name}</strong>
              {role.builtIn && <span class="tag">built in</span>}
              <span class="muted">
                {role.permissions === 0 ? "no permissions" : `${role.permissions} permissions`} ·{" "}
                {count(role.holders)} {role.holders === 1 ? "holder" : "holders"}
              </span>
            </li>
          ))}
        </ul>
      </Card>
    </>
  );
}
