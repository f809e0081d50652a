import { expect, test } from "vitest";
import { modeSwitch } from "./plan.ts";

test.each([
  ["Appsmith", "APPSMITH_TELEMETRY"],
  ["Acme Cloud", "ACME_CLOUD_TELEMETRY"],
  ["acme -- cloud.io", "ACME_CLOUD_IO_TELEMETRY"],
  ["(Acme)", "_ACME__TELEMETRY"],
  ["Größe", "GR_E_TELEMETRY"],
  ["3scale", "_3SCALE_TELEMETRY"],
  ["用户", "__TELEMETRY"],
])("the mode of %j is told by %s", (product, name) => {
  expect(modeSwitch(product)).toBe(name);
});
