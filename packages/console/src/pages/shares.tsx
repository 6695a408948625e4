// What is shared with whom, of the whole organization.

import { useState } from "react";
import { useApp, useLoaded, useNoWriteAnywhere, useNoWriteAt } from "../context.js";
import { useAsk } from "../impact.js";
import { segments } from "../interface.js";
import { Listing } from "../listing.js";
import { Action, Await, Chip, Empty } from "../parts.js";
import type { Catalog, Share } from "../types.js";
import { deadBecause, holderText, lifeText, placeText } from "../words.js";
import { ShareForm } from "./share_form.js";

export const WRITE_SHARES = ["resource:share", "role:manage"] as const;
const NO_NAMES = new Map<string, string>();

export function Shares() {
  const { management, newest } = useApp();
  const noNew = useNoWriteAnywhere(WRITE_SHARES);
  const noWrite = useNoWriteAt(WRITE_SHARES);
  const [making, setMaking] = useState(false);
  const [dialog, ask] = useAsk();
  const read = useLoaded("shares", newest, async (signal) => {
    const [{ items, more }, catalog] = await Promise.all([
      management.all<Share>("shares", 10, signal),
      management.get<Catalog>("catalog", signal),
    ]);
    return { shares: items, more, catalog };
  });
  const button = (
    <Action kind="primary" because={noNew} onClick={() => setMaking(true)}>
      Share …
    </Action>
  );
  return (
    <>
      <Await of={read} what="the shares">
        {({ shares, more, catalog }) => (
          <>
            {shares.length === 0 ? (
              <Empty title="Nothing is shared">
                <p>A share gives one resource to a subject or a group, and may put it where they find it.</p>
                <p>{button}</p>
              </Empty>
            ) : (
              <Listing
                what="share"
                by="resource, subject or permission"
                head={["Resource", "With whom", "What", "Found in", "When", "Action"]}
                items={shares}
                more={more}
                textOf={({ resource, subject, permissions }) =>
                  `${placeText(resource)} ${holderText(subject, NO_NAMES)} ${permissions.join(" ")}`
                }
                row={(share) => (
                  <Row
                    key={share.id}
                    share={share}
                    because={noWrite(share.resource)}
                    onEnd={() => ask(unshare(share))}
                  />
                )}
              >
                {button}
              </Listing>
            )}
            {making && (
              <ShareForm
                catalog={catalog}
                onClose={() => setMaking(false)}
                onChoose={(body) => {
                  setMaking(false);
                  ask(sharing(body));
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

export type NewShare = Omit<Share, "id">;

/** A share that is asked for. */
export const sharing = (body: NewShare) => ({
  title: `Share ${placeText(body.resource)} with ${holderText(body.subject, NO_NAMES)}`,
  verb: "Share",
  write: { method: "POST", path: "shares", body } as const,
  done: `${placeText(body.resource)} is shared with ${holderText(body.subject, NO_NAMES)}.`,
});

/** The end of one. */
export const unshare = ({ id, resource, subject }: Share) => ({
  title: `Share ${placeText(resource)} with ${holderText(subject, NO_NAMES)} no longer`,
  verb: "End the share",
  danger: true,
  write: { method: "DELETE", path: `shares/${segments(id)}` } as const,
  done: `${placeText(resource)} is no longer shared with ${holderText(subject, NO_NAMES)}.`,
});

function Row({ share, because, onEnd }: { share: Share; because: string | undefined; onEnd: () => void }) {
  const dead = deadBecause(share, Date.now());
  const who = holderText(share.subject, NO_NAMES);
  return (
    <tr>
      <th scope="row" className="breaks">
        {placeText(share.resource)}
      </th>
      <td>{who}</td>
      <td className="breaks">{share.permissions.join(", ")}</td>
      <td>{share.into === null ? "nowhere else" : placeText(share.into)}</td>
      <td>
        {lifeText(share)} {dead !== undefined && dead !== "off" && <Chip kind="warn">{dead}</Chip>}
      </td>
      <td>
        <Action
          kind="danger"
          label={`End the share of ${placeText(share.resource)} with ${who}`}
          because={because}
          onClick={onEnd}
        >
          End
        </Action>
      </td>
    </tr>
  );
}
