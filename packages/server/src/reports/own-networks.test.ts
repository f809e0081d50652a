import { afterAll, beforeAll, expect, it } from "vitest";
import { bytesBelow } from "../rig/bytes-below.ts";
import { APPSMITH_PLAN, answerOf, eventually, startForTest, type TestCandor } from "../rig/in-process.ts";

let candor: TestCandor;
beforeAll(async () => {
  candor = await startForTest({ CANDOR_PLAN: APPSMITH_PLAN, CANDOR_TRUSTED_PROXIES: "127.0.0.1" });
});
afterAll(() => candor.close());

const idOf = (digit: string): string => `${digit.repeat(8)}-0000-4000-8000-${digit.repeat(12)}`;

async function sendFrom(address: string, digit: string): Promise<void> {
  const id = idOf(digit);
  const message = { event: "Instance Active", anonymousId: id, properties: { instanceId: id } };
  const response = await candor.post("/v1/track", message, { "x-forwarded-for": address });
  expect(response.status).toBe(200);
}

async function exclude(body: object): Promise<Response> {
  return fetch(`${candor.url}/api/exclusions`, {
    method: "POST",
    headers: { authorization: "Bearer token-a", "content-type": "application/json" },
    body: JSON.stringify(body),
  });
}

async function listed(): Promise<unknown[]> {
  const { exclusions } = (await candor.read("/api/exclusions")) as { readonly exclusions: unknown[] };
  return exclusions;
}

it("an instance that sends from the maker's network is excluded by its id, and others are not", async () => {
  expect((await exclude({ network: "203.0.113.77/24", reason: "office" })).status).toBe(200);
  expect((await exclude({ network: "2001:db8:7::/48", reason: "lab" })).status).toBe(200);
  await sendFrom("203.0.114.1", "1");
  await sendFrom("203.0.113.9", "2");
  await sendFrom("2001:db8:7:1::9", "3");
  await sendFrom("2001:db8:8::9", "4");
  const all = await eventually(listed, (list) => list.length === 4);
  expect(all).toEqual([
    { instance: idOf("2"), reason: "from a network: office" },
    { instance: idOf("3"), reason: "from a network: lab" },
    { network: "kept as a hash", reason: expect.any(String) },
    { network: "kept as a hash", reason: expect.any(String) },
  ]);
});

it("the maker's own decision about an instance stays, and a network that has ended excludes nobody more", async () => {
  await exclude({ instance: idOf("2"), excluded: false });
  await exclude({ network: "2001:db8:7:ffff::/48", excluded: false });
  await sendFrom("203.0.113.9", "2");
  await sendFrom("2001:db8:7:1::9", "5");
  await sendFrom("203.0.113.9", "6");
  const all = await eventually(listed, (list) => list.length === 3);
  expect(all).toEqual([
    { instance: idOf("3"), reason: "from a network: lab" },
    { instance: idOf("6"), reason: "from a network: office" },
    { network: "kept as a hash", reason: "office" },
  ]);
});

it("no address of the network is on disk", async () => {
  expect(bytesBelow(candor.dataDir)).not.toMatch(/203\.0\.113|2001:db8:7/);
});

it.each([
  ["203.0.113.0/25", "network is a /24 of IPv4"],
  ["2001:db8::/24", "network is a /24 of IPv4"],
  ["203.0.113.0/48", "network is a /24 of IPv4"],
  ["office/24", "network is a /24 of IPv4"],
  [["203.0.113.0/24", "x"], "network is a /24 of IPv4"],
])("%s is refused with what to write instead", async (network, words) => {
  const response = await exclude({ network });
  expect([response.status, (await answerOf(response)).message]).toEqual([
    400,
    expect.stringContaining(words),
  ]);
});

it("at most 50 networks are kept, because each message of a server is compared with them", async () => {
  for (let n = 0; n < 49; n++) expect((await exclude({ network: `198.51.${n}.0/24` })).status).toBe(200);
  const response = await exclude({ network: "198.51.99.0/24" });
  expect((await answerOf(response)).message).toContain("At most 50 exclusions by networks");
  expect((await exclude({ network: "198.51.0.0/24", reason: "again" })).status).toBe(200);
});
