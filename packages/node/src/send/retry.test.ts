import { expect, it } from "vitest";
import type { HttpOutcome } from "../http/client.ts";
import { FAULT_SENTENCES } from "../http/faults.ts";
import { explainFault, nextStepAfter, toDelayMs } from "./retry.ts";

function answered(status: number, body = '{"success":true}', retryAfterMs?: number): HttpOutcome {
  return { ok: true, answer: { status, body, retryAfterMs, dateMs: undefined } };
}

it.each([
  ["a 200 of a collector", answered(200), { next: "delivered", dropped: [] }],
  [
    "a 200 with messages that it did not keep",
    answered(200, '{"success":true,"dropped":[{"reason":"event_not_in_plan"},{"reason":"<script>"},7]}'),
    { next: "delivered", dropped: ["event_not_in_plan", "unknown", "unknown"] },
  ],
  [
    "a 200 that does not know the messages' own key",
    answered(200, '{"success":true,"dropped":[{"reason":"unknown_write_key"}]}'),
    { next: "blocked", fault: "unknown_write_key" },
  ],
  ["a hotel's login page", answered(200, "<html>Log in</html>"), { next: "retry", fault: "no_collector" }],
  ["an empty 200", answered(200, ""), { next: "retry", fault: "no_collector" }],
  ["another service's JSON", answered(200, '{"ok":1}'), { next: "retry", fault: "no_collector" }],
  ["null", answered(200, "null"), { next: "retry", fault: "no_collector" }],
  ["a name that cannot be resolved", { ok: false, fault: "dns" } as const, { next: "retry", fault: "dns" }],
  ["an overloaded collector", answered(503, "", 5000), { next: "retry", afterMs: 5000, fault: "http_503" }],
  ["a 429", answered(429, "", 1000), { next: "retry", afterMs: 1000, fault: "http_429" }],
  ["a 408", answered(408), { next: "retry", fault: "http_408" }],
  ["a 410", answered(410), { next: "retry", fault: "http_410" }],
  ["a 460", answered(460), { next: "retry", fault: "http_460" }],
  ["a body that it cannot read", answered(400), { next: "split", fault: "http_400" }],
  ["a body that is too large for it", answered(413), { next: "split", fault: "http_413" }],
  ["a wrong key", answered(401), { next: "blocked", fault: "http_401" }],
  ["a wrong address", answered(404), { next: "blocked", fault: "http_404" }],
  ["a redirect", answered(301), { next: "blocked", fault: "http_301" }],
])("takes the right step after %s", (_what, outcome, step) => {
  expect(nextStepAfter(outcome)).toEqual(step);
});

it("waits longer each time, at most five minutes, with jitter", () => {
  const retry = { next: "retry", afterMs: undefined, fault: "dns" } as const;
  const delays = [1, 2, 3, 4, 9, 10, 1000].map((attempts) => toDelayMs(retry, attempts, 1));
  expect(delays).toEqual([1000, 2000, 4000, 8000, 256_000, 300_000, 300_000]);
  expect(toDelayMs(retry, 1, 0)).toBe(500);
});

it("waits as long as the collector asked, at most an hour", () => {
  const asked = (afterMs: number) => ({ next: "retry", afterMs, fault: "http_429" }) as const;
  expect(toDelayMs(asked(30_000), 1, 0.5)).toBe(30_000);
  expect(toDelayMs(asked(100), 1, 1)).toBe(1000);
  expect(toDelayMs(asked(86_400_000), 1, 1)).toBe(3_600_000);
  expect(toDelayMs({ next: "blocked", fault: "http_401" }, 1, 1)).toBe(3_600_000);
});

it("has one sentence for each fault that an operator can see, even for an unknown one", () => {
  const faults = ["unknown_write_key", "no_collector", "http_301", "http_400", "http_401", "http_404"];
  const all = [...Object.keys(FAULT_SENTENCES), ...faults, "http_429", "http_503"].map(explainFault);
  for (const sentence of all) expect(sentence).toMatch(/^[A-Z][^.!?\n]+\.$/);
  expect(new Set(all).size).toBe(all.length);
  expect(explainFault("http_503")).toContain("503");
  for (const unknown of ["http_x", "<script>", "constructor", "", "dns2"]) {
    expect(explainFault(unknown)).toBe(FAULT_SENTENCES.other);
  }
});
