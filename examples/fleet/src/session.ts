// Signing in, as far as an example can: `cargo xtask demo` writes one token per persona beside the page, and the page
// keeps the chosen one for this tab. These tokens are for the demo only. A product signs people in and gets tokens
// from its own identity provider; the gateway has no passwords.

/** Somebody to be. */
export interface Persona {
  readonly subject: string;
  readonly name: string;
  readonly title: string;
  readonly about: string;
  readonly token: string;
}

const KEY = "fleet-demo-subject";

/** The personas with their tokens. Throws where the demo has not been set up. */
export async function loadPersonas(): Promise<Persona[]> {
  const response = await fetch("/demo/personas.json", { cache: "no-store" });
  if (!response.ok) throw new Error(`personas.json: ${response.status}`);
  return (await response.json()) as Persona[];
}

/** The subject that this tab has signed in as. */
export function remembered(): string | null {
  return sessionStorage.getItem(KEY);
}

/** Keeps, or with `null` forgets, who this tab is. Not the token: that is fetched again. */
export function remember(subject: string | null): void {
  if (subject === null) sessionStorage.removeItem(KEY);
  else sessionStorage.setItem(KEY, subject);
}
