// A preview in a sentence.

import type { Preview } from "./types.js";
import { count } from "./words.js";

/** Who gains and loses how much; that nobody does, where nobody does. */
export function summary({ gained, lost, concerned }: Preview): string {
  const of = (side: { subjects: number; permissions: number }, verb: string): string =>
    `${count(side.subjects, "subject")} ${side.subjects === 1 ? `${verb}s` : verb} ${count(side.permissions, "permission")}`;
  const parts: string[] = [];
  if (gained.permissions > 0) parts.push(of(gained, "gain"));
  if (lost.permissions > 0) parts.push(of(lost, "lose"));
  if (parts.length > 0) return `${parts.join(", and ")}.`;
  return concerned === 0
    ? "Nobody gains or loses anything now."
    : `Nobody gains or loses anything now; ${count(concerned, "subject is", "subjects are")} concerned under conditions, or later.`;
}
