// The parser of the stream, by the rules of the HTML standard; every case is also fed one byte at a time.

import assert from "node:assert/strict";
import { test } from "node:test";
import { EVENT_CHARACTERS_MAX, EventStreamParser, type StreamEvent } from "../src/event_stream.js";

function whole(text: string): { events: StreamEvent[]; parser: EventStreamParser } {
  const parser = new EventStreamParser();
  return { events: parser.push(new TextEncoder().encode(text)), parser };
}

function byByte(text: string): { events: StreamEvent[]; parser: EventStreamParser } {
  const parser = new EventStreamParser();
  const events = [...new TextEncoder().encode(text)].flatMap((byte) => parser.push(Uint8Array.of(byte)));
  return { events, parser };
}

const CASES: [name: string, text: string, events: StreamEvent[], lastEventId: string][] = [
  [
    "an event with a type and an id",
    "event: state\nid: 7\ndata: {}\n\n",
    [{ type: "state", data: "{}" }],
    "7",
  ],
  ["no type is `message`", "data: a\n\n", [{ type: "message", data: "a" }], ""],
  ["lines of data are joined", "data: a\ndata:\ndata: b\n\n", [{ type: "message", data: "a\n\nb" }], ""],
  ["one space after the colon goes, more stay", "data:  a\n\n", [{ type: "message", data: " a" }], ""],
  ["comments are nothing", ": hb\n\n:\n\ndata: a\n\n", [{ type: "message", data: "a" }], ""],
  [
    "CR LF ends a line once",
    "data: a\r\n\r\ndata: b\r\n\r\n",
    [
      { type: "message", data: "a" },
      { type: "message", data: "b" },
    ],
    "",
  ],
  [
    "CR ends a line",
    "data: a\r\rdata: b\r\r",
    [
      { type: "message", data: "a" },
      { type: "message", data: "b" },
    ],
    "",
  ],
  ["a byte order mark at the start is dropped", "\ufeffdata: a\n\n", [{ type: "message", data: "a" }], ""],
  [
    "no data is no event, but its id counts",
    "event: state\nid: 9\n\ndata: a\n\n",
    [{ type: "message", data: "a" }],
    "9",
  ],
  [
    "an id with a NUL is ignored",
    "id: 1\ndata: a\n\nid: 2\0\ndata: b\n\n",
    [
      { type: "message", data: "a" },
      { type: "message", data: "b" },
    ],
    "1",
  ],
  ["an empty id clears", "id: 1\n\nid\ndata: a\n\n", [{ type: "message", data: "a" }], ""],
  ["unknown fields are ignored", "colour: red\ndata: a\n\n", [{ type: "message", data: "a" }], ""],
  ["an unfinished event is no event", "data: a\n\ndata: b\n", [{ type: "message", data: "a" }], ""],
  [
    "a type holds for one event",
    "event: x\ndata: a\n\ndata: b\n\n",
    [
      { type: "x", data: "a" },
      { type: "message", data: "b" },
    ],
    "",
  ],
  [
    "text beyond ASCII survives",
    "data: Þórr — Ødegård 🏔\n\n",
    [{ type: "message", data: "Þórr — Ødegård 🏔" }],
    "",
  ],
];

for (const [name, text, events, lastEventId] of CASES) {
  test(name, () => {
    for (const feed of [whole, byByte]) {
      const { events: got, parser } = feed(text);
      assert.deepEqual(got, events, feed.name);
      assert.equal(parser.lastEventId, lastEventId, feed.name);
    }
  });
}

test("only digits set the reconnection time", () => {
  assert.equal(whole("retry: 2500\n").parser.retryMs, 2500);
  assert.equal(whole("retry: 2.5\n").parser.retryMs, undefined);
  assert.equal(whole("retry: -1\n").parser.retryMs, undefined);
});

test("a line without end is refused before it fills the memory", () => {
  const parser = new EventStreamParser();
  const chunk = new Uint8Array(8 * 1024 * 1024).fill(97);
  assert.throws(() => {
    for (let fed = 0; fed <= EVENT_CHARACTERS_MAX; fed += chunk.length) parser.push(chunk);
  }, RangeError);
});

test("many lines of data without end are refused as well", () => {
  const parser = new EventStreamParser();
  const chunk = new TextEncoder().encode(`data: ${"a".repeat(8 * 1024 * 1024)}\n`);
  assert.throws(() => {
    for (let fed = 0; fed <= EVENT_CHARACTERS_MAX; fed += chunk.length) parser.push(chunk);
  }, RangeError);
});
