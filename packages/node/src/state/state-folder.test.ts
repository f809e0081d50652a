import { writeFileSync } from "node:fs";
import { expect, it } from "vitest";
import { makeFolderForTest } from "../rig/in-process.ts";
import { explainOwner, openStateFolder } from "./state-folder.ts";

const OWN_UID = process.getuid?.() ?? 0;
const OTHER_UID = 1_000_680_000;

it("a folder of another user is explained with what to type", () => {
  const folder = openStateFolder(makeFolderForTest());
  writeFileSync(folder.receipts, "");
  expect(explainOwner(folder, OTHER_UID)).toContain(
    `The product runs as user ${OTHER_UID}, and something there belongs to user ${OWN_UID}. As root: chown -R ${OTHER_UID} '${folder.dir}'.`,
  );
});

it("a folder of one's own, one that is not there, and root's view need no explanation", () => {
  const folder = openStateFolder(makeFolderForTest());
  expect(explainOwner(folder, OWN_UID)).toBe("");
  expect(explainOwner(openStateFolder("/nonexistent/telemetry"), OTHER_UID)).toBe("");
  expect(explainOwner(folder, 0)).toBe("");
});
