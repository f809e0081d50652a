import pc from "picocolors";
import { expect, it } from "vitest";
import type { Comparison } from "./compare-messages.ts";
import { renderComparison } from "./compare-text.ts";

const ALL: Comparison = {
  sent: 25,
  waiting: 0,
  held: 25,
  same: 25,
  missingThere: [],
  missingHere: [],
  older: 0,
  differing: [],
  trimmed: {},
};
const about = { instanceId: "i", collector: "c", notAsked: 0, storedUntil: undefined };
const changed = [{ messageId: "m", fields: [{ path: "event", kind: "changed" as const }] }];

it.each<[found: Partial<Comparison>, headline: string]>([
  [{}, "The collector holds what was sent, and nothing else."],
  [
    { missingHere: ["a", "b"] },
    "The collector holds what was sent. It also holds 2 of this instance's id that were never in this outbox: another copy of this instance may send too.",
  ],
  [{ missingThere: ["a"] }, "The collector does not hold 1 of 25 messages that were sent."],
  [{ differing: changed }, "The collector holds 1 otherwise than they were sent."],
  [
    { missingThere: ["a"], differing: changed, missingHere: ["b"] },
    "The collector does not hold 1 of 25 messages that were sent. The collector holds 1 otherwise than they were sent. It also holds 1 of this instance's id that were never in this outbox: another copy of this instance may send too.",
  ],
])("the headline follows what was found: %j", (found, headline) => {
  const text = renderComparison({ ...ALL, ...found }, about, pc.createColors(false));
  expect(text.split("\n")[0]).toBe(headline);
});
