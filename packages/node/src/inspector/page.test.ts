import { expect, it } from "vitest";
import { openForTest } from "../rig/in-process.ts";
import { createManualClock } from "../rig/manual-clock.ts";
import { renderInspector } from "./page.ts";
import { readStatus } from "./status.ts";

const NO_MESSAGES = { messages: [], next: undefined };
const SHOWN = { page: NO_MESSAGES, isOlder: false, here: "./", message: undefined, receipt: undefined };

it("says in a sentence why the last attempt failed, beside the code that the files use", async () => {
  const { telemetry, core } = openForTest(); // nothing listens at the collector's address
  telemetry.track("execute_ACTION_TRIGGERED", {});
  await telemetry.flush({ timeoutMs: 10_000 });
  const html = renderInspector({ ...SHOWN, status: await readStatus(core) });
  expect(html).toContain('<strong class="alarm">The collector&#39;s address refused the connection');
  expect(html).toContain("(<code>refused</code>)");
});

it("names each variable that turns telemetry off", async () => {
  const { core } = openForTest();
  const status = await readStatus(core);
  if (status.product === undefined) throw new Error("the product is known");
  const naming = (...disable: readonly string[]) => {
    const product = { ...status.product, switches: { ...status.product?.switches, disable } };
    return renderInspector({ ...SHOWN, status: { ...status, product } as typeof status });
  };
  const rest = " or <code>DO_NOT_TRACK=1</code> in the product's environment";
  expect(naming("A_OFF")).toContain(`\n<code>A_OFF=true</code>${rest}`);
  expect(naming("A_OFF", "B_OFF")).toContain(`\n<code>A_OFF=true</code>, <code>B_OFF=true</code>${rest}`);
});

it("says what the product passed wrongly, even while telemetry is on", async () => {
  const { telemetry, core } = openForTest();
  telemetry.gateway({ writeKey: "" });
  const status = await readStatus(core);
  expect(status).toMatchObject({ state: "on", problems: telemetry.status().problems });
  const html = renderInspector({ ...SHOWN, status });
  expect(html).toContain("<p>The developer of this product has to fix this:</p>\n<ul><li>gateway.writeKey:");
  expect(html).toContain("<code>candor keys</code> prints it.");
});

it("says when the first heartbeat is due, and that there is none without keepAlive", async () => {
  const clock = createManualClock(Date.UTC(2026, 2, 1, 12));
  const { telemetry, core } = openForTest({ clock, random: () => 0 });
  const beat = async (): Promise<string> => {
    const html = renderInspector({ ...SHOWN, status: await readStatus(core) });
    const [, line = ""] = /<dt>Last heartbeat<\/dt><dd>(.*?)<\/dd>/.exec(html) ?? [];
    return line.replace(/<[^>]*>/g, "");
  };
  expect(await beat()).toBe("none yet; this process sends none");
  telemetry.keepAlive({ healthy: () => true });
  expect(await beat()).toBe(
    "none yet; the first is due at 2026-03-01 12:02:00 UTC if the product is healthy",
  );
  expect((await readStatus(core)).kept?.nextKeepAliveAt).toBe("2026-03-01T12:02:00.000Z");
});
