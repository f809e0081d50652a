import { expect, it } from "vitest";
import { LineBuffer } from "./line-buffer.ts";

const textOf = (buffer: LineBuffer): string | undefined => buffer.take()?.bytes.toString();

it("returns lines as the bytes of a file, and is empty afterwards", () => {
  const buffer = new LineBuffer();
  expect(buffer.take()).toBeUndefined();
  for (const line of ["a", "", "ä€😀"]) buffer.add(line);
  expect(buffer.bytes).toBe(Buffer.byteLength("a\n\nä€😀\n"));
  expect(buffer.take()).toEqual({ bytes: Buffer.from("a\n\nä€😀\n"), count: 3 });
  expect(buffer.bytes).toBe(0);
  expect(buffer.take()).toBeUndefined();
});

it("accepts lines of any length and number", () => {
  const buffer = new LineBuffer();
  const lines = Array.from({ length: 3000 }, (_, n) => "€".repeat(n % 700));
  for (const line of lines) buffer.add(line);
  expect(textOf(buffer)).toBe(`${lines.join("\n")}\n`);
});

it("puts taken lines back before those that were added since", () => {
  const buffer = new LineBuffer();
  buffer.add("1");
  const taken = buffer.take();
  buffer.add("2");
  if (taken !== undefined) buffer.putBack(taken);
  buffer.add("3");
  expect(buffer.take()).toEqual({ bytes: Buffer.from("1\n2\n3\n"), count: 3 });
});

it("reuses only memory that nobody holds any more", () => {
  const buffer = new LineBuffer();
  buffer.add("first");
  const first = buffer.take();
  buffer.add("second");
  if (first !== undefined) buffer.recycle(first);
  const second = buffer.take();
  buffer.add("third");
  expect(second?.bytes.toString()).toBe("second\n");
  expect(textOf(buffer)).toBe("third\n");
});
