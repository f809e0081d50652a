/**
 * Row 1 of the README's table: what an install reports when it works and when it fails. Each failure is a
 * real one.
 */
import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { REFERENCE_PLAN } from "../../../packages/plan/src/rig/reference-plan.ts";
import { buildRelease, type Collector, type Machine, type Release } from "./machine.ts";
import { type InstallOptions, openProduct, type Product } from "./product.ts";

const EMAIL = "grace@support.example";

/** Defines the tests of row 1. @param startMachine starts the machine on which the installers run */
export function testInstalls(startMachine: () => Promise<Machine>): void {
  describe("row 1", () => {
    let collector: Collector;
    let machine: Machine;
    let release: Release;
    beforeAll(async () => {
      machine = await startMachine();
      collector = machine.collector;
      release = await buildRelease(machine, "2.0.0");
    });
    afterAll(() => machine?.stop());

    async function openOwn(): Promise<Product> {
      const product = await openProduct(machine);
      onTestFinished(() => product.remove());
      return product;
    }

    /** A copy of the release that names images that do not exist. */
    function withoutImages({ installer }: Release): Release {
      const copy = join(machine.folder, "without-images");
      cpSync(installer, copy, { recursive: true });
      const settings = readFileSync(join(copy, "release.env"), "utf8");
      writeFileSync(join(copy, "release.env"), settings.replace("2.0.0", "9.9.9"));
      return { version: "9.9.9", installer: copy };
    }

    /**
     * Waits until `expected` more events than `count` are stored. Returns them with `Installation Started`
     * first, because an install that fails at once sends its start and its end within milliseconds, and
     * either may arrive first.
     */
    async function eventsSince(count: number, expected: number) {
      await expect
        .poll(async () => (await collector.events()).length - count, { timeout: 10_000 })
        .toBe(expected);
      const events = (await collector.events()).slice(count);
      const started = events.filter(({ event }) => event === "Installation Started");
      return [...started, ...events.filter((one) => !started.includes(one))];
    }

    const OF_INSTALL = {
      type: "track",
      anonymousId: expect.stringMatching(/^[0-9a-f]{32}$/),
      context: { library: { name: "candor-installer", version: "0.1.0" } },
      integrations: {},
      candor: { source: "installer", planVersion: REFERENCE_PLAN.version },
    };

    it("an install that works reports its start and success, as one attempt", async () => {
      const product = await openOwn();
      const count = (await collector.events()).length;
      const { status, output } = await product.install(release);
      expect(output).toContain(`Appsmith 2.0.0 runs on port ${product.port}.`);
      expect(status).toBe(0);
      const events = await eventsSince(count, 2);
      for (const event of events)
        expect(event).toMatchObject({ ...OF_INSTALL, properties: { os: "debian", version: "2.0.0" } });
      expect(events.map(({ event }) => event)).toEqual(["Installation Started", "Installation Success"]);
      expect(new Set(events.map(({ anonymousId }) => anonymousId)).size).toBe(1);
      expect(Object.keys(events[0]?.properties ?? {}).sort()).toEqual(["os", "version"]);
      expect(product.file("docker.env")).toContain("APPSMITH_DISABLE_TELEMETRY=false");
      // Nobody was asked, because there was no terminal, so browsers may send nothing.
      expect(product.file("docker.env")).not.toContain("APPSMITH_CLIENT_TELEMETRY=true");
    });

    it("an install with telemetry turned off reports nothing, and works", async () => {
      const product = await openOwn();
      const count = (await collector.events()).length;
      const contacts = collector.contacts();
      const { status } = await product.install(release, {
        environment: { APPSMITH_DISABLE_TELEMETRY: "true" },
      });
      expect(status).toBe(0);
      expect((await collector.events()).length).toBe(count);
      expect(collector.contacts()).toBe(contacts);
      expect(product.file("docker.env")).toContain("APPSMITH_DISABLE_TELEMETRY=true");
    });

    describe("an install that fails reports the kind of error, and no more", () => {
      const cases: Readonly<Record<string, InstallOptions>> = {
        os_not_supported: { os: "void" },
        docker_missing: { without: ["docker"] },
        compose_missing: { without: ["docker-compose"] },
        docker_not_running: { environment: { DOCKER_HOST: "unix:///nonexistent/docker.sock" } },
      };
      for (const [error, options] of Object.entries(cases))
        it(error, async () => {
          const { os = "debian" } = options;
          const product = await openOwn();
          const count = (await collector.events()).length;
          const { status, output } = await product.install(release, options);
          expect(status, output).toBe(1);
          const [started, failed] = await eventsSince(count, 2);
          expect(started).toMatchObject({
            event: "Installation Started",
            properties: { os, version: "2.0.0" },
          });
          expect(failed).toMatchObject({ ...OF_INSTALL, event: "Installation Errors" });
          expect(failed?.properties).toEqual({ os, error, version: "2.0.0" });
        });

      it("port_taken", async () => {
        const product = await openOwn();
        const server = createServer().listen(product.port, "127.0.0.1");
        onTestFinished(() => void server.close());
        const count = (await collector.events()).length;
        const { status } = await product.install(release);
        expect(status).toBe(1);
        const [, failed] = await eventsSince(count, 2);
        expect(failed?.properties).toEqual({ os: "debian", error: "port_taken", version: "2.0.0" });
      });

      it("containers_not_started, because an image is missing", async () => {
        const product = await openOwn();
        const count = (await collector.events()).length;
        const { status } = await product.install(withoutImages(release));
        expect(status).toBe(1);
        const [, failed] = await eventsSince(count, 2);
        expect(failed?.properties).toEqual({
          os: "debian",
          error: "containers_not_started",
          version: "9.9.9",
        });
      });

      it("directory_exists, when it is installed twice", async () => {
        const product = await openOwn();
        const before = (await collector.events()).length;
        expect((await product.install(release)).status).toBe(0);
        await eventsSince(before, 2);
        const count = before + 2;
        const { status } = await product.install(release);
        expect(status).toBe(1);
        const [, failed] = await eventsSince(count, 2);
        expect(failed?.properties).toEqual({ os: "debian", error: "directory_exists", version: "2.0.0" });
      });
    });

    it("an e-mail address is collected only if typed for support, and stored only among the contacts", async () => {
      const typed = [
        ["write to you about this install?", "y\n"],
        ["e-mail address", `${EMAIL}\n`],
      ] as const;
      const refused = await openOwn();
      const before = (await collector.events()).length;
      await refused.install(release, { without: ["docker"], typed: [["write to you", "n\n"]] });
      await eventsSince(before, 2);
      expect(JSON.parse(await collector.read("/api/contacts"))).toEqual({ contacts: [] });

      const product = await openOwn();
      const count = before + 2;
      const { output } = await product.install(release, { without: ["docker"], typed });
      expect(output).toContain("Sent.");
      const events = await eventsSince(count, 3);
      expect(events.map(({ event }) => event).sort()).toEqual([
        "Installation Errors",
        "Installation Started",
        "Installation Support",
      ]);
      expect(JSON.stringify(await collector.events())).not.toContain("grace");
      // Nothing links the request for support to the install.
      const ids = new Set(events.map(({ anonymousId }) => anonymousId));
      expect(ids.size).toBe(2);
      const { contacts } = JSON.parse(await collector.read("/api/contacts")) as { contacts: object[] };
      expect(contacts).toEqual([expect.objectContaining({ contact: EMAIL })]);
      const files = product.telemetryFiles().map((file) => product.file(file));
      expect(files.join("\n")).not.toContain("grace");
    });
  });
}
