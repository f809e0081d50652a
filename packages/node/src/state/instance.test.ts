import { createPublicKey, randomUUID, verify } from "node:crypto";
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { toInstanceId } from "@candor/envelope/instance-proof";
import { describe, expect, it } from "vitest";
import { makeFolderForTest } from "../rig/in-process.ts";
import { openInstance, readInstance } from "./instance.ts";

const NOW_MS = Date.parse("2026-11-23T12:00:00Z");

it("has the id that its key determines, and is created again if its id was changed", () => {
  const file = join(makeFolderForTest(), "instance.json");
  const made = openInstance(file, NOW_MS);
  expect(made.instanceId).toBe(toInstanceId(Buffer.from(made.publicKey, "base64url")));
  expect(made.instanceId).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  const other = { ...JSON.parse(readFileSync(file, "utf8")), instanceId: randomUUID() };
  writeFileSync(file, JSON.stringify(other));
  expect(readInstance(file)).toBeUndefined();
  expect(openInstance(file, NOW_MS).publicKey).not.toBe(made.publicKey);
});

it("is created once, random and accessible only to this user, and read back unchanged", () => {
  const dir = makeFolderForTest();
  const file = join(dir, "instance.json");
  expect(readInstance(file)).toBeUndefined();
  const made = openInstance(file, NOW_MS);
  const again = openInstance(file, NOW_MS + 1000);
  expect([again.instanceId, again.publicKey, again.createdAt]).toEqual([
    made.instanceId,
    made.publicKey,
    "2026-11-23T12:00:00.000Z",
  ]);
  expect(again.keyedHash("ada")).toBe(made.keyedHash("ada"));
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(readdirSync(dir)).toEqual(["instance.json"]);
  const other = openInstance(join(dir, "other.json"), NOW_MS);
  expect(other.instanceId).not.toBe(made.instanceId);
  expect(other.keyedHash("ada")).not.toBe(made.keyedHash("ada"));
});

it("signs with the private key of its public key", () => {
  const instance = openInstance(join(makeFolderForTest(), "instance.json"), NOW_MS);
  const key = createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x: instance.publicKey }, format: "jwk" });
  const signature = Buffer.from(instance.sign("a text"), "base64url");
  expect(verify(null, Buffer.from("a text"), key, signature)).toBe(true);
  expect(verify(null, Buffer.from("another"), key, signature)).toBe(false);
});

it.each(["", "{}", "not JSON", '{"instanceId":1}'])("replaces a file that contains %j", (text) => {
  const file = join(makeFolderForTest(), "instance.json");
  writeFileSync(file, text);
  const made = openInstance(file, NOW_MS);
  expect(readInstance(file)?.instanceId).toBe(made.instanceId);
  expect(JSON.parse(readFileSync(file, "utf8")).instanceId).toBe(made.instanceId);
});

it("throws the file system's error if it cannot be stored", () => {
  expect(() => openInstance(join(makeFolderForTest(), "none", "instance.json"), NOW_MS)).toThrow("ENOENT");
});

describe("an instance derived from a product's own key", () => {
  const KEY = "q8Zr4nV0cT6yLw2sXk9bPd3mHf7jGa1e";

  it("is always this one, because stored ids and hashes must not change", () => {
    const made = openInstance(join(makeFolderForTest(), "instance.json"), NOW_MS, KEY);
    expect([made.instanceId, made.keyedHash("ada")]).toEqual([
      "79d738d1-845b-8a58-be6a-abf36722f61e",
      "a6d2a756a834c197b1cb1a9cde0ba5b48c99533dfbf40469984e1e5840834750",
    ]);
  });

  it("proves itself like a random one", () => {
    const instance = openInstance(join(makeFolderForTest(), "instance.json"), NOW_MS, KEY);
    expect(instance.instanceId).toBe(toInstanceId(Buffer.from(instance.publicKey, "base64url")));
    const key = createPublicKey({
      key: { kty: "OKP", crv: "Ed25519", x: instance.publicKey },
      format: "jwk",
    });
    expect(verify(null, Buffer.from("a text"), key, Buffer.from(instance.sign("a text"), "base64url"))).toBe(
      true,
    );
  });

  it("replaces a random one, and that of another key, and is read back without the key", () => {
    const file = join(makeFolderForTest(), "instance.json");
    const random = openInstance(file, NOW_MS);
    const keyed = openInstance(file, NOW_MS + 1000, KEY);
    expect(keyed.instanceId).not.toBe(random.instanceId);
    expect(readInstance(file)?.instanceId).toBe(keyed.instanceId);
    // `createdAt` stays that of the first call with this key, which made the instance.
    expect(openInstance(file, NOW_MS + 2000, KEY).createdAt).toBe("2026-11-23T12:00:01.000Z");
    expect(openInstance(file, NOW_MS, `${KEY}2`).instanceId).not.toBe(keyed.instanceId);
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });
});
