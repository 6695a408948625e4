// Starts the application: signs in, connects, and shows the shell or the way in.

import { connect, PosternError, type Postern } from "@postern/client";
import { render } from "preact";
import { useEffect, useState } from "preact/hooks";
import { catalogHash } from "./catalog.js";
import { forgetData } from "./data.js";
import { Loading } from "./parts.js";
import { loadPersonas, remember, remembered, type Persona } from "./session.js";
import { Shell } from "./shell.js";
import { SignIn } from "./sign_in.js";

type Stage =
  | { at: "starting" }
  | { at: "sign-in"; message?: string }
  | { at: "connecting"; persona: Persona }
  | { at: "open"; persona: Persona; postern: Postern };

const EXPLANATIONS: Partial<Record<PosternError["code"], string>> = {
  unavailable: "The gateway cannot be reached. Is it running?",
  unauthorized: "Your sign-in is no longer valid. Sign in again.",
  forbidden: "You may not sign in to this organization.",
  wasm: "The permission engine could not be loaded.",
};

function Main() {
  const [personas, setPersonas] = useState<Persona[] | Error | undefined>(undefined);
  const [stage, setStage] = useState<Stage>({ at: "starting" });

  const signIn = (persona: Persona): void => {
    remember(persona.subject);
    setStage({ at: "connecting", persona });
    connect({
      url: "/",
      token: persona.token,
      wasm: "/postern_bg.wasm",
      staleMs: 10_000,
      catalog: catalogHash,
      onError: (error) => console.info(`postern: ${error.code}: ${error.message}`),
    }).then(
      (postern) => setStage({ at: "open", persona, postern }),
      (error: unknown) => {
        const code = error instanceof PosternError ? error.code : undefined;
        signOut((code && EXPLANATIONS[code]) ?? "Signing in failed.");
      },
    );
  };

  const signOut = (message?: string): void => {
    remember(null);
    forgetData();
    history.replaceState(null, "", "/");
    setStage(message === undefined ? { at: "sign-in" } : { at: "sign-in", message });
  };

  useEffect(() => {
    loadPersonas().then(
      (loaded) => {
        setPersonas(loaded);
        const known = loaded.find((persona) => persona.subject === remembered());
        if (known === undefined) setStage({ at: "sign-in" });
        else signIn(known);
      },
      (error: unknown) => {
        setPersonas(error instanceof Error ? error : new Error(String(error)));
        setStage({ at: "sign-in" });
      },
    );
  }, []);

  if (stage.at === "open") {
    const leave = (message?: string): void => {
      stage.postern.close();
      signOut(message);
    };
    return (
      <Shell key={stage.persona.subject} postern={stage.postern} persona={stage.persona} onLeave={leave} />
    );
  }
  if (stage.at === "sign-in") return <SignIn personas={personas} message={stage.message} onChoose={signIn} />;
  return (
    <main class="waiting">
      <Loading what={stage.at === "connecting" ? `permissions of ${stage.persona.name}` : "the example"} />
    </main>
  );
}

const root = document.getElementById("app");
if (root !== null) render(<Main />, root);
