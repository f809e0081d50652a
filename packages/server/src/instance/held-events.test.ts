import { generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Answer, answerOf, eventually, startForTest, type TestCandor } from "../rig/in-process.ts";
import type { InstanceAction } from "./signed-request.ts";

let candor: TestCandor;

interface Instance {
  readonly instanceId: string;
  readonly privateKey: KeyObject;
  readonly publicKey: string;
}

function newInstance(instanceId: string): Instance {
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  return { instanceId, privateKey, publicKey: String(publicKey.export({ format: "jwk" }).x) };
}

const OURS = newInstance("6f0d2f6c-3c1e-4f6e-9a55-2f1c7b1f0a3d");
const THEIRS = newInstance("0b9c1c5e-8a1d-4a53-8f0e-5d6c2c1b7e11");
const MESSAGES = 40;

function signed(action: InstanceAction, { instanceId, privateKey }: Instance, signedAtMs = Date.now()) {
  const signedAt = new Date(signedAtMs).toISOString();
  const text = `candor\n${action}\n${instanceId}\n${signedAt}`;
  return { instanceId, signedAt, signature: sign(null, Buffer.from(text), privateKey).toString("base64url") };
}

/** Without a write key: the signature alone counts. */
const ask = (body: object): Promise<Response> =>
  candor.post("/v1/instance/compare", body, { authorization: "" });

interface Page extends Answer {
  readonly storedUntil?: string;
}

async function pageOf(instance: Instance, more: object = {}): Promise<Page> {
  const response = await ask({ ...signed("compare", instance), ...more });
  const answer: Page = await answerOf(response);
  if (response.status !== 200) throw new Error(JSON.stringify(answer));
  return answer;
}

/** The instance's own request. */
async function forget(instance: Instance): Promise<object> {
  return answerOf(
    await candor.post("/v1/instance/forget", signed("forget", instance), { authorization: "" }),
  );
}

/** The maker's. */
async function askMaker({ instanceId }: Instance): Promise<object> {
  const headers = { authorization: "Bearer token-a", "content-type": "application/json" };
  return answerOf(await candor.post("/api/forget", { instance: instanceId }, headers));
}

const idsOf = ({ events = [] }: Page): string[] => events.map(({ messageId }) => messageId);

/** The id stands in each place in which products put it. */
function message(owner: Instance, id: string, n: number): object {
  const { instanceId } = owner;
  const places = [
    { event: "E", properties: { instanceId }, userId: "u" },
    { event: "E", context: { instanceId }, userId: "u" },
    { type: "identify", traits: { instanceId }, userId: "u" },
    { event: "E", anonymousId: instanceId },
    { event: "E", userId: instanceId },
  ];
  return { type: "track", messageId: id, ...places[n % places.length] };
}

/** Somebody else's, in which the id stands elsewhere. */
function mention({ instanceId }: Instance, messageId: string): object {
  return { type: "track", event: instanceId, userId: "u", messageId, properties: { note: instanceId } };
}

const ids = (prefix: string): string[] =>
  Array.from({ length: MESSAGES }, (_, n) => `${prefix}-${String(n).padStart(2, "0")}`);

const made = (place: unknown): string => Buffer.from(JSON.stringify(place)).toString("base64url");

beforeAll(async () => {
  candor = await startForTest();
  for (const instance of [OURS, THEIRS]) {
    const { publicKey } = instance;
    const register = async (): Promise<number> =>
      (await candor.post("/v1/instance/key", { ...signed("key", instance), publicKey })).status;
    // The store may be starting still.
    expect(await eventually(register, (status) => status === 200)).toBe(200);
  }
  for (let n = 0; n < MESSAGES; n++) {
    const number = String(n).padStart(2, "0");
    await candor.post("/v1/batch", {
      batch: [
        message(THEIRS, `theirs-${number}`, n),
        message(OURS, `ours-${number}`, n),
        mention(OURS, `none-${number}`),
      ],
    });
  }
  await eventually(
    () => candor.read("/api/count"),
    (answer) => answer.count === 3 * MESSAGES,
  );
});
afterAll(() => candor.close());

describe("what a collector holds of an instance", () => {
  it("is told to that instance alone, oldest first, as the read API gives it", async () => {
    const askedAtMs = Date.now();
    const ours = await pageOf(OURS);
    expect(idsOf(ours)).toEqual(ids("ours"));
    expect(ours).toEqual({
      success: true,
      storedUntil: expect.stringMatching(/^\d{4}-.+Z$/),
      events: ours.events,
      next: null,
    });
    expect(Date.parse(String(ours.storedUntil))).toBeGreaterThanOrEqual(askedAtMs);
    const all = await candor.read("/api/events?limit=1000");
    expect(ours.events).toEqual(
      all.events?.filter(({ messageId }) => messageId.startsWith("ours")).reverse(),
    );
    expect(idsOf(await pageOf(THEIRS))).toEqual(ids("theirs"));
  });

  it("comes in pages that miss nothing, also what is received meanwhile", async () => {
    const first = await pageOf(THEIRS, { limit: 7 });
    await candor.post("/v1/track", message(THEIRS, "theirs-late", 0));
    await eventually(
      () => candor.read("/api/count?messageId=theirs-late"),
      (answer) => answer.count === 1,
    );
    const seen = idsOf(first);
    for (let { next } = first; next !== null; ) {
      const page = await pageOf(THEIRS, { limit: 7, cursor: next });
      expect(idsOf(page).length).toBeLessThanOrEqual(7);
      seen.push(...idsOf(page));
      next = page.next;
    }
    expect(seen).toEqual([...ids("theirs"), "theirs-late"]);
    const whole = await pageOf(OURS, { limit: MESSAGES, cursor: null });
    expect([idsOf(whole), whole.next]).toEqual([ids("ours"), null]);
  });

  it("is not told through a cursor of another instance's, of the read API, or of somebody's making", async () => {
    const theirs = (await pageOf(THEIRS, { limit: 10 })).next;
    const admin = (await candor.read("/api/events?limit=50")).next;
    const beginnings = [
      made([0, "", ""]),
      made([0, "' OR 1 OR '", "server' OR '1"]),
      made([0, "\\\t\n", "\0"]),
    ];
    for (const cursor of [theirs, admin, ...beginnings]) {
      const seen = idsOf(await pageOf(OURS, { cursor }));
      expect(seen.filter((id) => !id.startsWith("ours"))).toEqual([]);
      if (cursor !== theirs && cursor !== admin) expect(seen).toEqual(ids("ours"));
    }
    expect(idsOf(await pageOf(OURS, { cursor: theirs }))).toEqual(ids("ours").slice(10));
    expect(idsOf(await pageOf(OURS, { cursor: made([Date.now() + 1e9, "", ""]) }))).toEqual([]);
  });

  it("is not told to who is not that instance", async () => {
    const stranger = newInstance(OURS.instanceId);
    const unknown = newInstance("11111111-2222-4333-8444-555555555555");
    const five = 5 * 60_000;
    const good = signed("compare", OURS);
    const cases: [body: object, status: number, code: string][] = [
      [signed("compare", stranger), 401, "signature_invalid"],
      [{ ...signed("compare", THEIRS), instanceId: OURS.instanceId }, 401, "signature_invalid"],
      [signed("forget", OURS), 401, "signature_invalid"],
      [signed("key", OURS), 401, "signature_invalid"],
      [signed("compare", unknown), 404, "instance_unknown"],
      [signed("compare", OURS, Date.now() - five - 1000), 401, "signature_stale"],
      [signed("compare", OURS, Date.now() + five + 60_000), 401, "signature_stale"],
      [{ ...good, signature: undefined }, 400, "instance_request_invalid"],
      ...[0, 1001, 1.5, "10", null, -1].map((limit): [object, number, string] => [
        { ...good, limit },
        400,
        "instance_request_invalid",
      ]),
      ...["", "x", 7, made([1]), made([-1, "", ""]), made([1e15, "", ""]), made([0, "\ud800", ""])].map(
        (cursor): [object, number, string] => [{ ...good, cursor }, 400, "instance_request_invalid"],
      ),
    ];
    for (const [body, status, code] of cases) {
      const response = await ask(body);
      const answer = await answerOf(response);
      expect([body, response.status, answer.code]).toEqual([body, status, code]);
      expect(answer).not.toHaveProperty("events");
    }
  });

  it("is told again for the same signature within its five minutes, to the same instance only", async () => {
    const body = signed("compare", OURS);
    for (let n = 0; n < 2; n++) expect(idsOf(await answerOf(await ask(body)))).toEqual(ids("ours"));
    const turned = { ...body, instanceId: THEIRS.instanceId };
    expect((await ask(turned)).status).toBe(401);
  });

  it("is nothing once it is forgotten, while the other's stays", async () => {
    expect(await forget(OURS)).toMatchObject({
      removed: expect.arrayContaining([{ where: "events", rows: MESSAGES }]),
    });
    expect(idsOf(await pageOf(OURS))).toEqual([]);
    expect(idsOf(await pageOf(THEIRS))).toEqual([...ids("theirs"), "theirs-late"]);
  });
});

describe("an instance that was forgotten", () => {
  it.each([
    ["the instance", "after-own", () => forget(THEIRS)],
    ["the maker", "after-makers", () => askMaker(THEIRS)],
  ])(
    "keeps its place when %s asked for that: nobody else can take it, and it can ask again",
    async (_, id, askFor) => {
      const register = async (instance: Instance): Promise<number> => {
        const { publicKey } = instance;
        return (await candor.post("/v1/instance/key", { ...signed("key", instance), publicKey })).status;
      };
      expect(await askFor()).toHaveProperty("forgotten", { instance: THEIRS.instanceId });
      const thief = newInstance(THEIRS.instanceId);
      expect(await register(thief)).toBe(409);
      await candor.post("/v1/track", message(THEIRS, id, 0));
      await eventually(
        () => candor.read(`/api/count?messageId=${id}`),
        (answer) => answer.count === 1,
      );
      for (const action of ["compare", "forget"] as const) {
        const body = signed(action, thief);
        expect((await candor.post(`/v1/instance/${action}`, body, { authorization: "" })).status).toBe(401);
      }
      expect(idsOf(await pageOf(THEIRS))).toEqual([id]);
      expect(await register(THEIRS)).toBe(200);
      expect(await forget(THEIRS)).toHaveProperty(
        "removed",
        expect.arrayContaining([{ where: "events", rows: 1 }]),
      );
      expect(idsOf(await pageOf(THEIRS))).toEqual([]);
    },
  );

  it("is told in the receipt what stays, and what deletion does not reach", async () => {
    const notes = expect.arrayContaining([
      expect.stringContaining("public key"),
      expect.stringMatching(/Browsers' messages .* gateway.* not deleted/),
    ]);
    expect(await forget(OURS)).toMatchObject({ notes });
    expect(await askMaker(OURS)).toMatchObject({ notes });
  });
});

describe("registering keys", () => {
  it("is answered 429 with Retry-After to a network that registers too many", async () => {
    const register = async (n: number): Promise<[status: number, retryAfter: string | null]> => {
      const instance = newInstance(`22222222-2222-4222-8222-${String(n).padStart(12, "0")}`);
      const body = { ...signed("key", instance), publicKey: instance.publicKey };
      const response = await candor.post("/v1/instance/key", body);
      await response.body?.cancel();
      return [response.status, response.headers.get("retry-after")];
    };
    const answers = await Promise.all(Array.from({ length: 150 }, (_, n) => register(n)));
    const refused = answers.filter(([status]) => status === 429);
    expect(answers.filter(([status]) => status === 200).length).toBe(answers.length - refused.length);
    expect(new Set(refused.map(([, retryAfter]) => retryAfter))).toEqual(new Set(["10"]));
    const metrics = await (await fetch(`${candor.url}/metrics`)).text();
    expect(metrics).toContain(`candor_requests_refused_total{code="too_many_requests"} ${refused.length}`);
  });
});
