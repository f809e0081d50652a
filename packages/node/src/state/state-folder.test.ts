import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { expect, it } from "vitest";
import { makeFolderForTest } from "../rig/in-process.ts";
import { draftsIn, explainOwner, openStateFolder, removeFile, replaceFileLater } from "./state-folder.ts";

const OWN_UID = process.getuid?.() ?? 0;
const OTHER_UID = 1_000_680_000;

it("a folder of another user is explained with a command to type", () => {
  const folder = openStateFolder(makeFolderForTest());
  writeFileSync(folder.receipts, "");
  expect(explainOwner(folder, OTHER_UID)).toContain(
    `The product runs as user ${OTHER_UID}, and something there belongs to user ${OWN_UID}. As root: chown -R ${OTHER_UID} '${folder.dir}'.`,
  );
});

it("the user's own folder, a missing one, and root's view need no explanation", () => {
  const folder = openStateFolder(makeFolderForTest());
  expect(explainOwner(folder, OWN_UID)).toBe("");
  expect(explainOwner(openStateFolder("/nonexistent/telemetry"), OTHER_UID)).toBe("");
  expect(explainOwner(folder, 0)).toBe("");
});

it("a file is replaced although a sweep under a different clock deletes its draft as abandoned", async () => {
  const folder = openStateFolder(makeFolderForTest());
  let sweeps = 0;
  await replaceFileLater(folder.delivery, "new", () => {
    if (sweeps++ === 0) draftsIn(folder).forEach(removeFile);
    return true;
  });
  expect(sweeps).toBe(2);
  expect(readFileSync(folder.delivery, "utf8")).toBe("new");
  expect(readdirSync(folder.dir)).toEqual(["delivery.json"]);
});

it("replacing a file whose folder was deleted is a fault", async () => {
  const folder = openStateFolder(makeFolderForTest());
  mkdirSync(folder.outbox);
  const replaced = replaceFileLater(`${folder.outbox}/a.sent`, "1", () => {
    rmSync(folder.outbox, { recursive: true });
    return true;
  });
  await expect(replaced).rejects.toMatchObject({ code: "ENOENT" });
});
