import { describe, expect, it } from "vitest";
import type { FolderReport } from "./folder-report.ts";
import { renderFolder } from "./inspect.ts";
import { createColours } from "./terminal.ts";

const NOW_MS = Date.parse("2026-11-23T12:00:00Z");

const quiet: FolderReport = {
  dir: "/var/lib/product/telemetry",
  answers: [
    {
      source: "server",
      answer: "notice",
      time: "2026-11-01T00:00:00Z",
      planVersion: 2,
      planHash: "a".repeat(64),
      by: "installer",
    },
  ],
  policy: undefined,
  status: undefined,
  instance: { instanceId: "6f0d2f6c-3c1e-4f6e-9a55-2f1c7b1f0a3d", createdAt: "2026-11-01T00:00:00.000Z" },
  isInstanceStrange: false,
  lastKeepAliveAt: undefined,
  isDeliveryNoted: true,
  delivery: {
    accepted: 0,
    refused: {},
    expired: 0,
    overflowed: 0,
    lastSentAt: undefined,
    lastFault: undefined,
    notBefore: undefined,
    collector: undefined,
    clock: undefined,
  },
  outbox: {
    files: 0,
    bytes: 0,
    waiting: { messages: 0, bytes: 0 },
    sent: { messages: 0, bytes: 0 },
  },
  messages: [],
};

const render = (report: Partial<FolderReport>): string =>
  renderFolder({ ...quiet, ...report }, createColours(false), NOW_MS);
const delivered = (delivery: Partial<FolderReport["delivery"]>): string =>
  render({ delivery: { ...quiet.delivery, ...delivery } });
const headOf = (text: string): string | undefined => text.split("\n")[1];

describe("what went wrong", () => {
  it("is explained in a sentence, with its code", () => {
    expect(delivered({ lastFault: "dns" })).toContain(
      "  last try failed     The collector's name could not be resolved, or a DNS or hosts entry blocks it. (dns)\n",
    );
  });

  it("is explained for each reason for which the collector refused messages", () => {
    const text = delivered({ refused: { no_event: 3, http_400: 1, of_a_later_version: 2 } });
    expect(text).toContain(
      "  refused             3 no_event: A track message needs a non-empty string as its event.\n",
    );
    expect(text).toMatch(/^ {2}refused {13}1 http_400: The collector, or a proxy before it, answered/m);
    expect(text).toContain("  refused             2 of_a_later_version: The collector did not keep them.\n");
  });
});

describe("a pause that the collector asked for", () => {
  it.each([
    ["for now", "2026-11-23T12:10:00.000Z", true],
    ["until a moment ago", "2026-11-23T11:59:59.000Z", false],
    ["for longer than it may, stored under a different clock", "2027-01-01T00:00:00.000Z", false],
    ["until a time that cannot be parsed", "soon", false],
  ])("is shown if the product still respects it: %s", (_, notBefore, isShown) => {
    const row = `  next try            not before ${notBefore}: the collector asked to be left alone until then\n`;
    expect(delivered({ notBefore }).includes(row)).toBe(isShown);
  });
});

describe("the machine's policy overrides every answer", () => {
  it.each([
    ["off\n", "Off. The policy of this machine turns it off."],
    ["# why\r\noff\r\n", "Off. The policy of this machine turns it off."],
    ["of\n", "Off. The policy of this machine cannot be read, or one of its lines is invalid."],
  ])("%j", (policy, sentence) => {
    expect(headOf(render({ policy }))).toBe(`  ${sentence}`);
  });

  it("even if it names a product, and the folder does not say which product is its own", () => {
    expect(headOf(render({ policy: "off Appsmith\r\n" }))).toMatch(
      /^ {2}The policy of this machine turns off: Appsmith\. Server: on, after a notice\. The server has an id/,
    );
    expect(headOf(render({ policy: "# nothing\n" }))).toMatch(/^ {2}Server: on, after a notice\. The server/);
  });
});

describe("a folder in which the server recorded no delivery", () => {
  const [ofServer] = quiet.answers ?? [];
  if (ofServer === undefined) throw new Error("it has an answer");
  const nothing = { instance: undefined, isDeliveryNoted: false } as const;
  const sent = { ...quiet.outbox, files: 1, bytes: 900, sent: { messages: 3, bytes: 900 } };
  it("does not claim that nothing was ever sent if only the installer has run", () => {
    const answers = [{ ...ofServer, source: "installer" }] as const;
    const text = render({ ...nothing, answers, outbox: sent });
    expect(headOf(text)).toBe(
      "  Installer: on, after a notice. Server: off, because nobody has answered for it. Messages that wait: 0; sent in the last seven days: 3.",
    );
    expect(text).toContain(
      "  sent to             not noted: the installer sent by itself, as the messages below say\n",
    );
    expect(text).not.toMatch(/never|nobody yet|accepted/);
  });

  it("does not claim that nothing was ever sent if telemetry was turned off", () => {
    const text = render({ ...nothing, answers: [{ ...ofServer, answer: "no" }] });
    expect(text).toContain(
      "  sent to             not known: what was sent before a No was erased here with it\n",
    );
    expect(text).not.toMatch(/never|nobody yet|accepted/);
  });

  it("says so if nothing can have been sent", () => {
    expect(render({ ...nothing, answers: [] })).toContain("  sent to             nobody yet\n");
  });
});
