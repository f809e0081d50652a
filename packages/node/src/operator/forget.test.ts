import { expect, test } from "vitest";
import { renderReceipt } from "./forget.ts";
import { createColours } from "./terminal.ts";

test("a receipt says whose data was deleted, how much from where, when, and what it does not cover", () => {
  const receipt = {
    forgotten: { user: "me\u001b[2J" },
    requestedAt: "2026-01-01T00:00:00.000Z",
    completedAt: "2026-01-01T00:00:02.000Z",
    removed: [
      { where: "events", rows: 1 },
      { where: "quarantine", rows: 0 },
    ],
    notes: ["Backups are not reached."],
  };
  expect(renderReceipt(receipt, createColours(false))).toBe(`Forgotten
  user                          me\\u{1b}[2J
  requested at                  2026-01-01T00:00:00.000Z
  gone at                       2026-01-01T00:00:02.000Z
Removed
  events                        1 row
  quarantine                    0 rows
Notes
  - Backups are not reached.
`);
});
