/** Runs the command `inspect`: describes a state folder, or hashes an id with its secret. */
import { resolve } from "node:path";
import { type ConsentRecord, DENY_REASONS, readPolicy } from "@candor/consent";
import { toFields } from "@candor/envelope/unknown-value";
import type { FolderStatus } from "../inspector/status.ts";
import type { OutboxMessage } from "../outbox/outbox-page.ts";
import { explainFault, explainRefused, untilAllowedMs } from "../send/retry.ts";
import { POLICY_FILE } from "../settings.ts";
import { readInstance } from "../state/instance.ts";
import { openStateFolder } from "../state/state-folder.ts";
import { explainUnreadable, type FolderReport, readFolder } from "./folder-report.ts";
import {
  type Colours,
  coloursFor,
  endWithReader,
  print,
  readTypedLine,
  refuse,
  toSafeJson,
  toSafeText,
} from "./terminal.ts";

const LABEL_CHARS = 18;

export interface InspectOptions {
  readonly json?: boolean | undefined;
  /** Maximum number of messages to show. */
  readonly limit: number;
  /** Whether to read an id from standard input, and print only the hash that the SDK sends instead of it. */
  readonly hash?: boolean | undefined;
}

/**
 * Describes a state folder; with `hash`, prints only the hash of an id. Returns 0, or 2 if the folder does
 * not exist or cannot be read, or if there is no secret or no id to hash.
 */
export async function inspect(
  folder: string,
  { json = false, limit, hash = false }: InspectOptions,
): Promise<number> {
  endWithReader();
  const dir = resolve(folder);
  const fault = await explainUnreadable(dir);
  if (fault !== undefined) return refuse(toSafeText(fault));
  if (hash) return printHash(dir, json);
  const report = await readFolder(dir, limit);
  await print(
    json
      ? `${toSafeJson(JSON.stringify(report))}\n`
      : renderFolder(report, coloursFor(process.stdout), Date.now()),
  );
  return 0;
}

/**
 * Prints the hash that replaces an id in messages. The secret never leaves the folder, so there is no other
 * way to find the hash.
 */
async function printHash(dir: string, json: boolean): Promise<number> {
  const instance = readInstance(openStateFolder(dir).instance);
  if (instance === undefined)
    return refuse(toSafeText(`${dir} holds no instance, so there is no secret to hash with.`));
  const id = await readTypedLine("Id: ");
  if (id === undefined) return refuse("Write one id to standard input, on a line of its own.");
  const hash = instance.keyedHash(id);
  await print(json ? `${JSON.stringify({ hash })}\n` : `${hash}\n`);
  return 0;
}

type Row = readonly [label: string, value: string];

/** Renders a state folder for people: its state, its parts and its messages. */
export function renderFolder(report: FolderReport, colours: Colours, nowMs: number): string {
  const { bold, dim } = colours;
  const part = (title: string, rows: readonly Row[]): string =>
    `${bold(title)}\n${rows.map(([label, value]) => `  ${label.padEnd(LABEL_CHARS)}  ${toSafeText(value)}\n`).join("")}`;
  return [
    `${bold(toSafeText(`Telemetry in ${report.dir}`))}\n  ${toSafeText(toStateSentence(report))}\n`,
    part("Answers", answerRows(report)),
    part("Policy", [[POLICY_FILE, policyOf(report)]]),
    ...(report.status === undefined
      ? []
      : statusParts(report.status).map(([title, rows]) => part(title, rows))),
    part("Instance", instanceRows(report)),
    part("Delivery", deliveryRows(report, nowMs)),
    bold(`Messages, newest first (${report.messages.length} of ${countAll(report)})\n`),
    ...report.messages.map((message) => renderMessage(message, colours)),
    dim(NOT_IN_THE_FOLDER),
  ].join("");
}

const NOT_IN_THE_FOLDER =
  "Not in the folder: the environment of the product's process, which can turn telemetry off as well (this shell's\n" +
  "environment says nothing about it). The page of the product's inspector knows it.\n";

function statusParts({
  product,
  plan,
  switches,
  sources,
}: FolderStatus): readonly (readonly [string, readonly Row[]])[] {
  const planText = `version ${plan.version} of the plan of ${product}, ${plan.hash}`;
  return [
    ["What may be sent", [["plan", planText], ...sources.flatMap(sourceRows)]],
    [
      "The switch",
      [
        [
          "environment",
          `${switches.disable.map((name) => `${name}=true`).join(", ")} or DO_NOT_TRACK=1 turns it off; ${switches.mode}=log prints instead of sending`,
        ],
        ["this machine", `\`off\` in ${POLICY_FILE} turns it off`],
        ["the product", "the page of its inspector stores an answer, which acts at once"],
      ],
    ],
  ];
}

function sourceRows({ source, rules }: FolderStatus["sources"][number]): readonly Row[] {
  return rules.flatMap(({ rule, allow, reason, withheld }): readonly Row[] => {
    const held = (what: string, names: readonly string[]): readonly Row[] =>
      names.length === 0 ? [] : [["", `withheld ${what}: ${names.join(", ")}`]];
    return [
      [source, `${RULE_WORDS[rule]}: ${allow ? "sent" : "withheld"}. ${reason.sentence}`],
      ...held("events", withheld.events),
      ...held("fields", withheld.fields),
    ];
  });
}

const RULE_WORDS = { notice: "events that need a notice", "opt-in": "events that need a Yes" } as const;

/**
 * The state of telemetry, as far as the folder and the machine's policy show it. The end of the report
 * mentions what only the product's process knows.
 */
function toStateSentence({ instance, isInstanceStrange, answers, policy, outbox }: FolderReport): string {
  const word = readPolicy(policy, NO_PRODUCT);
  if (word === "off") return `Off. ${DENY_REASONS.policy_off}`;
  if (word === "unreadable") return `Off. ${DENY_REASONS.policy_unreadable}`;
  if (answers === undefined) return `Off. ${DENY_REASONS.receipt_unreadable}`;
  if (isInstanceStrange) return "instance.json is not of a form that this version of candor knows.";
  const { waiting, sent } = outbox;
  const kept = `Messages that wait: ${waiting.messages}; sent in the last seven days: ${sent.messages}.`;
  return [
    ...toPolicySentences(policy),
    ...answers.map(toAnswerSentence),
    toInstanceSentence(instance !== undefined, answers),
    kept,
  ].join(" ");
}

/** A product's name is never empty, so a policy that applies to the empty name applies to every product. */
const NO_PRODUCT = "";

/**
 * Describes the policy file without knowing the product: the folder names the product only if it contains a
 * plan.
 */
function toPolicySentences(policy: string | undefined | null): readonly string[] {
  const products = linesOf(policy ?? "").map((line) => line.replace(/^off\s+/, ""));
  return products.length === 0 ? [] : [`The policy of this machine turns off: ${products.join(", ")}.`];
}

/** The lines of the policy file, without comments and empty lines. */
function linesOf(policy: string): readonly string[] {
  return policy
    .split("\n")
    .map((line) => line.trimEnd())
    .filter((line) => line !== "" && !line.startsWith("#"));
}

function toAnswerSentence({ source, answer }: ConsentRecord): string {
  return `${source.charAt(0).toUpperCase()}${source.slice(1)}: ${ANSWER_WORDS[answer]}.`;
}

const ANSWER_WORDS = { yes: "on, after a Yes", notice: "on, after a notice", no: "off, after a No" } as const;

function toInstanceSentence(isThere: boolean, answers: readonly ConsentRecord[]): string {
  if (isThere) return "The server has an id here, as of when the product last ran.";
  const ofServer = answers.find(({ source }) => source === "server");
  if (ofServer?.answer === "no") return "The server has no id here.";
  if (ofServer !== undefined)
    return "The server has no id here: it has not begun, or its environment turns it off.";
  return answers.length === 0
    ? "Off, or not begun: the server has no id here."
    : "Server: off, because nobody has answered for it.";
}

function answerRows({ answers }: FolderReport): readonly Row[] {
  if (answers === undefined) return [["receipts.ndjson", DENY_REASONS.receipt_unreadable]];
  if (answers.length === 0) return [["none", "Nobody has answered, and no notice was shown."]];
  return answers.map((answer) => [answer.source, answerText(answer)]);
}

function answerText({ answer, time, by, planVersion }: ConsentRecord): string {
  return `${answer.padEnd(6)}  given ${time} by the ${by}, for version ${planVersion} of the plan`;
}

function policyOf({ policy }: FolderReport): string {
  if (policy === undefined) return "There is none on this machine.";
  if (policy === null) return DENY_REASONS.policy_unreadable;
  const lines = linesOf(policy);
  if (lines.length === 0) return "It says nothing.";
  return `${lines.join(", ")} (\`off\` and \`off <product>\` turn it off; any other line turns everything off)`;
}

function instanceRows({ instance, isInstanceStrange, lastKeepAliveAt }: FolderReport): readonly Row[] {
  if (instance === undefined) {
    return [["none", isInstanceStrange ? "instance.json cannot be understood." : "No id, no key."]];
  }
  return [
    ["id", `${instance.instanceId} (made of a random key at ${instance.createdAt})`],
    ["last heartbeat", lastKeepAliveAt ?? "none yet"],
  ];
}

function deliveryRows(report: FolderReport, nowMs: number): readonly Row[] {
  const { delivery } = report;
  if (!report.isDeliveryNoted) return [outboxRow(report), ["sent to", toNotNoted(report)]];
  const { accepted, refused, expired, overflowed, lastSentAt, lastFault, notBefore, collector } = delivery;
  const faults = lastFault === undefined ? [] : [`${explainFault(lastFault)} (${lastFault})`];
  const pauses =
    untilAllowedMs(notBefore, nowMs) === 0
      ? []
      : [`not before ${notBefore}: the collector asked to be left alone until then`];
  return [
    outboxRow(report),
    ["sent to", collector ?? "nobody yet"],
    ["last sent", lastSentAt ?? "never"],
    ...faults.map((sentence) => ["last try failed", sentence] as const),
    ...pauses.map((sentence) => ["next try", sentence] as const),
    ["accepted", String(accepted)],
    ...Object.entries(refused).map(
      ([reason, count]) => ["refused", `${count} ${reason}: ${explainRefused(reason)}`] as const,
    ),
    ["lost unsent", `${expired} after seven days, ${overflowed} because the outbox was full`],
  ];
}

function outboxRow({ outbox }: FolderReport): Row {
  const files = `${outbox.files} ${outbox.files === 1 ? "file" : "files"}`;
  return ["outbox", `${outbox.bytes} bytes in ${files}; ${outbox.waiting.bytes} bytes wait`];
}

/**
 * Explains why there are no delivery numbers. Without an explanation, the report would seem to say that
 * nothing was ever sent, which is not known.
 */
function toNotNoted({ answers = [], outbox }: FolderReport): string {
  if (outbox.sent.messages > 0) return "not noted: the installer sent by itself, as the messages below say";
  if (answers.some(({ answer }) => answer === "no"))
    return "not known: what was sent before a No was erased here with it";
  return "nobody yet";
}

function countAll({ outbox }: FolderReport): number {
  return outbox.sent.messages + outbox.waiting.messages;
}

function renderMessage({ state, source, line, message }: OutboxMessage, colours: Colours): string {
  const { type, event, name, timestamp } = toFields(message) ?? {};
  const what = [timestamp, type, event ?? name].filter((word) => typeof word === "string").join(" ");
  const paint = state === "sent" ? colours.green : colours.yellow;
  return `  ${paint(state.padEnd(7))}  ${source.padEnd(9)}  ${toSafeText(what)}\n    ${colours.dim(toSafeText(line))}\n`;
}
