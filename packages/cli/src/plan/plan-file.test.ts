import { expect, test } from "vitest";
import { toNearPath } from "./plan-file.ts";

test.each([
  ["/srv/plans/a.yaml", "plans/a.yaml"],
  ["/srv/a.yaml", "a.yaml"],
  ["/etc/a.yaml", "/etc/a.yaml"],
  ["/srv2/a.yaml", "/srv2/a.yaml"],
])("in /srv, %s is written %s", (path, near) => {
  expect(toNearPath(path, "/srv")).toBe(near);
});
