import { expect, test } from "vitest";
import { modeSwitch, usualDisableSwitch } from "./plan.ts";

test.each([
  ["Appsmith", "APPSMITH_TELEMETRY"],
  ["Acme Cloud", "ACME_CLOUD_TELEMETRY"],
  ["acme -- cloud.io", "ACME_CLOUD_IO_TELEMETRY"],
  ["(Acme)", "_ACME__TELEMETRY"],
  ["Größe", "GR_E_TELEMETRY"],
  ["3scale", "_3SCALE_TELEMETRY"],
  ["用户", "__TELEMETRY"],
])("the mode variable of %j is %s", (product, name) => {
  expect(modeSwitch(product)).toBe(name);
});

test.each([
  ["Appsmith", "APPSMITH_DISABLE_TELEMETRY"],
  ["Node-RED", "NODE_RED_DISABLE_TELEMETRY"],
  ["3scale", "_3SCALE_DISABLE_TELEMETRY"],
])("operators expect to turn %j off with %s", (product, name) => {
  expect(usualDisableSwitch(product)).toBe(name);
});
