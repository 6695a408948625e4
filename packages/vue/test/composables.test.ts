// Composables and `Can` with a real client, real slices and Vue's own renderers, on a server and in a page.

import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { shared } from "./setup.js";
import { connect, type Postern } from "@postern/client";
import { Evaluator } from "@postern/client/evaluator/full";
import { createApp, createSSRApp, h, nextTick, ref, type App, type Component } from "vue";
import { renderToString } from "vue/server-renderer";
import {
  Can,
  createPostern,
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
let app: App | undefined;

beforeEach(async () => {
  gateway = await TestGateway.start(sliceOf(FLEET, "user:tom"));
  client = await connect({ url: gateway.url, token: "t" });
});

afterEach(async () => {
  app?.unmount();
  app = undefined;
  client.close();
  await gateway.stop();
  element.innerHTML = "";
});

function mount(component: Component, plugin = createPostern({ client })): void {
  app = createApp(component);
  app.use(plugin);
  app.mount(element);
}

/** The gateway sends a later state, and the page takes it over. */
async function publish(revision: number, bytes: Uint8Array): Promise<void> {
  await until(() => gateway.streams > 0);
  gateway.push(revision, bytes);
  await until(() => client.revision === revision);
  await nextTick();
}

test("every composable answers as the client, and again after a change", async () => {
  mount({
    setup() {
      const postern = usePostern();
      const answers = {
        can: useCan("miner:read", S1),
        other: useCan("miner:read", S2),
        facts: useCan("chat:join", { type: "chat", id: "c" }, { session: "call-7" }),
        anywhere: useAnywhere("fleet:read"),
        everywhere: useEverywhere("fleet:read"),
        filter: useFilter("miner:read", "site"),
        actions: useActions(S1, { where: { shift: "night" } }),
      };
      const decision = useDecision("miner:read", S1);
      return () => {
        const shown = Object.entries(answers).map(([name, answer]) => [name, answer.value]);
        const { revision } = postern.value;
        return JSON.stringify({ revision, ...Object.fromEntries(shown), reason: decision.value.reason });
      };
    },
  });
  const shown = (): unknown => JSON.parse(element.textContent ?? "");
  const before = {
    revision: 5,
    can: true,
    other: false,
    facts: true,
    anywhere: true,
    everywhere: false,
    filter: ["s1"],
    actions: ["fleet:read", "miner:read", "miner:reboot"],
    reason: "assignment",
  };
  assert.deepEqual(shown(), before);
  await publish(6, sliceOf(fleetAt(6, [technician("user:tom", "s2")]), "user:tom"));
  assert.deepEqual(shown(), {
    ...before,
    revision: 6,
    can: false,
    other: true,
    filter: ["s2"],
    actions: ["miner:reboot"],
    reason: "not_granted",
  });
});

test("an answer follows its question, and renders only when it is another one", async () => {
  const id = ref("s1");
  let renderings = 0;
  mount({
    setup() {
      const allowed = useCan("miner:read", () => ({ type: "site", id: id.value }));
      return () => {
        renderings += 1;
        return String(allowed.value);
      };
    },
  });
  assert.equal(element.textContent, "true");
  id.value = "s2";
  await nextTick();
  assert.equal(element.textContent, "false");
  assert.equal(renderings, 2);
  await publish(6, sliceOf(fleetAt(6), "user:tom"));
  assert.equal(renderings, 2);
  await publish(7, sliceOf(fleetAt(7, [technician("user:tom", "s2")]), "user:tom"));
  assert.equal(element.textContent, "true");
  assert.equal(renderings, 3);
});

test("Can shows its default slot where the permission is held, else `otherwise`", async () => {
  const slots = (shown: string, otherwise = ""): Record<string, () => string> => ({
    default: () => shown,
    otherwise: () => otherwise,
  });
  mount(() => [
    h(Can, { permission: "miner:read", at: S1 }, slots("a")),
    h(Can, { permission: "miner:read", at: S2 }, slots("!", "b")),
    h(Can, { permission: "fleet:read", at: "anywhere" }, slots("c")),
    h(Can, { permission: "fleet:read", at: "everywhere" }, slots("!")),
    h(Can, { permission: "fleet:read" }, { default: () => "!" }),
  ]);
  assert.equal(element.textContent, "abc");
  await publish(6, sliceOf(fleetAt(6, [technician("user:tom", "s2")]), "user:tom"));
  assert.equal(element.textContent, "!c");
});

const Denied: Component = {
  setup() {
    const asked = [useCan("fleet:read", S1), useAnywhere("fleet:read"), useEverywhere("fleet:read")];
    const lists = [useFilter("fleet:read", "site"), useActions()];
    const decision = useDecision("fleet:read");
    return () =>
      JSON.stringify([...asked, ...lists].map(({ value }) => value).concat(decision.value.decision as never));
  },
};

test("without a client, and without the plugin, nothing is allowed", async () => {
  const expected = '[false,false,false,[],[],"deny"]';
  mount(Denied, createPostern());
  assert.equal(element.textContent, expected);
  app?.unmount();
  app = createApp(Denied);
  app.mount(element);
  assert.equal(element.textContent, expected);
});

test("initial bytes that are no slice allow nothing and are reported", () => {
  const errors: string[] = [];
  const initial = Uint8Array.of(1, 2, 3);
  mount(Denied, createPostern({ initial, onError: ({ code }) => errors.push(code) }));
  assert.equal(element.textContent, '[false,false,false,[],[],"deny"]');
  assert.deepEqual(errors, ["bad_slice"]);
});

const Page: Component = {
  setup() {
    const postern = usePostern();
    const allowed = useCan("miner:read", S1);
    const sites = useFilter("miner:read", "site");
    return () => h("p", `${postern.value.revision} ${allowed.value} ${sites.value.join()}`);
  },
};

test("a page is taken over as the server rendered it, though the client knows better, and then follows", async () => {
  const initial = new Evaluator(sliceOf(FLEET, "user:tom"), { now: () => 0 });
  const server = createSSRApp(Page);
  server.use(createPostern({ initial, client }));
  element.innerHTML = await renderToString(server);
  assert.equal(element.innerHTML, "<p>5 true s1</p>");
  await publish(6, sliceOf(fleetAt(6, [technician("user:tom", "s2")]), "user:tom"));

  const said: unknown[] = [];
  const { error, warn } = console;
  Object.assign(console, {
    error: (text: unknown) => said.push(text),
    warn: (text: unknown) => said.push(text),
  });
  const served = element.firstChild;
  app = createSSRApp(Page);
  app.use(createPostern({ initial, client }));
  app.mount(element);
  Object.assign(console, { error, warn });
  assert.deepEqual(said, []);
  assert.equal(element.firstChild, served);
  assert.equal(element.innerHTML, "<p>5 true s1</p>");
  await nextTick();
  assert.equal(element.innerHTML, "<p>6 false s2</p>");
});

test("a client that is attached later decides from then on, until it is detached", async () => {
  const plugin = createPostern({ initial: sliceOf(FLEET, "user:tom") });
  mount(Page, plugin);
  assert.equal(element.textContent, "5 true s1");
  await publish(6, sliceOf(fleetAt(6, []), "user:tom"));
  assert.equal(element.textContent, "5 true s1");
  plugin.attach(client);
  await nextTick();
  assert.equal(element.textContent, "6 false ");
  await publish(7, sliceOf(fleetAt(7), "user:tom"));
  assert.equal(element.textContent, "7 true s1");
  plugin.attach(undefined);
  await nextTick();
  assert.equal(element.textContent, "5 true s1");
  await publish(8, sliceOf(fleetAt(8, []), "user:tom"));
  assert.equal(element.textContent, "5 true s1");
});

test("an application that is unmounted lets the client go", async () => {
  let listeners = 0;
  const subscribe = client.subscribe.bind(client);
  client.subscribe = (listener) => {
    listeners += 1;
    const stop = subscribe(listener);
    return () => {
      listeners -= 1;
      stop();
    };
  };
  mount(Page);
  assert.equal(listeners, 1);
  app?.unmount();
  app = undefined;
  assert.equal(listeners, 0);
});

test("a page shows that its permissions are no longer current, and that they are again", async () => {
  const mark: Component = {
    setup() {
      const freshness = useFreshness();
      const young = useCan("miner:read", S1, undefined, { maxAge: 3 });
      const decision = useDecision("miner:read", S1, undefined, () => ({ maxAge: 3 }));
      return () => {
        const { revision, fresh } = freshness.value;
        return [
          revision,
          fresh ? "current" : "old",
          young.value ? "young" : "no",
          decision.value.reason,
        ].join(" ");
      };
    },
  };
  mount(mark);
  assert.equal(element.textContent, "5 old no stale", "nothing is stated");
  const signer = await Signer.random();
  await until(() => gateway.streams > 0);
  const iat = seconds();
  gateway.state(await state(signer, sliceOf(FLEET, "user:tom"), { iat, exp: iat + 6 }));
  await until(() => element.textContent === "5 current young assignment");
  await until(() => element.textContent === "5 current no stale", "past the question's own limit");
  await until(() => element.textContent === "5 old no stale", "past the validity");
  app?.unmount();
  mount(mark, createPostern());
  assert.equal(element.textContent, "0 old no stale", "nobody is followed");
});
