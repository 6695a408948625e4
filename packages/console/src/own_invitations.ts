// What whoever is signed in is invited to. Everybody may see that of themselves, whatever they hold.

import { useState } from "react";
import { useEvery, useLoaded } from "./context.js";
import { withQuery, type Management, type Page } from "./interface.js";
import type { Invitation } from "./types.js";

const AGAIN_MS = 15_000;
const NONE: readonly Invitation[] = [];

/** The newest hundred, oldest first, and how to read them again. None while they are not read, or cannot be. */
export function useOwnInvitations(
  management: Management,
  subject: string,
  revision: number,
): { own: readonly Invitation[]; again: () => void } {
  const [turn, setTurn] = useState(0);
  const again = (): void => setTurn((turn) => turn + 1);
  // They are no facts: no revision tells of a new one.
  useEvery(AGAIN_MS, again);
  const read = useLoaded(`own invitations ${subject}`, `${revision} ${turn}`, async (signal) => {
    if (subject === "") return NONE;
    const path = withQuery("invitations", { subject, limit: "100" });
    return (await management.get<Page<Invitation>>(path, signal)).items;
  });
  return { own: read.state === "ready" ? read.value : NONE, again };
}
