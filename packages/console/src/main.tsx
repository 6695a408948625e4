// Starts the console: signs in, connects the project's own client, and shows the shell or the way in.

import { connect, PosternError, type Postern } from "@postern/client";
import { PosternProvider } from "@postern/react";
import { StrictMode, useEffect, useState } from "react";
import { createRoot } from "react-dom/client";
import { BrowserRouter } from "react-router";
import { begin, forget, keep, type Session } from "./session.js";
import { Shell } from "./shell.js";
import { SignIn } from "./sign_in.js";

type Stage =
  | { at: "sign-in"; message?: string }
  | { at: "connecting"; session: Session }
  | { at: "open"; session: Session; postern: Postern };

const SENTENCES: Partial<Record<PosternError["code"], string>> = {
  unavailable: "The gateway cannot be reached. Reload this page when it answers, or sign in again.",
  unauthorized: "The token is not good, or not any more.",
  forbidden: "The token is of another organization.",
  wasm: "The permission engine could not be loaded.",
};

function Main({ first }: { first: Session | undefined }) {
  const [stage, setStage] = useState<Stage>(
    first === undefined ? { at: "sign-in" } : { at: "connecting", session: first },
  );

  useEffect(() => {
    if (stage.at !== "connecting") return;
    const { session } = stage;
    let wanted = true;
    connect({
      url: "/",
      token: session.token,
      organization: session.organization,
      wasm: "/console/postern_bg.wasm",
      staleMs: 10_000,
      onError: (error) => console.info(`postern: ${error.code}: ${error.message}`),
    }).then(
      (postern) => {
        if (!wanted) return postern.close();
        setStage({ at: "open", session, postern });
      },
      (error: unknown) => {
        if (!wanted) return;
        const code = error instanceof PosternError ? error.code : undefined;
        const message = (code && SENTENCES[code]) ?? "Signing in failed.";
        // What may work when the gateway answers again is not forgotten.
        if (code === "unavailable") setStage({ at: "sign-in", message });
        else leave(message);
      },
    );
    return () => {
      wanted = false;
    };
  }, [stage]);

  const leave = (message?: string): void => {
    forget();
    setStage(message === undefined ? { at: "sign-in" } : { at: "sign-in", message });
  };

  if (stage.at === "open") {
    const { session, postern } = stage;
    return (
      <PosternProvider client={postern}>
        <Shell
          session={session}
          postern={postern}
          onLeave={(message) => {
            postern.close();
            leave(message);
          }}
        />
      </PosternProvider>
    );
  }
  if (stage.at === "sign-in")
    return (
      <SignIn
        message={stage.message}
        onChoose={(session) => {
          keep(session);
          setStage({ at: "connecting", session });
        }}
      />
    );
  return (
    <main className="way-in">
      <p role="status" className="muted">
        Reading the permissions of {stage.session.organization} …
      </p>
    </main>
  );
}

const root = document.getElementById("app");
// Once: a token in the address is gone after it was read.
const first = begin();
if (root !== null)
  createRoot(root).render(
    <StrictMode>
      <BrowserRouter basename="/console">
        <Main first={first} />
      </BrowserRouter>
    </StrictMode>,
  );
