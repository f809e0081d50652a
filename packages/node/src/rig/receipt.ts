/** For tests: consent records, and a state folder that contains them. */

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Answer, type ConsentRecord, writeConsentRecord } from "@candor/consent";
import type { Plan } from "@candor/plan/runtime";
import { APPSMITH } from "./in-process.ts";

/** A consent record for the server and the reference plan, unless `given` says otherwise. */
export function receipt(answer: Answer, given: Partial<ConsentRecord> = {}): string {
  return writeConsentRecord({
    source: "server",
    answer,
    time: "2026-11-01T00:00:00.000Z",
    planVersion: (APPSMITH.content as Plan).version,
    planHash: APPSMITH.hash,
    by: "inspector",
    ...given,
  });
}

/** For the option `before` of `openForTest`: stores these consent records in the state folder. */
export function stored(receipts: string): (dir: string) => void {
  return (dir) => {
    mkdirSync(dir, { recursive: true });
    writeFileSync(join(dir, "receipts.ndjson"), receipts);
  };
}
