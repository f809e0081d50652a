// @module-tag posix-tools
// @module-tag python3
// @module-tag curl
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { NOTICE, receipt } from "./rig/answers.ts";
import { type Dialog, prepareInstallation, type Way } from "./rig/installation.ts";
import { closedUrl, openRecorder } from "./rig/recorder.ts";
import { SHELLS } from "./rig/shells.ts";
import type { TableName } from "./rig/tables.ts";

const QUESTION = "May Appsmith also tell its makers which of its parts are used? [y/N] ";
const OWN_QUESTION = "May Appsmith tell its makers how this install goes? [y/N] ";
const MORE =
  "More is collected than you said Yes to; a No leaves it at that.\nNew: How long the install's start took.\n";
const CTRL_C = "\x03";
const CTRL_D = "\x04";
const SIGINT = 2;

const TOLD = receipt("installer", "notice") + receipt("server", "notice");
const ASK = "telemetry_notice\ntelemetry_ask\necho done";
const yes = docker("true");
const no = docker("false");

function docker(client: string): string {
  return `APPSMITH_DISABLE_TELEMETRY=false\nAPPSMITH_CLIENT_TELEMETRY=${client}\n`;
}

/**
 * What a person types at the terminal, and the expected result. `client` lists the answers recorded for the
 * client, as `<answer> <version>`.
 */
interface Conversation {
  readonly name: string;
  readonly dialog: Dialog;
  readonly how?: Way;
  readonly script?: string;
  readonly table?: TableName;
  readonly environment?: Readonly<Record<string, string>>;
  readonly files?: Readonly<Record<string, string>>;
  readonly expect: {
    /** The whole output after the notice. */
    readonly output: string;
    readonly status?: number;
    readonly client: readonly string[];
    readonly dockerEnv: string;
  };
}

const conversations: readonly Conversation[] = [
  {
    name: "y is a Yes",
    dialog: [["[y/N] ", "y\n"]],
    expect: { output: `${QUESTION}y\ndone\n`, client: ["yes 1"], dockerEnv: yes },
  },
  {
    name: "Yes with spaces around it is a Yes",
    dialog: [["[y/N] ", " Yes \n"]],
    expect: { output: `${QUESTION} Yes \ndone\n`, client: ["yes 1"], dockerEnv: yes },
  },
  ...["n", "no", "", "yep", "\\y", "*"].map((typed) => ({
    name: `anything else is a No: ${JSON.stringify(typed)}`,
    dialog: [["[y/N] ", `${typed}\n`]] as const,
    expect: { output: `${QUESTION}${typed}\ndone\n`, client: ["no 1"], dockerEnv: no },
  })),
  {
    name: "the end of the input is a No",
    dialog: [["[y/N] ", CTRL_D]],
    expect: { output: `${QUESTION}\ndone\n`, client: ["no 1"], dockerEnv: no },
  },
  {
    name: "a Yes without Enter is a No",
    dialog: [["[y/N] ", `y${CTRL_D}${CTRL_D}`]],
    expect: { output: `${QUESTION}y\ndone\n`, client: ["no 1"], dockerEnv: no },
  },
  {
    name: "no answer in time is a No",
    dialog: [["[y/N] ", "y"]],
    environment: { TELEMETRY_ASK_SECONDS: "1" },
    expect: { output: `${QUESTION}y\ndone\n`, client: ["no 1"], dockerEnv: no },
  },
  {
    name: "Ctrl-C ends the install and is no answer",
    dialog: [["[y/N] ", CTRL_C]],
    expect: { output: `${QUESTION}^C`, status: -SIGINT, client: [], dockerEnv: "" },
  },
  {
    name: "a caller that handles Ctrl-C goes on after it, and Ctrl-C is no answer",
    script: `trap 'echo caught' INT\n${ASK}`,
    dialog: [["[y/N] ", CTRL_C]],
    expect: {
      output: `${QUESTION}^Ccaught\n\ndone\n`,
      client: [],
      dockerEnv: "APPSMITH_DISABLE_TELEMETRY=false\n",
    },
  },
  {
    name: "a script that is read from stdin asks at the terminal",
    dialog: [["[y/N] ", "y\n"]],
    how: "piped",
    expect: { output: `${QUESTION}y\ndone\n`, client: ["yes 1"], dockerEnv: yes },
  },
  {
    name: "an install in the background is not stopped by the question, which gets no answer",
    dialog: [],
    how: "in background",
    expect: { output: `${QUESTION}\ndone\n`, client: ["no 1"], dockerEnv: no },
  },
  {
    name: "the question appears on the terminal even if stderr does not",
    script: "telemetry_notice\ntelemetry_ask 2>opt/errors\ncat opt/errors\necho done",
    dialog: [["[y/N] ", "y\n"]],
    expect: { output: `${QUESTION}y\ndone\n`, client: ["yes 1"], dockerEnv: yes },
  },
  {
    name: "text typed before the question is not an answer",
    script: `echo begin\nsleep 1\n${ASK}`,
    dialog: [
      ["begin", "y\ny"],
      ["[y/N] ", "n\n"],
    ],
    expect: { output: `begin\ny\ny${QUESTION}n\ndone\n`, client: ["no 1"], dockerEnv: no },
  },
  {
    name: "no answer in time is a No, even if TERM is ignored",
    script: `trap '' TERM\n${ASK}`,
    dialog: [["[y/N] ", "y"]],
    environment: { TELEMETRY_ASK_SECONDS: "1" },
    expect: { output: `${QUESTION}y\ndone\n`, client: ["no 1"], dockerEnv: no },
  },
  {
    name: "an opt-in installer asks for its own consent",
    table: "asking",
    script: "telemetry_notice\ntelemetry_notice\ngrep -c installer.*yes opt/telemetry/receipts.ndjson",
    dialog: [["[y/N] ", "y\n"]],
    expect: { output: `${OWN_QUESTION}y\n1\n`, client: [], dockerEnv: "" },
  },
  {
    name: "an opt-in installer asks once about what is new, instead of showing a notice",
    table: "asking",
    script: "telemetry_notice\ntelemetry_notice\ngrep -c . opt/telemetry/receipts.ndjson",
    dialog: [["[y/N] ", "n\n"]],
    files: { "opt/telemetry/receipts.ndjson": receipt("installer", "yes") },
    expect: { output: `${MORE}${OWN_QUESTION}n\n3\n`, client: [], dockerEnv: "" },
  },
  {
    name: "a question is not asked twice",
    script: `${ASK}\ntelemetry_ask`,
    dialog: [["[y/N] ", "y\n"]],
    expect: { output: `${QUESTION}y\ndone\n`, client: ["yes 1"], dockerEnv: yes },
  },
  {
    name: "--reconfigure asks again, after a No",
    script: "telemetry_ask --reconfigure",
    dialog: [["[y/N] ", "y\n"]],
    files: {
      "opt/telemetry/receipts.ndjson": TOLD + receipt("client", "no"),
      "opt/docker.env": `A=1\n${no}B=2\n`,
    },
    expect: { output: `${QUESTION}y\n`, client: ["no 1", "yes 1"], dockerEnv: `A=1\n${yes}B=2\n` },
  },
  {
    name: "--reconfigure asks again, after a Yes",
    script: "telemetry_ask --reconfigure",
    dialog: [["[y/N] ", "\n"]],
    files: { "opt/telemetry/receipts.ndjson": TOLD + receipt("client", "yes"), "opt/docker.env": yes },
    expect: { output: `${QUESTION}\n`, client: ["yes 1", "no 1"], dockerEnv: no },
  },
  {
    name: "--reconfigure does not ask if the machine refuses",
    script: "telemetry_ask --reconfigure\necho done",
    environment: { DO_NOT_TRACK: "1" },
    dialog: [],
    expect: { output: "done\n", client: [], dockerEnv: "APPSMITH_DISABLE_TELEMETRY=true\n" },
  },
  {
    name: "a CI system is not asked, even at a terminal",
    script: "telemetry_ask\necho done",
    environment: { CI: "1" },
    dialog: [],
    expect: { output: "done\n", client: ["no 1"], dockerEnv: no },
  },
  {
    name: "after a Yes, a grown plan asks about what is new, and a second Yes covers it",
    table: "grown",
    dialog: [["[y/N] ", "y\n"]],
    files: { "opt/telemetry/receipts.ndjson": receipt("client", "yes"), "opt/docker.env": yes },
    expect: { output: `${MORE}${QUESTION}y\ndone\n`, client: ["yes 1", "yes 3"], dockerEnv: yes },
  },
  {
    name: "a No to what is new keeps the Yes to the rest, and the question is not repeated",
    table: "grown",
    script: `${ASK}\ntelemetry_ask`,
    dialog: [["[y/N] ", "n\n"]],
    files: { "opt/telemetry/receipts.ndjson": receipt("client", "yes"), "opt/docker.env": yes },
    expect: { output: `${MORE}${QUESTION}n\ndone\n`, client: ["yes 1", "no 3", "yes 1"], dockerEnv: yes },
  },
  {
    name: "an answer replaces malformed consent records, except for every No",
    dialog: [["[y/N] ", "y\n"]],
    script: "telemetry_ask\ngrep -c server opt/telemetry/receipts.ndjson",
    files: {
      "opt/telemetry/receipts.ndjson": `${receipt("server", "no")}${receipt("client", "no")}${receipt("client", "yes")}nonsense\n`,
    },
    expect: {
      output: `${QUESTION}y\n1\n`,
      client: ["no 1", "yes 1"],
      dockerEnv: "APPSMITH_CLIENT_TELEMETRY=true\n",
    },
  },
];

const SUPPORT = "May the makers of Appsmith write to you about this install? [y/N] ";
const ADDRESS = "Your e-mail address (empty: none is sent): ";
const SUPPORT_ALONE = "telemetry_notice\ntelemetry_support\necho done";
const AFTER_FAILURE =
  "telemetry_notice\nTELEMETRY_URL=$SUPPORT_URL\nkit_kind=port_taken\ntelemetry_support\necho done";

for (const shell of SHELLS)
  describe(`at a terminal, in ${shell.name}`, { tags: shell.tags }, () => {
    for (const conversation of conversations)
      it(conversation.name, { tags: conversation.how === "in background" ? ["bash"] : [] }, async () => {
        const url = await closedUrl();
        const installation = prepareInstallation({ script: ASK, ...conversation, shell, url });
        try {
          const { status, output, unasked } = await installation.runInTerminal(
            conversation.dialog,
            conversation.how,
          );
          await installation.rest();
          const lines =
            (installation.read("opt/telemetry/receipts.ndjson") ?? "").match(/^.*"client".*$/gm) ?? [];
          expect({
            status,
            output: output.replace(NOTICE, ""),
            unasked,
            client: lines.map((line) =>
              /"answer":"(\w+)".*"planVersion":(\d+)/.exec(line)?.slice(1).join(" "),
            ),
            dockerEnv: installation.read("opt/docker.env"),
          }).toEqual({ status: 0, unasked: [], ...conversation.expect });
        } finally {
          installation.remove();
        }
      });

    it.each([
      ["No asks for no address", [["[y/N] ", "n\n"]], `${SUPPORT}n\ndone\n`, []],
      [
        "an empty address sends nothing",
        [
          ["[y/N] ", "y\n"],
          ["sent): ", "  \n"],
        ],
        `${SUPPORT}y\n${ADDRESS}  \nNothing was sent or kept.\ndone\n`,
        [],
      ],
      [
        "text that is not an address is not sent",
        [
          ["[y/N] ", "y\n"],
          ["sent): ", "ada at example\n"],
        ],
        `${SUPPORT}y\n${ADDRESS}ada at example\nNothing was sent or kept.\ndone\n`,
        [],
      ],
      [
        "an address is sent, with the kind of the error and the system",
        [
          ["[y/N] ", "y\n"],
          ["sent): ", 'o"hara\\@example.com\n'],
        ],
        `${SUPPORT}y\n${ADDRESS}o"hara\\@example.com\nSent.\ndone\n`,
        [{ os: "other", error: "port_taken", email: 'o"hara\\@example.com' }],
      ],
    ] as const)("support: %s", async (_, dialog, output, sent) => {
      const recorder = await openRecorder(200);
      const installation = prepareInstallation({
        shell,
        script: AFTER_FAILURE,
        url: recorder.url,
        environment: { SUPPORT_URL: recorder.url },
      });
      try {
        const outcome = await installation.runInTerminal(dialog);
        expect(outcome.output.replace(NOTICE, "")).toBe(output);
        const messages = recorder.requests.flatMap(({ body }) => Object(JSON.parse(body.toString())).batch);
        expect(messages.map(({ event, properties }) => ({ event, properties }))).toEqual(
          sent.map((properties) => ({ event: "Installation Support", properties })),
        );
        expect(installation.list("opt/telemetry")).toEqual(["receipts.ndjson"]);
      } finally {
        await recorder.close();
        installation.remove();
      }
    });

    it("support: nobody is asked for an address that could not be sent", async () => {
      const installation = prepareInstallation({
        shell,
        table: "mute",
        script: SUPPORT_ALONE,
        url: "http://127.0.0.1:1",
      });
      try {
        const { output } = await installation.runInTerminal([]);
        expect(output.replace(NOTICE, "")).toBe("done\n");
      } finally {
        installation.remove();
      }
    });

    for (const sender of ["wget", "busybox", "none"] as const)
      it(`support: without curl nobody is asked, because wget can only send files: ${sender}`, {
        tags: sender === "none" ? [] : [sender],
      }, async () => {
        const recorder = await openRecorder(200);
        const installation = prepareInstallation({ shell, script: SUPPORT_ALONE, url: recorder.url, sender });
        try {
          const { output } = await installation.runInTerminal([]);
          expect(output.replace(NOTICE, "")).toBe("done\n");
          expect(recorder.requests).toEqual([]);
        } finally {
          await recorder.close();
          installation.remove();
        }
      });

    it("support: an address that could not be sent is not kept, and the person is told", async () => {
      const installation = prepareInstallation({
        shell,
        script: AFTER_FAILURE,
        url: "",
        environment: { SUPPORT_URL: await closedUrl() },
      });
      // A folder for temporary files. No file may be left in it.
      const temporary = join(installation.folder, "tmp");
      mkdirSync(temporary);
      try {
        const { output } = await installation.runInTerminal(
          [
            ["[y/N] ", "y\n"],
            ["sent): ", "ada@example.com\n"],
          ],
          "piped",
        );
        expect(output).toContain("Nothing was sent or kept.\ndone\n");
        expect(installation.list("opt/telemetry")).toEqual(["receipts.ndjson"]);
      } finally {
        rmSync(temporary, { recursive: true, force: true });
        installation.remove();
      }
    });
  });
