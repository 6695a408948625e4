// The encoding, against the worked example of docs/wasm-abi.md and against damage.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { decodeAnswer, decodeDescription, encodeRequest } from "../src/wire.js";

const ABI = new URL("../../../../docs/wasm-abi.md", import.meta.url);

test("a request is the bytes of the document's example", () => {
  const page = readFileSync(ABI, "utf8");
  const block = /Example: "may `user:a` do[^]*?```text\n([^]*?)```/.exec(page)?.[1] ?? "";
  const expected = block
    .split("\n")
    .flatMap((line) => (line.split(/ {2,}(?=[a-z]+:)/)[0] ?? "").match(/\b[0-9a-f]{2}\b/g) ?? [])
    .map((hex) => Number.parseInt(hex, 16));
  const request = encodeRequest({ op: "check", subject: "user:a", permission: "miner:reboot", now: 0 });
  assert.ok(expected.length > 0);
  assert.deepEqual([...request], expected);
});

test("a request of any length keeps all of its text", () => {
  const id = "ø".repeat(5000);
  const request = encodeRequest({
    op: "check",
    subject: "user:a",
    permission: "p:x",
    resource: { type: "doc", id },
    facts: { in: [{ type: "site", id: "s1" }], owner: "user:b", where: { color: "red" }, session: "s" },
    now: -1,
  });
  const text = new TextDecoder().decode(request);
  for (const part of [id, "site", "s1", "user:b", "color", "red"]) assert.ok(text.includes(part), part);
  assert.deepEqual(
    [...request.subarray(-8)],
    Array.from({ length: 8 }, () => 0xff),
    "-1 in two's complement",
  );
});

test("answers are read, and what is no answer is not", () => {
  assert.deepEqual(decodeAnswer(Uint8Array.of(0, 0, 0, 0, 2)), { code: 2 });
  assert.deepEqual(decodeAnswer(Uint8Array.of(3, 0, 0, 0, 33)), { code: 33 });
  assert.deepEqual(decodeAnswer(Uint8Array.of(2, 0, 0, 0, 1)), { allowed: true });
  const list = Uint8Array.of(1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 115, 49);
  assert.deepEqual(decodeAnswer(list), { list: ["s1"] });
  for (let length = 0; length < list.length; length += 1)
    assert.equal(decodeAnswer(list.subarray(0, length)), undefined);
  assert.equal(decodeAnswer(Uint8Array.of(...list, 0)), undefined, "bytes after the end");
  assert.equal(decodeAnswer(Uint8Array.of(9, 0, 0, 0, 1)), undefined, "an unknown kind");
  const huge = Uint8Array.of(1, 0, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255);
  assert.equal(decodeAnswer(huge), undefined, "a count beyond the bytes");
  assert.equal(decodeDescription(huge), undefined);
});
