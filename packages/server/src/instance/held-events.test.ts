import type { InstanceAction } from "@candor/envelope/instance-proof";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Answer, answerOf, eventually, startForTest, type TestCandor } from "../rig/in-process.ts";
import { newInstance, type SigningInstance, signBody } from "../rig/signing-instance.ts";

let candor: TestCandor;

const OURS = newInstance();
const THEIRS = newInstance();
const MESSAGES = 40;

const signed = (action: InstanceAction, instance: SigningInstance, signedAtMs = Date.now()) =>
  signBody(action, instance, { signedAt: new Date(signedAtMs).toISOString(), origin: candor.url });

/** Sends a `compare` request without a write key, because the signature alone counts. */
const ask = (body: object): Promise<Response> =>
  candor.post("/v1/instance/compare", body, { authorization: "" });

interface Page extends Answer {
  readonly storedUntil?: string;
}

async function pageOf(instance: SigningInstance, more: object = {}): Promise<Page> {
  const response = await ask({ ...signed("compare", instance), ...more });
  const answer: Page = await answerOf(response);
  if (response.status !== 200) throw new Error(JSON.stringify(answer));
  return answer;
}

/** Sends the instance's own request to be forgotten. */
async function forget(instance: SigningInstance): Promise<object> {
  return answerOf(
    await candor.post("/v1/instance/forget", signed("forget", instance), { authorization: "" }),
  );
}

/** Sends the maker's request to forget the instance. */
async function askMaker({ instanceId }: SigningInstance): Promise<object> {
  const headers = { authorization: "Bearer token-a", "content-type": "application/json" };
  return answerOf(await candor.post("/api/forget", { instance: instanceId }, headers));
}

const idsOf = ({ events = [] }: Page): string[] => events.map(({ messageId }) => messageId);

/** Makes a message with the instance's id in one of the places in which a server may put it. */
function message(owner: SigningInstance, id: string, n: number): object {
  const { instanceId } = owner;
  const places = [
    { event: "E", properties: { instanceId }, userId: "u" },
    { type: "identify", traits: { instanceId }, userId: "u" },
    { event: "E", anonymousId: instanceId },
  ];
  return { type: "track", messageId: id, ...places[n % places.length] };
}

/** Makes somebody else's message that contains the instance's id in other places. */
function mention({ instanceId }: SigningInstance, messageId: string): object {
  return { type: "track", event: instanceId, userId: "u", messageId, properties: { note: instanceId } };
}

const ids = (prefix: string): string[] =>
  Array.from({ length: MESSAGES }, (_, n) => `${prefix}-${String(n).padStart(2, "0")}`);

const made = (place: unknown): string => Buffer.from(JSON.stringify(place)).toString("base64url");

beforeAll(async () => {
  candor = await startForTest();
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

describe("what a collector stores about an instance", () => {
  it("is shown only to that instance, oldest first, as in the read API", async () => {
    const askedAtMs = Date.now();
    let ours = await pageOf(OURS);
    // The rows are in the store a moment before the log deletes their segment file.
    await expect
      .poll(async () => {
        ours = await pageOf(OURS);
        return Date.parse(String(ours.storedUntil));
      })
      .toBeGreaterThanOrEqual(askedAtMs);
    expect(idsOf(ours)).toEqual(ids("ours"));
    expect(ours).toEqual({
      success: true,
      storedUntil: expect.stringMatching(/^\d{4}-.+Z$/),
      events: ours.events,
      next: null,
    });
    const all = await candor.read("/api/events?limit=1000");
    expect(ours.events).toEqual(
      all.events?.filter(({ messageId }) => messageId.startsWith("ours")).reverse(),
    );
    expect(idsOf(await pageOf(THEIRS))).toEqual(ids("theirs"));
  });

  it("comes in pages that miss nothing, not even what is received meanwhile", async () => {
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

  it("is not shown for a cursor from another instance, from the read API, or made up", async () => {
    const theirs = (await pageOf(THEIRS, { limit: 10 })).next;
    const admin = (await candor.read("/api/events?limit=50")).next;
    const beginnings = [
      made([0, 0, "", ""]),
      made([0, 0, "' OR 1 OR '", "server' OR '1"]),
      made([0, 0, "\\\t\n", "\0"]),
    ];
    for (const cursor of [theirs, admin, ...beginnings]) {
      const seen = idsOf(await pageOf(OURS, { cursor }));
      expect(seen.filter((id) => !id.startsWith("ours"))).toEqual([]);
      if (cursor !== theirs && cursor !== admin) expect(seen).toEqual(ids("ours"));
    }
    expect(idsOf(await pageOf(OURS, { cursor: theirs }))).toEqual(ids("ours").slice(9)); // sent after theirs
    expect(idsOf(await pageOf(OURS, { cursor: made([Date.now() + 1e9, 0, "", ""]) }))).toEqual([]);
  });

  it("is not shown to anybody but that instance", async () => {
    const stranger = { ...newInstance(), instanceId: OURS.instanceId };
    const five = 5 * 60_000;
    const good = signed("compare", OURS);
    const cases: [body: object, status: number, code: string][] = [
      [signed("compare", stranger), 401, "instance_key_mismatch"],
      [{ ...signed("compare", THEIRS), instanceId: OURS.instanceId }, 401, "instance_key_mismatch"],
      [signed("forget", OURS), 401, "signature_invalid"],
      [{ ...good, origin: "https://evil.example" }, 401, "origin_mismatch"],
      [signed("compare", OURS, Date.now() - five - 1000), 401, "signature_stale"],
      [signed("compare", OURS, Date.now() + five + 60_000), 401, "signature_stale"],
      [{ ...good, signature: undefined }, 400, "instance_request_invalid"],
      ...[0, 1001, 1.5, "10", null, -1].map((limit): [object, number, string] => [
        { ...good, limit },
        400,
        "instance_request_invalid",
      ]),
      ...[
        "",
        "x",
        7,
        made([1]),
        made([-1, 0, "", ""]),
        made([0, -1, "", ""]),
        made([1e15, 0, "", ""]),
        made([0, 0, "\ud800", ""]),
      ].map((cursor): [object, number, string] => [{ ...good, cursor }, 400, "instance_request_invalid"]),
    ];
    for (const [body, status, code] of cases) {
      const response = await ask(body);
      const answer = await answerOf(response);
      expect([body, response.status, answer.code]).toEqual([body, status, code]);
      expect(answer).not.toHaveProperty("events");
    }
  });

  it("is shown again for the same signature within five minutes, only to the same instance", async () => {
    const body = signed("compare", OURS);
    for (let n = 0; n < 2; n++) expect(idsOf(await answerOf(await ask(body)))).toEqual(ids("ours"));
    const turned = { ...body, instanceId: THEIRS.instanceId };
    expect((await ask(turned)).status).toBe(401);
  });

  it("is empty once the instance was forgotten, while another instance's events stay", async () => {
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
  ])("may continue sending, and ask again, if %s had it forgotten", async (_, id, askFor) => {
    expect(await askFor()).toHaveProperty("forgotten", { instance: THEIRS.instanceId });
    await candor.post("/v1/track", message(THEIRS, id, 0));
    await eventually(
      () => candor.read(`/api/count?messageId=${id}`),
      (answer) => answer.count === 1,
    );
    expect(idsOf(await pageOf(THEIRS))).toEqual([id]);
    expect(await forget(THEIRS)).toHaveProperty(
      "removed",
      expect.arrayContaining([{ where: "events", rows: 1 }]),
    );
    expect(idsOf(await pageOf(THEIRS))).toEqual([]);
  });

  it("learns from the receipt what deletion does not reach", async () => {
    const notes = expect.arrayContaining([
      expect.stringMatching(/Browsers' messages .* gateway.* not deleted/),
    ]);
    expect(await forget(OURS)).toMatchObject({ notes });
    expect(await askMaker(OURS)).toMatchObject({ notes });
  });
});

describe("a request that is expensive for the store", () => {
  it("is answered with 429 and Retry-After if the network asks too often", async () => {
    const compare = async (): Promise<[status: number, retryAfter: string | null]> => {
      const response = await ask(signed("compare", newInstance()));
      await response.body?.cancel();
      return [response.status, response.headers.get("retry-after")];
    };
    const answers: [number, string | null][] = [];
    for (let n = 0; n < 90; n += 1) answers.push(await compare());
    const refused = answers.filter(([status]) => status === 429);
    expect(answers.filter(([status]) => status === 200).length).toBe(answers.length - refused.length);
    expect(new Set(refused.map(([, retryAfter]) => retryAfter))).toEqual(new Set(["10"]));
    const metrics = await (await fetch(`${candor.url}/metrics`)).text();
    expect(metrics).toContain(`candor_requests_refused_total{code="too_many_requests"} ${refused.length}`);
  });

  it("is answered with 404 at the former path for registering keys", async () => {
    expect((await candor.post("/v1/instance/key", signed("compare", OURS))).status).toBe(404);
  });
});
