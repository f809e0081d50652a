import { afterAll, beforeAll, expect, it } from "vitest";
import { NO_STORE, startForTest, type TestCandor } from "../rig/in-process.ts";

let candor: TestCandor;
beforeAll(async () => {
  candor = await startForTest(NO_STORE);
});
afterAll(() => candor.close());

/** Returns the messageIds that a watcher is shown until `last` is one of them. */
async function watch(query: string, send: () => Promise<void>, last: string): Promise<string[]> {
  const leaving = new AbortController();
  const { status, body } = await fetch(`${candor.url}/api/live${query}`, {
    headers: { authorization: "Bearer token-a" },
    signal: leaving.signal,
  });
  expect(status).toBe(200);
  await send();
  let text = "";
  for await (const chunk of body ?? []) {
    text += Buffer.from(chunk).toString();
    if (text.includes(`"messageId":"${last}"`) && text.endsWith("\n\n")) break;
  }
  leaving.abort();
  return [...text.matchAll(/"messageId":"([^"]+)"/g)].map(([, id = ""]) => id);
}

it("shows messages in the order in which they were sent, request by request", { retry: 2 }, async () => {
  const ids = Array.from({ length: 60 }, (_, n) => `m-${(n * 37) % 60}`);
  const send = async (): Promise<void> => {
    for (let from = 0; from < ids.length; from += 20) {
      const batch = ids
        .slice(from, from + 20)
        .map((messageId) => ({ type: "track", event: "E", userId: "u", messageId }));
      await candor.post("/v1/batch", { batch });
    }
  };
  expect(await watch("", send, ids.at(-1) ?? "")).toEqual(ids);
});

it("applies filters to messages, also to the elements of a list", { retry: 2 }, async () => {
  const tags = [["a"], ["b", "function"], "function", ["function "], { 0: "function" }];
  const send = async (): Promise<void> => {
    const batch = [...tags, ["function"]].map((typesUsed, n) => ({
      type: "track",
      event: "E",
      userId: "u",
      messageId: `t-${n}`,
      properties: { typesUsed },
    }));
    await candor.post("/v1/batch", { batch });
  };
  expect(await watch("?properties.typesUsed=function", send, "t-5")).toEqual(["t-1", "t-2", "t-5"]);
});
