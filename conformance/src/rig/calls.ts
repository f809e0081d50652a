/** For tests: the calls that the tests make through the official clients. */
import type { JsonObject } from "@candor/envelope";
import type { Call, TrackCall } from "../official-client.ts";

/** Valid JSON that careless storage would reorder, flatten, round, normalise or drop. */
const treacherous: JsonObject = {
  "ключ.с.точками": "東京 🚀 👩‍👩‍👧 עברית",
  "a.b": 1,
  a: { b: 2, deep: [[1, [2, { three: [] }]], {}] },
  decomposed: "e\u0301",
  control: 'tab\t nul\u0000 line\u2028 quote" back\\slash </script>',
  "": "a key without a name",
  z: null,
  empty: { object: {}, array: [], text: "" },
  numbers: [0, -1, 0.1, 1e21, 5e-324, 9007199254740991, 1.7976931348623157e308],
  truth: [true, false],
  number: "007",
  time: "2026-01-31T00:00:00+01:00",
};

/** One call of each of the six types, with every field that both clients support. */
export function oneOfEach(userId: string): Call[] {
  const who = { userId, anonymousId: "0b62ab60-02ad-4f69-a181-d9c5eb2f97fa" };
  return [
    {
      type: "track",
      ...who,
      event: "Größe geändert 📐",
      properties: treacherous,
      context: { app: { build: 7 } },
    },
    { type: "identify", ...who, traits: { plan: "déjà vu", ...treacherous } },
    { type: "page", ...who, name: "Settings", category: "Admin", properties: treacherous },
    { type: "screen", ...who, name: "Setup", category: "Onboarding", properties: treacherous },
    { type: "group", ...who, groupId: "org-612464f7", traits: treacherous },
    { type: "alias", userId, previousId: "before-sign-up" },
  ];
}

/** The nth track call of a run. The property `n` identifies the call. */
export function trackCall(userId: string, n: number): TrackCall {
  return { type: "track", userId, event: "Query Run", properties: { n, pluginName: "PostgreSQL" } };
}
