// Generated code of a catalog whose names nobody should choose is good TypeScript all the same.

import type { Postern } from "@postern/client";
import * as catalog from "../../../tests/golden/codegen/hostile.js";

declare const postern: Postern;

postern.can("x:__proto__", { type: '"; */ drop', id: "1" });
postern.can(catalog.permission["__proto__"].constructor, { type: "line\nbreak", id: "1" });
postern.can(catalog.permission["a:b"].c satisfies "a:b:c", { type: "サイト", id: "1" });
"b-c" satisfies catalog.ActionOf<"a">;
"__proto__" satisfies catalog.ActionOf<"x">;
// @ts-expect-error: an action of `a:b`, not of `a`
"c" satisfies catalog.ActionOf<"a">;
// @ts-expect-error: in another form of the same characters
postern.can("miner:re.boot");
// @ts-expect-error: no type
postern.can("miner:read", { type: "drop", id: "1" });
