import { readFileSync } from "node:fs";
import { join } from "node:path";
import { readConsentRecords } from "@candor/consent";
import type { Plan } from "@candor/plan/runtime";
import { describe, expect, it } from "vitest";
import type { GeneratedPlan } from "../generated-plan.ts";
import { APPSMITH, openForTest, SWITCH_OFFERED, type World } from "../rig/in-process.ts";
import { receipt, stored } from "../rig/receipt.ts";

const CONTENT = APPSMITH.content as Plan;
const OTHER_HASH = "e".repeat(64);
const NEWER: GeneratedPlan = {
  hash: OTHER_HASH,
  content: { ...CONTENT, version: CONTENT.version + 1 },
};

function openWith(receipts: string, environment: Record<string, string> = {}, plan = APPSMITH): World {
  const before = receipts === "" ? {} : { before: stored(receipts) };
  return openForTest({ environment, plan, ...before });
}

const storedIn = ({ dir }: World): string => readFileSync(join(dir, "receipts.ndjson"), "utf8");
const NEWER_NOTICE = receipt("notice", { planVersion: CONTENT.version + 1, planHash: OTHER_HASH });

describe("a product's notice at each start", () => {
  it.each([
    ["a No", receipt("no"), "stored_no"],
    ["a No that came after a notice", receipt("notice") + receipt("no"), "stored_no"],
    ["a No of the product's own settings", receipt("no", { by: "product" }), "stored_no"],
    ["a Yes", receipt("yes"), undefined],
    ["a Yes to an older plan", receipt("yes", { planHash: OTHER_HASH, planVersion: 1 }), undefined],
    ["the same notice", receipt("notice"), undefined],
    ["a notice of a newer plan", NEWER_NOTICE, "consent_stale"],
  ])("does not replace %s", (_what, receipts, reason) => {
    const world = openWith(receipts);
    expect(world.telemetry.answer("notice")).toBe(true);
    expect(world.telemetry.noticeOnce(() => expect.unreachable("it is not due"))).toBe(false);
    expect(storedIn(world)).toBe(receipts);
    expect(world.telemetry.status().reason).toBe(reason);
  });

  it("leaves answers that cannot be parsed unchanged, because one of them may be a No", () => {
    const torn = `${receipt("no")}{"source":"server","ans`;
    const world = openWith(torn);
    expect(world.telemetry.answer("notice")).toBe(false);
    expect(world.telemetry.noticeOnce(() => expect.unreachable("it is not due"))).toBe(false);
    expect(storedIn(world)).toBe(torn);
  });

  it("is stored only for sources that nobody has answered for", () => {
    const world = openWith(receipt("no"));
    expect(world.telemetry.answer("notice", ["server", "installer"])).toBe(true);
    const answers = readConsentRecords(storedIn(world))?.map(({ source, answer }) => [source, answer]);
    expect(answers).toEqual([
      ["server", "no"],
      ["installer", "notice"],
    ]);
  });

  it("does not replace a No, but one given in the inspector does", () => {
    const world = openWith(receipt("no"));
    expect(world.core.answer(["server"], "notice", "inspector")).toBe(true);
    expect(world.telemetry.status()).toMatchObject({ state: "on", reason: undefined });
  });
});

describe("noticeOnce", () => {
  it("shows the notice once, and turns telemetry on afterwards", () => {
    const world = openWith("");
    const shown: string[] = [];
    const states: string[] = [];
    const show = (notice: string): void => {
      shown.push(notice);
      states.push(world.telemetry.status().state);
    };
    expect([world.telemetry.noticeOnce(show), world.telemetry.noticeOnce(show)]).toEqual([true, false]);
    expect(states).toEqual(["off"]);
    expect(world.telemetry.status().state).toBe("on");
    for (const text of [CONTENT.product, CONTENT.contact, ...CONTENT.turnOff, ...CONTENT.promises]) {
      expect(shown[0]).toContain(text);
    }
  });

  it("shows the notice again when a newer plan collects more", () => {
    const world = openWith(receipt("notice"), {}, NEWER);
    expect(world.telemetry.noticeOnce(() => {})).toBe(true);
    expect(storedIn(world)).toContain(OTHER_HASH);
  });

  it.each([
    ["the environment denies", { ...SWITCH_OFFERED, DO_NOT_TRACK: "1" }],
    ["the operator was offered the switch", SWITCH_OFFERED],
    ["messages are only printed", { APPSMITH_TELEMETRY: "log" }],
  ])("shows nothing if %s", (_what, environment) => {
    const world = openWith("", environment);
    expect(world.telemetry.noticeOnce(() => expect.unreachable("it is not due"))).toBe(false);
  });

  it("stores nothing if the notice could not be shown", () => {
    const world = openWith("");
    const broken = (): never => {
      throw new Error("nobody reads it");
    };
    expect(world.telemetry.noticeOnce(broken)).toBe(false);
    expect(world.telemetry.status()).toMatchObject({ state: "off", reason: "notice_missing" });
  });
});
