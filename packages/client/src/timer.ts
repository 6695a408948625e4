// Timers that do not keep a process alive, and that wait as long as they are asked to.

/** The longest delay that timers take; longer ones would fire at once. */
const TIMER_MS_MAX = 2_147_483_647;

/** A timer that was started. */
export interface Timer {
  stop(): void;
}

/** Calls `fire` after so many milliseconds, or after 24 days where they are more: `fire` looks whether it is time. */
export function startTimer(fire: () => void, ms: number): Timer {
  const timer = setTimeout(fire, Math.min(ms, TIMER_MS_MAX));
  // Only Node's timers are objects; in browsers they are numbers.
  if (typeof timer === "object") timer.unref();
  return { stop: () => clearTimeout(timer) };
}
