// A program without generated code: any text may be asked about, as ever. Checked like `registered.ts`.

import { connect, type Permission, type Postern, type Resource, type ResourceType } from "@postern/client";
import { manifest } from "@postern/client/routes";

const texts: [Permission, ResourceType] = ["" as string, "" as string];

declare const postern: Postern;
declare const text: string;
const any: Resource = { type: text, id: text };
postern.can(text, any, { in: [any] });
postern.filter(text, text);
// @ts-expect-error: a number is no text
postern.can(1);
await connect({ url: text, token: text, maxAge: { [text]: 5, "refund:*": 1 } });
manifest([{ path: "/", label: "Home", allow: [[{ permission: text, at: "anywhere" }]] }]);

void texts;
