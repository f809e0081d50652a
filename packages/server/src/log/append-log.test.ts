import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe } from "vitest";
import { openAppendLog } from "./append-log.ts";
import { describeLogContract } from "./log.contract.ts";

const root = mkdtempSync(join(tmpdir(), "candor-log-"));
afterAll(() => rmSync(root, { recursive: true }));

describe("the append log", () => {
  describeLogContract(() => {
    const dir = mkdtempSync(join(root, "log-"));
    return {
      open: (options) => openAppendLog({ dir, ...options }),
      bytesOnDisk: () =>
        readdirSync(dir)
          .map((file) => file + readFileSync(join(dir, file), "latin1"))
          .join("\n"),
      flipFirstLine: () => {
        const last = join(dir, readdirSync(dir).sort().at(-1) ?? "");
        const content = readFileSync(last);
        content.writeUInt8(content.readUInt8(24) ^ 1, 24); // byte 24 of the first record, which its checksum covers
        writeFileSync(last, content);
      },
      tearTail: (count) => {
        const last = readdirSync(dir).sort().at(-1);
        if (last === undefined) throw new Error("nothing was written");
        truncateSync(join(dir, last), statSync(join(dir, last)).size - count);
      },
    };
  });
});
