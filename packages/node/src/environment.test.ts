import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { createTelemetry } from "./create-telemetry.ts";
import { APPSMITH, makeFolderForTest, openForTest, SWITCH_OFFERED } from "./rig/in-process.ts";
import { startRecorder } from "./rig/recorder.ts";
import { assertSilent } from "./silence/assert-silent.ts";
import type { Telemetry } from "./telemetry.ts";

const before = process.env;
const opened: Telemetry[] = [];
afterEach(async () => {
  process.env = before;
  for (const telemetry of opened.splice(0)) await telemetry.close({ timeoutMs: 0 });
});

function open(): Telemetry {
  const stateDir = join(makeFolderForTest(), "telemetry");
  const options = { plan: APPSMITH, source: "server", writeKey: "k", host: "http://127.0.0.1:9" } as const;
  const telemetry = createTelemetry({ ...options, stateDir });
  opened.push(telemetry);
  return telemetry;
}

describe("the process's environment", () => {
  it.each<[how: string, load: (variables: Record<string, string>) => void]>([
    [
      "replaced by another object",
      (variables) => {
        process.env = { ...before, ...variables };
      },
    ],
    [
      "extended, as dotenv does",
      (variables) => {
        process.env = { ...before };
        Object.assign(process.env, variables);
      },
    ],
    [
      "replaced by an object without a prototype",
      (variables) => {
        process.env = Object.assign(Object.create(null), before, variables);
      },
    ],
  ])("is read again when it was %s after the SDK was opened", (_how, load) => {
    const telemetry = open();
    expect(telemetry.status().reason).toBe("notice_missing");
    load(SWITCH_OFFERED);
    expect(telemetry.status().state).toBe("on");
    load({ ...SWITCH_OFFERED, DO_NOT_TRACK: "1" });
    expect(telemetry.status().reason).toBe("environment_do_not_track");
  });

  it("is restored after assertSilent, even if the product replaced it", async () => {
    await assertSilent(
      () => {
        process.env = { ...process.env };
        expect(process.env.DO_NOT_TRACK).toBe("1");
      },
      { settleMs: 0 },
    );
    expect([process.env.DO_NOT_TRACK, before.DO_NOT_TRACK]).toEqual([undefined, undefined]);
  });

  it("turns telemetry off by each of the plan's switches, even after the SDK was opened", () => {
    const content = { ...(APPSMITH.content as object), switches: { disable: ["NO_STATS", "APPSMITH_OFF"] } };
    const environment: Record<string, string> = { NO_STATS: "false" };
    const { telemetry } = openForTest({ plan: { ...APPSMITH, content }, environment });
    expect(telemetry.status().state).toBe("on");
    environment.APPSMITH_OFF = "1";
    expect(telemetry.status()).toMatchObject({ state: "off", reason: "environment_disable" });
  });

  it("alone decides the proxy: the option is only for the switches", async () => {
    const recorder = await startRecorder();
    const nowhere = "http://127.0.0.1:9";
    const environment = { ...SWITCH_OFFERED, HTTP_PROXY: nowhere, http_proxy: nowhere };
    const { telemetry } = openForTest({ host: recorder.url, environment });
    telemetry.track("execute_ACTION_TRIGGERED", {});
    expect(await telemetry.flush()).toBe(true);
    process.env = { ...before, http_proxy: nowhere };
    const proxied = openForTest({ host: recorder.url, environment: SWITCH_OFFERED });
    proxied.telemetry.track("execute_ACTION_TRIGGERED", {});
    expect(await proxied.telemetry.flush()).toBe(false);
    expect(proxied.telemetry.status().lastFault).toBe("proxy");
    expect(recorder.kept).toHaveLength(1);
    await recorder.close();
  });
});

describe("a file that cannot be read", () => {
  it.each([
    ["the stored answers", "receipts.ndjson", "receipt_unreadable", /^receipts\.ndjson of the state folder/],
    ["the policy", "no-policy", "policy_unreadable", /^The policy of this machine/],
  ])("is reported to debug once: %s", (_what, name, reason, sentence) => {
    const { telemetry, told } = openForTest({
      before: (dir) => {
        mkdirSync(join(dir, name), { recursive: true });
      },
    });
    for (let call = 0; call < 3; call += 1)
      expect(telemetry.status()).toMatchObject({ state: "off", reason });
    expect(told).toEqual([expect.stringMatching(sentence)]);
  });
});
