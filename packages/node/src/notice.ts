/** The notice of a product without a set-up page: its text, and how it is printed when the product does not show it itself. */

import { writeSync } from "node:fs";
import type { Plan } from "@candor/plan/runtime";

const STDERR = 2;

/** The notice as plain text: what is sent, how to turn it off, whom to ask. It ends with a line break. */
export function writeNotice({ product, turnOff, promises, contact }: Plan): string {
  return [
    `${product} sends telemetry to its makers. What it sends is first written as text into its state folder.`,
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
