import { expect, test } from "vitest";
import { isLoopback } from "./environment.ts";

test("127.x, ::1 and localhost are loopback addresses", () => {
  expect(["127.0.0.1", "127.1.2.3", "::1", "localhost"].map(isLoopback)).toEqual([true, true, true, true]);
  expect(["0.0.0.0", "::", "10.0.0.5", "127.example.com"].map(isLoopback)).toEqual([
    false,
    false,
    false,
    false,
  ]);
});
