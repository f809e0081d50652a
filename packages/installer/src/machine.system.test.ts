// @module-tag root
// @module-tag posix-tools
// @module-tag mounts
// @module-tag setpriv
// @module-tag curl
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { chmodSync, chownSync, linkSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { NOTICE, receipt } from "./rig/answers.ts";
import { type Installation, type Machine, type Outcome, prepareInstallation } from "./rig/installation.ts";
import { closedUrl } from "./rig/recorder.ts";
import { SHELLS } from "./rig/shells.ts";

const SCRIPT = `telemetry_install_trap
telemetry_notice
telemetry_ask
telemetry_track "Installation Started"
telemetry_error port_taken
exit 3`;

const PAGE_BYTES = 4096;

/**
 * Runs the install in a mount namespace of its own, where `commands` may mount anything. The install's
 * command line is passed to `commands` as arguments.
 */
function runAmongMounts(installation: Installation, commands: string): Promise<Outcome> {
  const script = `PATH=/bin:/usr/bin:/sbin:/usr/sbin; ${commands}`;
  return installation.runBy(["unshare", "--mount", "/bin/sh", "-c", script, "sh"]);
}

for (const shell of SHELLS)
  describe(`in ${shell.name}`, { tags: shell.tags }, () => {
    async function withMachine(
      machine: Partial<Machine>,
      use: (installation: Installation) => Promise<void>,
    ) {
      const installation = prepareInstallation({ shell, script: SCRIPT, url: await closedUrl(), ...machine });
      try {
        await use(installation);
      } finally {
        installation.remove();
      }
    }

    it("a name server that never answers does not delay an install", async () => {
      const nameServer = createSocket("udp4");
      const asked = once(nameServer, "message");
      nameServer.bind(53, "127.77.0.1");
      await once(nameServer, "listening");
      try {
        await withMachine(
          { url: "http://collector.example.com", files: { "resolv.conf": "nameserver 127.77.0.1\n" } },
          async (installation) => {
            const bound = 'mount --bind resolv.conf /etc/resolv.conf && exec "$@"';
            const { status } = await runAmongMounts(installation, bound);
            // The install has ended, although the senders are still waiting for the name server.
            expect({ status, isAtWork: installation.isAtWork() }).toEqual({ status: 3, isAtWork: true });
            await asked;
            await installation.rest();
            expect(
              installation.list("opt/telemetry/outbox").filter((name) => name.endsWith(".sent")),
            ).toEqual([]);
          },
        );
      } finally {
        nameServer.close();
      }
    });

    it("a read-only file system turns telemetry off silently", async () => {
      await withMachine({}, async (installation) => {
        const bound = 'mount --bind opt opt && mount -o remount,bind,ro opt && exec "$@"';
        const outcome = await runAmongMounts(installation, bound);
        expect(outcome).toEqual({
          status: 3,
          stdout: "",
          stderr: NOTICE,
        });
        expect(installation.list("opt")).toEqual(["docker.env"]);
        expect(installation.read("opt/docker.env")).toBe("");
      });
    });

    it("docker.env keeps its owner, mode and hard links", async () => {
      await withMachine(
        { files: { "opt/docker.env": "A=1\nAPPSMITH_CLIENT_TELEMETRY=\n" } },
        async (installation) => {
          const file = join(installation.folder, "opt/docker.env");
          const link = join(installation.folder, "link.env");
          linkSync(file, link);
          chownSync(file, 12345, 12346);
          chmodSync(file, 0o640);
          const before = statSync(file);
          await installation.run();
          const after = statSync(file);
          const facts = ({ uid, gid, mode, ino, nlink }: typeof before) => ({ uid, gid, mode, ino, nlink });
          expect(facts(after)).toEqual(facts(before));
          expect(readFileSync(link, "utf8")).toBe(
            "A=1\nAPPSMITH_CLIENT_TELEMETRY=false\nAPPSMITH_DISABLE_TELEMETRY=false\n",
          );
          expect(installation.list("opt").filter((name) => !name.startsWith("telemetry/"))).toEqual([
            "docker.env",
          ]);
        },
      );
    });

    it("its files are accessible only to their owner", async () => {
      await withMachine({}, async (installation) => {
        await installation.run();
        await installation.rest();
        const modes = ["", ...installation.list("opt/telemetry")].map(
          (name) => statSync(join(installation.folder, "opt/telemetry", name)).mode & 0o777,
        );
        expect([...new Set(modes)]).toEqual([0o700, 0o600]);
      });
    });

    it("for other users, a state folder of root turns telemetry off silently", async () => {
      await withMachine(
        { files: { "opt/telemetry/receipts.ndjson": receipt("installer", "notice") } },
        async (installation) => {
          for (const folder of [installation.folder, join(installation.folder, "..")])
            chmodSync(folder, 0o755);
          chmodSync(join(installation.folder, "opt/telemetry"), 0o700);
          const nobody = ["--reuid=65534", "--regid=65534", "--clear-groups"];
          const outcome = await installation.runBy(["setpriv", ...nobody]);
          expect(outcome.status).toBe(3);
          expect(outcome.stderr.replace(NOTICE, "")).toBe("");
          await installation.rest();
          expect(installation.list("opt")).toEqual(["docker.env", "telemetry/receipts.ndjson"]);
          expect(installation.read("opt/telemetry/receipts.ndjson")).toBe(receipt("installer", "notice"));
        },
      );
    });

    it("a full disk leaves docker.env unchanged", async () => {
      await withMachine({ files: { "opt/docker.env": "" } }, async (installation) => {
        // Fills two of the disk's three pages except for 4 bytes, which is one byte less than the longer
        // value needs.
        const lines = "A=1\nAPPSMITH_DISABLE_TELEMETRY=false\nAPPSMITH_CLIENT_TELEMETRY=\nB=";
        const text = `${lines.padEnd(2 * PAGE_BYTES - "false".length, "b")}\n`;
        writeFileSync(join(installation.folder, "env"), text);
        const full =
          'mount -t tmpfs -o size=12k tmpfs opt && cp env opt/docker.env; head -c 100000 /dev/zero >opt/rest 2>/dev/null; "$@"; code=$?; cp opt/docker.env after.env; exit $code';
        const { status } = await runAmongMounts(installation, full);
        expect(status).toBe(3);
        expect(installation.read("after.env")).toBe(text);
      });
    });
  });
