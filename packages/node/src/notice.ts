/** The notice of a product that has no set-up page: what it says, and where it goes when the product has no place for it. */

import { writeSync } from "node:fs";
import type { Plan } from "@candor/plan/runtime";

const STDERR = 2;

/** The notice as plain text: what is sent, how to turn it off, whom to ask. It ends with a line break. */
export function writeNotice({ product, turnOff, promises, contact }: Plan): string {
  return [
    `${product} sends telemetry to its makers. What it sends lies as text in its state folder, before it is sent.`,
    ...promises,
    "To turn it off:",
    ...turnOff.map((step) => `  - ${step}`),
    `Questions: ${contact}`,
    "",
  ].join("\n");
}

/** Not through `process.stderr`: when its reader is gone, that ends the process. @throws when nobody reads it */
export function printNotice(notice: string): void {
  writeSync(STDERR, notice);
}
