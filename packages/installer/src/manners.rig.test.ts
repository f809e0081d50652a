// @module-tag posix-tools
// @module-tag python3
// @module-tag curl
import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { type Installation, type Machine, prepareInstallation } from "./rig/installation.ts";
import { openRecorder, type Recorder } from "./rig/recorder.ts";
import { SHELLS } from "./rig/shells.ts";

const POLL_MS = 5;
const GIVE_UP_MS = 10_000;
const START = 'telemetry_notice\ntelemetry_track "Installation Started"';

for (const shell of SHELLS)
  describe(`in ${shell.name}`, { tags: shell.tags }, () => {
    /** Prepares a machine whose collector receives requests but answers only when the test says so. */
    async function withSlowCollector(
      machine: Partial<Machine>,
      use: (installation: Installation, recorder: Recorder) => Promise<void>,
    ): Promise<void> {
      const recorder = await openRecorder("waits");
      const installation = prepareInstallation({ shell, script: START, url: recorder.url, ...machine });
      try {
        await use(installation, recorder);
      } finally {
        await recorder.close();
        installation.remove();
      }
    }

    it.each([
      ["a pipe of the install ends with the install", START],
      ["so it does with further descriptors of the pipe", `exec 3>&1 4>&2 5>&1 8>&2 9>&1\n${START}`],
      ["wait waits for the children of the install only", `${START}\nsleep 0 &\nwait`],
      ["a job's number stays the caller's", `sleep 0 & mine=$!\n${START}\n[ "$mine" = "$!" ]`],
    ])("%s, not with the sending", async (_, script) => {
      await withSlowCollector({ script }, async (installation, recorder) => {
        // Resolves once no process has stdout or stderr open any more. By then, the request has not been
        // answered.
        const { status, stdout } = await installation.run();
        expect({ status, stdout }).toEqual({ status: 0, stdout: "" });
        await until(() => recorder.requests.length === 1);
        expect(outboxOf(installation)).toEqual([".ndjson"]);
        recorder.answer();
        await installation.rest();
        expect(outboxOf(installation)).toEqual([".ndjson", ".sent"]);
      });
    });

    it("closing the terminal when the install ends does not end the sending", async () => {
      await withSlowCollector({}, async (installation, recorder) => {
        await installation.runInTerminal([]);
        await until(() => recorder.requests.length === 1);
        recorder.answer();
        await installation.rest();
        expect(outboxOf(installation)).toEqual([".ndjson", ".sent"]);
      });
    });

    for (const [sender, script] of [
      ["curl", START],
      ["wget", `trap '' TERM\n${START}`],
    ] as const)
      it(`a message that is not answered in time waits in the outbox, sent by ${sender}`, {
        tags: [sender],
      }, async () => {
        await withSlowCollector({ sender, script }, async (installation) => {
          const startedMs = performance.now();
          await installation.run();
          await installation.rest();
          expect(outboxOf(installation)).toEqual([".ndjson"]);
          expect(performance.now() - startedMs).toBeLessThan(GIVE_UP_MS);
        });
      });

    for (const [what, settings] of [
      [
        "exported variables",
        "export kit_reply=x kit_pair=x kit_json=x kit_quoted=x kit_value=x kit_word=x\nset -a",
      ],
      ["a trace", "set -x"],
    ] as const)
      it(`while it is sent, an e-mail address is in no process list, environment or file: ${what}`, async () => {
        const address = "ada.lovelace+support@example.com";
        const script = `${settings}\ntelemetry_notice\ntelemetry_support`;
        await withSlowCollector(
          { script, environment: { TMPDIR: "tmp" } },
          async (installation, recorder) => {
            mkdirSync(join(installation.folder, "tmp"));
            const run = installation.runInTerminal([
              ["[y/N] ", "y\n"],
              ["sent): ", `${address}\n`],
            ]);
            await until(() => recorder.requests.length === 1);
            const processes = readProcesses();
            const files = installation.list("opt/telemetry").concat(installation.list("tmp"));
            recorder.answer();
            const { output } = await run;
            expect(recorder.requests[0]?.body.toString()).toContain(address);
            // The list contains the process that sends, so the address would be found if it were shown there.
            expect(processes.filter((text) => text.includes("X-Retry-Count: 0"))).not.toEqual([]);
            expect(processes.filter((text) => text.includes("lovelace"))).toEqual([]);
            expect(files).toEqual(["receipts.ndjson"]);
            expect(output.split("\n").filter((line) => line.includes("lovelace"))).toEqual([
              `Your e-mail address (empty: none is sent): ${address}`,
            ]);
          },
        );
      });
  });

async function until(holds: () => boolean): Promise<void> {
  for (let waitedMs = 0; !holds(); waitedMs += POLL_MS) {
    if (waitedMs > GIVE_UP_MS) throw new Error("it does not come to hold");
    await sleep(POLL_MS);
  }
}

/** Returns the extensions of the names of the outbox's files. */
function outboxOf(installation: Installation): readonly string[] {
  return installation.list("opt/telemetry/outbox").map((name) => name.replace(/^.*\./, "."));
}

/** Returns the arguments and the environment of every process. */
function readProcesses(): readonly string[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) =>
      ["cmdline", "environ"].map((file) => {
        try {
          return readFileSync(`/proc/${pid}/${file}`, "utf8");
        } catch {
          return ""; // the process has ended, or is a kernel thread
        }
      }),
    );
}
