import { expect, test } from "vitest";
import { isLoopback, toReachable, toShown } from "./address.ts";

test.each([
  ["http://0.0.0.0:7226", "http://127.0.0.1:7226"],
  ["http://[::]:7226", "http://127.0.0.1:7226"],
  ["http://[::1]:7226", "http://[::1]:7226"],
  ["https://candor.example/below/", "https://candor.example/below"],
])("the address %s is given to clients as %s", (url, reachable) => {
  expect(toReachable(url)).toBe(reachable);
});

test("an address is shown without the password in it", () => {
  expect(toShown("http://me:secret@host:8123/")).toBe("http://host:8123");
});

test("only this machine reaches 127.x, ::1 and localhost", () => {
  expect(["127.0.0.1", "127.1.2.3", "::1", "localhost"].map(isLoopback)).toEqual([true, true, true, true]);
  expect(["0.0.0.0", "::", "10.0.0.5", "127.example.com"].map(isLoopback)).toEqual([
    false,
    false,
    false,
    false,
  ]);
});
