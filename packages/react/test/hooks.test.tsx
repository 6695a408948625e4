// Hooks and `Can` with a real client, real slices and React's own renderers, on a server and in a page.

import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { shared } from "./setup.js";
import { connect, type Change, type Postern } from "@postern/client";
import { Evaluator } from "@postern/client/evaluator/full";
import { act, type ReactNode } from "react";
import { createRoot, hydrateRoot, type Root } from "react-dom/client";
import { renderToString } from "react-dom/server";
import {
  Can,
  PosternProvider,
  useActions,
  useAnywhere,
  useCan,
  useDecision,
  useEverywhere,
  useFilter,
  useFreshness,
  usePostern,
} from "../src/index.js";

const { FLEET, fleetAt, seconds, Signer, sliceOf, state, technician, TestGateway, until } = shared;

const S1 = { type: "site", id: "s1" };
const S2 = { type: "site", id: "s2" };
const element = document.getElementById("root")!;

let gateway: Awaited<ReturnType<typeof TestGateway.start>>;
let client: Postern;
let root: Root | undefined;

beforeEach(async () => {
  gateway = await TestGateway.start(sliceOf(FLEET, "user:tom"));
  client = await connect({ url: gateway.url, token: "t" });
});

afterEach(async () => {
  await act(async () => root?.unmount());
  root = undefined;
  client.close();
  await gateway.stop();
  element.innerHTML = "";
});

/** Renders, with all effects. */
async function render(node: ReactNode): Promise<void> {
  await act(async () => {
    root ??= createRoot(element);
    root.render(node);
  });
}

/** The gateway sends a later state, and the page takes it over. */
async function publish(revision: number, bytes: Uint8Array): Promise<void> {
  await until(() => gateway.streams > 0);
  await act(async () => {
    gateway.push(revision, bytes);
    await until(() => client.revision === revision);
  });
}

test("every hook answers as the client, and again after a change", async () => {
  function Page() {
    const postern = usePostern();
    return JSON.stringify({
      revision: postern.revision,
      can: useCan("miner:read", S1),
      other: useCan("miner:read", S2),
      facts: useCan("chat:join", { type: "chat", id: "c" }, { session: "call-7" }),
      anywhere: useAnywhere("fleet:read"),
      everywhere: useEverywhere("fleet:read"),
      filter: useFilter("miner:read", "site"),
      actions: useActions(S1, { where: { shift: "night" } }),
      reason: useDecision("miner:read", S1).reason,
    });
  }
  const shown = (): unknown => JSON.parse(element.textContent ?? "");
  await render(
    <PosternProvider client={client}>
      <Page />
    </PosternProvider>,
  );
  assert.deepEqual(shown(), {
    revision: 5,
    can: true,
    other: false,
    facts: true,
    anywhere: true,
    everywhere: false,
    filter: ["s1"],
    actions: ["fleet:read", "miner:read", "miner:reboot"],
    reason: "assignment",
  });
  await publish(6, sliceOf(fleetAt(6, [technician("user:tom", "s2")]), "user:tom"));
  assert.deepEqual(shown(), {
    revision: 6,
    can: false,
    other: true,
    facts: true,
    anywhere: true,
    everywhere: false,
    filter: ["s2"],
    actions: ["miner:reboot"],
    reason: "not_granted",
  });
});

test("who asks for one answer is rendered only when it is another one", async () => {
  let [answers, states] = [0, 0];
  function Answer() {
    answers += 1;
    return String(useCan("miner:read", { type: "site", id: "s1" }));
  }
  function State() {
    states += 1;
    return String(usePostern().revision);
  }
  await render(
    <PosternProvider client={client}>
      <Answer /> <State />
    </PosternProvider>,
  );
  assert.equal(element.textContent, "true 5");
  const before = [answers, states] as const;
  await publish(6, sliceOf(fleetAt(6), "user:tom"));
  assert.equal(element.textContent, "true 6");
  assert.deepEqual([answers, states], [before[0], before[1] + 1]);
  await publish(7, sliceOf(fleetAt(7, []), "user:tom"));
  assert.equal(element.textContent, "false 7");
  assert.equal(answers, before[0] + 1);
});

test("lists are the same object until the permissions or the question change", async () => {
  const seen: unknown[] = [];
  function List({ type }: { type: string }) {
    seen.push(useFilter("miner:read", type, { where: { shift: "night" } }));
    return null;
  }
  const page = (type: string): ReactNode => (
    <PosternProvider client={client}>
      <List type={type} />
    </PosternProvider>
  );
  await render(page("site"));
  await render(page("site"));
  assert.equal(seen[1], seen[0]);
  await publish(6, sliceOf(fleetAt(6), "user:tom"));
  assert.notEqual(seen.at(-1), seen[0]);
  assert.deepEqual(seen.at(-1), ["s1"]);
});

test("Can shows its children where the permission is held, else what is otherwise", async () => {
  await render(
    <PosternProvider client={client}>
      <Can permission="miner:read" at={S1}>
        a
      </Can>
      <Can permission="miner:read" at={S2} otherwise="b">
        !
      </Can>
      <Can permission="fleet:read" at="anywhere">
        c
      </Can>
      <Can permission="fleet:read" at="everywhere">
        !
      </Can>
      <Can permission="fleet:read">!</Can>
    </PosternProvider>,
  );
  assert.equal(element.textContent, "abc");
});

test("without a client, and outside of a provider, nothing is allowed", async () => {
  function Page() {
    const denied = useDecision("fleet:read");
    const lists = [useFilter("fleet:read", "site"), useActions()];
    return JSON.stringify([
      useCan("fleet:read", S1),
      useAnywhere("fleet:read"),
      useEverywhere("x"),
      denied.decision,
      lists,
    ]);
  }
  const expected = '[false,false,false,"deny",[[],[]]]';
  await render(<Page />);
  assert.equal(element.textContent, expected);
  await render(
    <PosternProvider>
      <Page />
    </PosternProvider>,
  );
  assert.equal(element.textContent, expected);
});

test("initial bytes that are no slice allow nothing and are reported", async () => {
  const errors: string[] = [];
  await render(
    <PosternProvider initial={Uint8Array.of(1, 2, 3)} onError={({ code }) => errors.push(code)}>
      <Can permission="fleet:read" at="anywhere" otherwise="no">
        yes
      </Can>
    </PosternProvider>,
  );
  assert.equal(element.textContent, "no");
  assert.deepEqual(errors, ["bad_slice"]);
});

test("a page is taken over as the server rendered it, though the client knows better, and then follows", async () => {
  const initial = new Evaluator(sliceOf(FLEET, "user:tom"), { now: () => 0 });
  const renderings: string[] = [];
  function Page() {
    const shown = `${usePostern().revision} ${useCan("miner:read", S1)} ${useFilter("miner:read", "site")}`;
    renderings.push(shown);
    return <p>{shown}</p>;
  }
  const page = (client?: Postern): ReactNode => (
    <PosternProvider client={client} initial={initial}>
      <Page />
    </PosternProvider>
  );
  element.innerHTML = renderToString(page());
  assert.equal(element.innerHTML, "<p>5 true s1</p>");
  await publish(6, sliceOf(fleetAt(6, [technician("user:tom", "s2")]), "user:tom"));
  renderings.length = 0;
  const mismatches: unknown[] = [];
  const served = element.firstChild;
  await act(async () => {
    root = hydrateRoot(element, page(client), { onRecoverableError: (error) => mismatches.push(error) });
  });
  assert.deepEqual(mismatches, []);
  assert.equal(element.firstChild, served);
  assert.equal(renderings[0], "5 true s1");
  assert.equal(element.innerHTML, "<p>6 false s2</p>");
});

test("the evaluator decides until the client is there, without a moment of denial", async () => {
  const renderings: string[] = [];
  function Page() {
    const shown = `${usePostern().revision} ${useCan("miner:read", S1)}`;
    renderings.push(shown);
    return shown;
  }
  const bytes = sliceOf(FLEET, "user:tom");
  const page = (client?: Postern): ReactNode => (
    <PosternProvider client={client} initial={bytes}>
      <Page />
    </PosternProvider>
  );
  await render(page());
  await render(page(client));
  await publish(6, sliceOf(fleetAt(6), "user:tom"));
  assert.equal(element.textContent, "6 true");
  assert.deepEqual([...new Set(renderings)], ["5 true", "6 true"]);
});

test("what changed between rendering and listening is not missed", async () => {
  const bytes = sliceOf(fleetAt(6, []), "user:tom");
  let changed = false;
  const listeners = new Set<(change: Change) => void>();
  const before = new Evaluator(sliceOf(FLEET, "user:tom"));
  const after = new Evaluator(bytes);
  const now = (): Evaluator => (changed ? after : before);
  const late = {
    status: "live" as const,
    get revision() {
      return now().revision;
    },
    can: (...question: Parameters<Evaluator["can"]>) => now().can(...question),
    decide: (...question: Parameters<Evaluator["decide"]>) => now().decide(...question),
    anywhere: (...question: Parameters<Evaluator["anywhere"]>) => now().anywhere(...question),
    everywhere: (...question: Parameters<Evaluator["everywhere"]>) => now().everywhere(...question),
    filter: (...question: Parameters<Evaluator["filter"]>) => now().filter(...question),
    actions: (...question: Parameters<Evaluator["actions"]>) => now().actions(...question),
    subscribe: (listener: (change: Change) => void) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
  function Page() {
    const postern = usePostern();
    changed = true;
    return `${postern.revision}`;
  }
  await render(
    <PosternProvider client={late}>
      <Page />
    </PosternProvider>,
  );
  assert.equal(element.textContent, "6");
  assert.equal(listeners.size, 1);
  await act(async () => root?.unmount());
  root = undefined;
  assert.equal(listeners.size, 0);
});

test("a closed client allows nothing any more", async () => {
  await render(
    <PosternProvider client={client} initial={sliceOf(FLEET, "user:tom")}>
      <Can permission="fleet:read" at="anywhere" otherwise="no">
        yes
      </Can>
    </PosternProvider>,
  );
  assert.equal(element.textContent, "yes");
  await act(async () => client.close());
  assert.equal(element.textContent, "no");
});

test("a page shows that its permissions are no longer current, and that they are again", async () => {
  function Mark() {
    const { fresh, revision } = useFreshness();
    const young = useCan("miner:read", S1, undefined, { maxAge: 3 });
    const { reason } = useDecision("miner:read", S1, undefined, { maxAge: 3 });
    return `${revision} ${fresh ? "current" : "old"} ${young ? "young" : "no"} ${reason}`;
  }
  await render(
    <PosternProvider client={client}>
      <Mark />
    </PosternProvider>,
  );
  assert.equal(element.textContent, "5 old no stale", "nothing is stated");
  const signer = await Signer.random();
  await until(() => gateway.streams > 0);
  const iat = seconds();
  const statement = await state(signer, sliceOf(FLEET, "user:tom"), { iat, exp: iat + 6 });
  await act(async () => {
    gateway.state(statement);
    await until(() => client.freshness().fresh === true);
  });
  assert.equal(element.textContent, "5 current young assignment");
  await act(() => until(() => element.textContent === "5 current no stale", "past the question's own limit"));
  await act(() => until(() => element.textContent === "5 old no stale", "past the validity"));
  await act(async () => root?.unmount());
  root = undefined;
  await render(<Mark />);
  assert.equal(element.textContent, "0 old no stale", "outside of a provider");
});
