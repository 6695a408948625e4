// Server-sent events out of a byte stream. The browser's own EventSource cannot send an Authorization header, so the
// stream is read with fetch and parsed here, by the rules of the HTML standard (section 9.2.6).
//
// Not here: connecting, retrying, and what the events mean.

/** One dispatched event. */
export interface StreamEvent {
  /** The `event` field; `"message"` where absent. */
  readonly type: string;
  /** The `data` lines, joined by line feeds. */
  readonly data: string;
}

/**
 * Longest line and longest event that are accepted, in characters. A slice of a subject with a role at each of ten
 * thousand scopes is below one mebibyte in base64; what is far above is a mistake or an attack.
 */
export const EVENT_CHARACTERS_MAX = 64 * 1024 * 1024;

/** Parses chunks as they arrive. Feed it every chunk of one response, in order; use a new one for the next response. */
export class EventStreamParser {
  /** The last `id` field seen, of any event; what `Last-Event-ID` must carry on the next connection. */
  lastEventId = "";
  /** The reconnection time that the server asked for, in milliseconds, if it did. */
  retryMs: number | undefined;

  readonly #decoder = new TextDecoder("utf-8");
  // The unfinished line, in the pieces it arrived in: joining only at its end keeps a line of many chunks linear.
  #pieces: string[] = [];
  #pieceCharacters = 0;
  #data: string[] = [];
  #dataCharacters = 0;
  #type = "";
  #skipLineFeed = false;

  /**
   * Takes a chunk and returns the events that it completes.
   *
   * Throws a RangeError when a line or an event exceeds {@link EVENT_CHARACTERS_MAX}: drop the connection then.
   */
  push(chunk: Uint8Array): StreamEvent[] {
    // The decoder drops a leading byte order mark and holds back split characters.
    const text = this.#decoder.decode(chunk, { stream: true });
    const events: StreamEvent[] = [];
    let start = 0;
    if (this.#skipLineFeed && text.length > 0) {
      // The second half of a CR LF that was split between chunks.
      if (text.charCodeAt(0) === 10) start = 1;
      this.#skipLineFeed = false;
    }
    for (let index = start; index < text.length; index += 1) {
      const code = text.charCodeAt(index);
      if (code !== 10 && code !== 13) continue;
      this.#keep(text.slice(start, index));
      const line = this.#pieces.join("");
      this.#pieces = [];
      this.#pieceCharacters = 0;
      if (code === 13) {
        if (index + 1 === text.length) this.#skipLineFeed = true;
        else if (text.charCodeAt(index + 1) === 10) index += 1;
      }
      start = index + 1;
      const event = this.#line(line);
      if (event !== undefined) events.push(event);
    }
    if (start < text.length) this.#keep(text.slice(start));
    return events;
  }

  #keep(piece: string): void {
    this.#pieceCharacters += piece.length;
    if (this.#pieceCharacters + this.#dataCharacters > EVENT_CHARACTERS_MAX) {
      throw new RangeError(`an event is longer than ${EVENT_CHARACTERS_MAX} characters`);
    }
    this.#pieces.push(piece);
  }

  #line(line: string): StreamEvent | undefined {
    if (line === "") return this.#dispatch();
    const colon = line.indexOf(":");
    if (colon === 0) return undefined;
    const field = colon === -1 ? line : line.slice(0, colon);
    let value = colon === -1 ? "" : line.slice(colon + 1);
    if (value.startsWith(" ")) value = value.slice(1);
    if (field === "data") {
      this.#data.push(value);
      this.#dataCharacters += value.length;
    } else if (field === "event") {
      this.#type = value;
    } else if (field === "id") {
      if (!value.includes("\0")) this.lastEventId = value;
    } else if (field === "retry" && /^[0-9]+$/.test(value)) {
      this.retryMs = Number(value);
    }
    return undefined;
  }

  #dispatch(): StreamEvent | undefined {
    const data = this.#data.join("\n");
    const event = { type: this.#type === "" ? "message" : this.#type, data };
    const dispatched = this.#data.length > 0 && data !== "";
    this.#data = [];
    this.#dataCharacters = 0;
    this.#type = "";
    return dispatched ? event : undefined;
  }
}
