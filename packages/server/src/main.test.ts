import { chmodSync, mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { bytesBelow } from "./rig/bytes-below.ts";
import { eventually, NO_STORE, startForTest, type TestCandor } from "./rig/in-process.ts";

const dirs: string[] = [];
function newDir(): string {
  const dir = mkdtempSync(join(tmpdir(), "candor-main-"));
  dirs.push(dir);
  return dir;
}
afterEach(() => {
  for (const dir of dirs.splice(0)) rmSync(dir, { recursive: true });
});

const track = (messageId: string, more: object = {}): object => ({
  type: "track",
  event: "Opened",
  userId: "u",
  messageId,
  ...more,
});
const batch = (count: number, prefix: string): object => ({
  batch: Array.from({ length: count }, (_, n) => track(`${prefix}-${n}`)),
});
const countIs = async (candor: TestCandor, count: number): Promise<unknown> =>
  (
    await eventually(
      () => candor.read("/api/count"),
      (answer) => answer.count === count,
    )
  ).count;

describe("a collector", () => {
  it("keeps every message while the store is away, across a restart, and stores each once when it is back", async () => {
    const CANDOR_DATA_DIR = newDir();
    const away = await startForTest({ ...NO_STORE, CANDOR_DATA_DIR });
    for (let n = 0; n < 20; n++) expect((await away.post("/v1/batch", batch(100, `r${n}`))).status).toBe(200);
    await away.close();
    const back = await startForTest({ CANDOR_DATA_DIR });
    // Sent again by a client that missed the answer.
    expect((await back.post("/v1/batch", batch(100, "r3"))).status).toBe(200);
    expect(await countIs(back, 2000)).toBe(2000);
    const { events } = await back.read("/api/events?limit=1000");
    expect(new Set(events?.map((event) => event.messageId)).size).toBe(1000);
    await back.close();
  });

  it("has no byte of a message left on disk once the store has deleted it", async () => {
    const CANDOR_DATA_DIR = newDir();
    const marker = "MARKER-7c21f0";
    const candor = await startForTest({ CANDOR_DATA_DIR });
    const messages = Array.from({ length: 300 }, (_, n) =>
      track(`${marker}-${n}`, { event: marker, userId: marker, properties: { [marker]: marker } }),
    );
    await candor.post("/v1/batch", { batch: messages });
    expect(bytesBelow(CANDOR_DATA_DIR)).toContain(marker);
    expect(await countIs(candor, 300)).toBe(300);
    const { openStore } = await import("./store/client.ts");
    const store = openStore({ socketPath: join(CANDOR_DATA_DIR, "store", "engine.sock") });
    await store.command("TRUNCATE TABLE events SYNC");
    await store.close();
    const left = await eventually(
      async () => bytesBelow(CANDOR_DATA_DIR).includes(marker),
      (isLeft) => !isLeft,
    );
    expect(left).toBe(false);
    await candor.close();
    expect(bytesBelow(CANDOR_DATA_DIR)).not.toContain(marker);
  });

  it("cannot be started twice on one folder or on a port in use, and says what to do", async () => {
    const first = await startForTest(NO_STORE);
    await expect(startForTest({ ...NO_STORE, CANDOR_DATA_DIR: first.dataDir })).rejects.toMatchObject({
      code: "data_folder_locked",
      message: expect.stringContaining("CANDOR_DATA_DIR"),
    });
    const CANDOR_PORT = new URL(first.url).port;
    await expect(startForTest({ ...NO_STORE, CANDOR_PORT })).rejects.toMatchObject({
      code: "port_in_use",
      message: expect.stringContaining("CANDOR_PORT"),
    });
    await expect(startForTest({ ...NO_STORE, CANDOR_HOST: "192.0.2.1" })).rejects.toMatchObject({
      code: "address_unavailable",
    });
    await first.close();
  });

  it("releases the folder if the start fails", async () => {
    const CANDOR_DATA_DIR = newDir();
    const blocker = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => blocker.once("listening", resolve));
    const address = blocker.address();
    const CANDOR_PORT = String(typeof address === "object" ? address?.port : 0);
    await expect(startForTest({ ...NO_STORE, CANDOR_DATA_DIR, CANDOR_PORT })).rejects.toMatchObject({
      code: "port_in_use",
    });
    blocker.close();
    await (await startForTest({ ...NO_STORE, CANDOR_DATA_DIR })).close();
  });

  it("answers a request that is in progress when it is stopped", async () => {
    const candor = await startForTest(NO_STORE);
    const body = JSON.stringify(track("m1"));
    const { hostname, port } = new URL(candor.url);
    const socket = connect(Number(port), hostname);
    const answer = new Promise<string>((resolve) => {
      let text = "";
      socket.on("data", (chunk) => (text += chunk));
      socket.on("close", () => resolve(text));
    });
    socket.write(
      `POST /v1/track HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\nAuthorization: Basic a2V5LXM6\r\n\r\n`,
    );
    socket.write(body.slice(0, 10));
    await new Promise((resolve) => setTimeout(resolve, 100));
    const closing = candor.close();
    await new Promise((resolve) => setTimeout(resolve, 100));
    socket.write(body.slice(10));
    expect(await answer).toContain("HTTP/1.1 200 OK");
    await closing;
  });

  it("refuses a store with a newer schema", async () => {
    const CANDOR_DATA_DIR = newDir();
    const first = await startForTest({ CANDOR_DATA_DIR });
    const { openStore } = await import("./store/client.ts");
    const store = openStore({ socketPath: join(CANDOR_DATA_DIR, "store", "engine.sock") });
    await store.command("INSERT INTO schema_migrations (version, name, checksum) VALUES (9999, 'later', '')");
    await store.close();
    await first.close();
    await expect(startForTest({ CANDOR_DATA_DIR })).rejects.toMatchObject({
      code: "schema_newer",
      message: expect.stringContaining("version 9999"),
    });
  });

  it("makes its folder, keys, log and socket inaccessible to other users", async () => {
    const candor = await startForTest({ CANDOR_WRITE_KEYS: "" });
    await candor.post("/v1/track", track("m1"), {
      authorization: `Basic ${Buffer.from(candor.keys.writeKeys.server).toString("base64")}`,
    });
    chmodSync(candor.dataDir, 0o755); // the files inside must be private by themselves
    const open = readdirSync(candor.dataDir, { recursive: true, encoding: "utf8" })
      .filter((name) => !name.startsWith(`${join("store", "chdb")}/`))
      .filter((name) => (statSync(join(candor.dataDir, name)).mode & 0o077) !== 0);
    expect(open).toEqual([]);
    await candor.close();
  });
});
