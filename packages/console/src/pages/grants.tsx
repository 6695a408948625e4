// What is given or taken beside roles: grants and exclusions; and, on another tab, what is shared with whom.

import { useState } from "react";
import { useSearchParams } from "react-router";
import { READ_ROLES, useAny, useApp, useLoaded, useNoWriteAnywhere, useNoWriteAt } from "../context.js";
import { useAsk } from "../impact.js";
import { segments } from "../interface.js";
import { Listing } from "../listing.js";
import { Action, Await, Chip, Empty, Page, Tabs } from "../parts.js";
import type { Catalog, Grant, Role } from "../types.js";
import { conditionText, deadBecause, holderText, lifeText, placeText, type Names } from "../words.js";
import { GrantForm } from "./grant_form.js";
import { Shares } from "./shares.js";

const WRITE_GRANTS = ["role:manage"] as const;

export function Grants() {
  const reads = useAny(READ_ROLES);
  const [parameters, setParameters] = useSearchParams();
  const of = !reads || parameters.get("of") === "shares" ? "shares" : "grants";
  return (
    <Page title="Grants" about="What is given or taken beside roles, and what is shared with whom.">
      {reads && (
        <Tabs
          label="Which"
          of={[
            ["grants", "Grants and exclusions"],
            ["shares", "Shares"],
          ]}
          chosen={of}
          onChoose={(of) => setParameters(of === "shares" ? { of } : {})}
        />
      )}
      {of === "grants" ? <Given /> : <Shares />}
    </Page>
  );
}

function Given() {
  const { management, newest } = useApp();
  const noNew = useNoWriteAnywhere(WRITE_GRANTS);
  const noWrite = useNoWriteAt(WRITE_GRANTS);
  const [making, setMaking] = useState(false);
  const [dialog, ask] = useAsk();
  const read = useLoaded("grants", newest, async (signal) => {
    const [{ items, more }, roles, catalog] = await Promise.all([
      management.all<Grant>("grants", 10, signal),
      management.all<Role>("roles", 10, signal),
      management.get<Catalog>("catalog", signal),
    ]);
    const names: Names = new Map(roles.items.map((role) => [role.id, role.name]));
    // Those of shares are shown as shares, and end with them.
    return { grants: items.filter(({ share }) => !share), more, roles: roles.items, names, catalog };
  });
  return (
    <>
      <Await of={read} what="the grants">
        {({ grants, more, roles, names, catalog }) => (
          <>
            {grants.length === 0 && (
              <Empty title="Nothing is given or taken beside roles">
                <p>
                  A grant gives permissions somewhere, under conditions if wanted; an exclusion takes them
                  away.
                </p>
                <p>
                  <Action kind="primary" because={noNew} onClick={() => setMaking(true)}>
                    New grant …
                  </Action>
                </p>
              </Empty>
            )}
            {grants.length > 0 && (
              <Listing
                what="grant or exclusion"
                many="grants and exclusions"
                by="subject, permission or place"
                head={["Who", "What", "Where", "Condition", "When", "Action"]}
                items={grants}
                more={more}
                textOf={(grant) =>
                  [
                    holderText(grant.subject, names),
                    grant.effect,
                    grant.permissions.join(" "),
                    placeText(grant.at),
                    conditionText(grant),
                  ].join(" ")
                }
                row={(grant) => (
                  <Row
                    key={grant.id}
                    grant={grant}
                    names={names}
                    because={noWrite(grant.at)}
                    onEnd={(who, where) => {
                      const exclusion = grant.effect === "exclude";
                      ask({
                        title: exclusion ? `End the exclusion of ${who}` : `Take the grant from ${who}`,
                        verb: exclusion ? "End it" : "Take away",
                        danger: true,
                        write: { method: "DELETE", path: `grants/${segments(grant.id)}` },
                        done: exclusion
                          ? `${who} is no longer excluded at ${where}.`
                          : `${who} no longer has that grant at ${where}.`,
                      });
                    }}
                  />
                )}
              >
                <Action kind="primary" because={noNew} onClick={() => setMaking(true)}>
                  New grant …
                </Action>
              </Listing>
            )}
            {making && (
              <GrantForm
                catalog={catalog}
                roles={roles}
                onClose={() => setMaking(false)}
                onChoose={(body) => {
                  setMaking(false);
                  const who = holderText(body.subject, names);
                  const gives = body.effect === "allow";
                  ask({
                    title: gives ? `Give to ${who}` : `Exclude ${who}`,
                    verb: gives ? "Give" : "Exclude",
                    danger: !gives,
                    write: { method: "POST", path: "grants", body },
                    done: `${who} ${gives ? "has the grant" : "is excluded"} at ${placeText(body.at)}.`,
                  });
                }}
              />
            )}
          </>
        )}
      </Await>
      {dialog}
    </>
  );
}

function Row({
  grant,
  names,
  because,
  onEnd,
}: {
  grant: Grant;
  names: Names;
  because: string | undefined;
  onEnd: (who: string, where: string) => void;
}) {
  const [who, where] = [holderText(grant.subject, names), placeText(grant.at)];
  const dead = deadBecause(grant, Date.now());
  const exclusion = grant.effect === "exclude";
  const list = grant.permissions.join(", ");
  return (
    <tr>
      <th scope="row" className="breaks">
        {who}
      </th>
      <td className="breaks">
        <Chip kind={exclusion ? "bad" : "good"}>{exclusion ? "takes" : "gives"}</Chip> {list}
      </td>
      <td>{where}</td>
      <td>{conditionText(grant) || "none"}</td>
      <td>
        {lifeText(grant)} {dead !== undefined && dead !== "off" && <Chip kind="warn">{dead}</Chip>}
      </td>
      <td>
        <Action
          kind="danger"
          label={
            exclusion
              ? `End the exclusion of ${who}: ${list} at ${where}`
              : `Take away from ${who}: ${list} at ${where}`
          }
          because={because}
          onClick={() => onEnd(who, where)}
        >
          {exclusion ? "End" : "Take away"}
        </Action>
      </td>
    </tr>
  );
}
