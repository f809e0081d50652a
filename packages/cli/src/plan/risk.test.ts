import type { FieldAnonymity } from "@candor/server";
import { expect, test } from "vitest";
import { createColours } from "../terminal.ts";
import { type Risk, renderRisk } from "./risk.ts";

const FIELD: FieldAnonymity = {
  event: "Instance Active",
  name: "properties.os",
  values: 4,
  instances: 1204,
  smallestGroup: 31,
  singledOut: 0,
  singledOutShare: 0,
  entropyBits: 1.42,
  isIdentifying: false,
};
const REPORT: Risk = {
  from: "2026-10-31",
  to: "2026-11-27",
  facts: {
    values: 57,
    instances: 1180,
    smallestGroup: 1,
    singledOut: 9,
    singledOutShare: 0.0076,
    entropyBits: 4,
  },
  fields: [
    FIELD,
    {
      ...FIELD,
      event: "App Opened\u001b[2J",
      name: "properties.appName",
      values: 990,
      smallestGroup: 1,
      singledOut: 963,
      singledOutShare: 0.8,
      entropyBits: 9.9,
      isIdentifying: true,
      help: "People type it.",
    },
  ],
};

test("shows for each field how many instances are alone with a value, and marks those that identify, with what helps", () => {
  expect(
    renderRisk(REPORT, createColours(false)),
  ).toBe(`Which fields tell single instances apart, 2026-10-31 to 2026-11-27

All facts together: 57 combinations among 1180 instances; 9 (0.8%) are alone with theirs.

  event                         field                                 values     alone  smallest      bits
  Instance Active               properties.os                              4      0.0%        31       1.4
! App Opened\\u{1b}[2J           properties.appName                       990     80.0%         1       9.9
    People type it.

alone: instances with a value that no other has. smallest: instances that share the rarest value.
1 field tells a tenth or more of its instances apart (!).
`);
});

test("says so if no field identifies", () => {
  const text = renderRisk({ ...REPORT, fields: [FIELD] }, createColours(false));
  expect(text).toContain("No field but ids and durations tells a tenth of its instances apart.\n");
});
