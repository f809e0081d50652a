import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { generateCommonJs, generateJavaScript, hashPlan, loadPlan } from "@candor/plan";
import { afterAll, beforeEach, expect, test } from "vitest";

/** The installed command. Its plan commands are tested in a git repository of their own. */
const CANDOR = fileURLToPath(new URL("../../bin/candor.js", import.meta.url));
const PLAN = readFileSync(new URL("../../fixtures/small-plan.yaml", import.meta.url), "utf8");
const MORE = PLAN.replace("enum: [front, back]", "enum: [front, back, cellar]");
const LESS = PLAN.replace("enum: [front, back]", "enum: [front]");
const WORDS = PLAN.replace("Which door.", "Which door it was.");
const GROWN = MORE.replace("\nversion: 1", "\nversion: 2").replace(
  "changelog:",
  'changelog:\n  - version: 2\n    date: "2026-02-02"\n    text: The cellar door counts.',
);

const parent = mkdtempSync(join(tmpdir(), "candor-plan-"));
const repository = join(parent, "it's a repository");
const folder = join(repository, "plans");
afterAll(() => rmSync(parent, { recursive: true, force: true }));
beforeEach(() => {
  rmSync(repository, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  write(PLAN);
});

/**
 * Runs a command with only the given settings. HOME is the test's folder, so that git does not read this
 * user's settings.
 */
function run(command: string, args: readonly string[], settings: Readonly<Record<string, string>> = {}) {
  const env = { PATH: process.env.PATH, HOME: parent, GIT_CEILING_DIRECTORIES: parent, ...settings };
  const { status, stdout, stderr } = spawnSync(command, args, { cwd: repository, env, encoding: "utf8" });
  return { code: status, stdout, stderr };
}

function candor(args: readonly string[], settings?: Readonly<Record<string, string>>) {
  return run(process.execPath, [CANDOR, ...args], settings);
}

function write(plan: string): void {
  writeFileSync(join(folder, "plan.yaml"), plan);
}

function commit(): void {
  const identity = ["-c", "user.name=t", "-c", "user.email=t@example.org"];
  run("git", ["init", "-q"]);
  run("git", ["add", "."]);
  expect(run("git", [...identity, "commit", "-q", "-m", "x"]).code).toBe(0);
}

function check() {
  const { code, stdout } = candor(["plan", "check", "plans/plan.yaml"]);
  return { code, lines: stdout.trimEnd().split("\n") };
}

const SUMMARY = "plans/plan.yaml: Small, version 1; 1 event of server.";
const hashOf = (plan: string) => `Hash of what it collects: ${hashPlan(loadPlan(plan, "plan.yaml"))}`;
const HASH = hashOf(PLAN);
const WRITE_2 =
  "Write `version: 2` and add it to `changelog`: consents for version 1 were given for something else.";
const VERSION_AT = "plans/plan.yaml:4:10 version:";
const MUST_GROW = `The plan's version must grow: event track Opened: properties.door: It takes more values: \`cellar\`. ${WRITE_2}`;
const FEWER = "  event track Opened: properties.door: It takes fewer values, without `back`.";
const MUST_GROW_TOO = `The plan's version must grow:${FEWER.slice(1)} ${WRITE_2}`;
const CELLAR = [
  "",
  "Newly collected",
  "  event track Opened: properties.door: It takes more values: `cellar`.",
  "",
];

test("check reports all errors of a plan at once, with file, line and column", () => {
  write(PLAN.replace("consent: notice", "consent: maybe").replace("type: string", "type: text"));
  const { code, lines } = check();
  expect([code, lines.map((line) => line.split(" ")[0])]).toEqual([
    1,
    ["plans/plan.yaml:18:14", "plans/plan.yaml:30:15", "2"],
  ]);
  const answer = JSON.parse(candor(["plan", "check", "--json", "plans/plan.yaml"]).stdout);
  expect([answer.ok, answer.faults.map(({ path }: { path: string }) => path)]).toEqual([
    false,
    ["sources.server.consent", "events[0].properties.door.type"],
  ]);
});

test("check summarises a valid plan, also without a repository or a commit", { tags: ["git"] }, () => {
  const uncompared = "Not compared with an earlier version:";
  const before = check();
  expect([before.code, ...before.lines.slice(0, 2)]).toEqual([0, SUMMARY, HASH]);
  expect(before.lines[2]?.startsWith(`${uncompared} not a git repository`)).toBe(true);
  run("git", ["init", "-q"]);
  expect(check()).toEqual({ code: 0, lines: [SUMMARY, HASH, `${uncompared} it is not committed yet.`] });
  commit();
  expect(check()).toEqual({
    code: 0,
    lines: [SUMMARY, HASH, `${uncompared} git has no earlier version of it.`],
  });
  expect(candor(["plan", "check", "plans/plan.yaml"], { PATH: "/nowhere" }).stdout).toContain(
    `${uncompared} git is not installed.`,
  );
});

test("check says what needs attention and still passes", () => {
  write(
    PLAN.replace("retention_days: 30", "retention_days: 30\n    mode: observe\n    ip: keep").replace(
      "why:",
      'expires: "2020-01-01"\n    why:',
    ),
  );
  const { code, lines } = check();
  expect([code, lines.slice(2, -1)]).toEqual([
    0,
    [
      "Attention  source server: It is in mode observe: undeclared data is kept.",
      "Attention  source server: It keeps whole IP addresses.",
      "Attention  event track Opened: It expired on 2020-01-01 and is dropped. Renew `expires`, or remove the event from the plan.",
    ],
  ]);
});

test("check refuses a plan that collects something else under the same version, until the version grows", {
  tags: ["git"],
}, () => {
  commit();
  write(MORE);
  expect(check()).toEqual({
    code: 1,
    lines: [
      SUMMARY,
      hashOf(MORE),
      "Compared with HEAD: 1 difference.",
      ...CELLAR,
      `${VERSION_AT} ${MUST_GROW}`,
    ],
  });
  const answer = JSON.parse(candor(["plan", "check", "--json", "plans/plan.yaml"]).stdout);
  expect(answer).toMatchObject({
    ok: false,
    file: "plans/plan.yaml",
    faults: [{ file: "plans/plan.yaml", path: "version", message: MUST_GROW }],
    plan: { product: "Small", version: 1, hash: hashOf(MORE).slice(-64) },
    history: { revision: "HEAD", differences: [{ kind: "newly_collected" }], problem: MUST_GROW },
  });
  write(LESS);
  expect(check()).toEqual({
    code: 1,
    lines: [
      SUMMARY,
      hashOf(LESS),
      "Compared with HEAD: 1 difference.",
      "",
      "Less",
      FEWER,
      "",
      `${VERSION_AT} ${MUST_GROW_TOO}`,
    ],
  });
  write(WORDS);
  expect(check()).toEqual({
    code: 0,
    lines: [
      SUMMARY,
      HASH,
      "Compared with HEAD: 1 difference.",
      "",
      "Other",
      "  event track Opened: properties.door: Changed: `description`.",
    ],
  });
  write(GROWN);
  const grown = check();
  expect([grown.code, grown.lines.slice(3, 6)]).toEqual([0, CELLAR.slice(0, 3)]);
});

test("check finds a change that any commit hid under one version, not only the last", {
  tags: ["git"],
}, () => {
  commit();
  write(MORE);
  commit();
  writeFileSync(join(repository, "other"), "");
  commit();
  const masked = () => {
    const { code, lines } = check();
    return [code, lines[2]?.replace(/[0-9a-f]{12}/, "HASH"), lines.at(-1)];
  };
  const found = [1, "Compared with HASH: 1 difference.", `${VERSION_AT} ${MUST_GROW}`];
  expect(masked()).toEqual(found);
  for (const about of ["one", "two", "three"]) {
    write(MORE.replace("Which door.", `Which door, ${about}.`));
    commit();
  }
  write(MORE);
  commit();
  expect(masked()).toEqual(found);
  write(GROWN);
  commit();
  expect(check().code).toBe(0);
  write(GROWN.replace("enum: [front, back, cellar]", "enum: [front, back, cellar, roof]"));
  commit();
  write(
    GROWN.replace("enum: [front, back, cellar]", "enum: [front, back, cellar, roof]").replace(
      "Which door.",
      "Which.",
    ),
  );
  commit();
  expect([check().code, check().lines.at(-1)?.includes("`roof`")]).toEqual([1, true]);
});

test("check compares with the first commit of a version that was reverted and introduced again", {
  tags: ["git"],
}, () => {
  const roof = GROWN.replace("enum: [front, back, cellar]", "enum: [front, back, cellar, roof]");
  for (const plan of [PLAN, GROWN, PLAN, roof]) {
    write(plan);
    commit();
  }
  const { code, lines } = check();
  expect([code, lines.at(-1)?.includes("The plan's version must grow: ")]).toEqual([1, true]);
  expect(lines.at(-1)).toContain("It takes more values: `roof`.");
  write(PLAN);
  expect(check().lines.at(-1)).toBe(`${VERSION_AT} The plan's version fell from 2 to 1. Write 2 or more.`);
  commit();
  expect(check().code).toBe(1);
});

test.each([
  ["in double quotes", '"version": 1'],
  ["in single quotes", "'version': 1"],
  ["with a blank before the colon", "version : 1"],
  ["with a comment", "version: 1 # the first"],
])("check finds a hidden change if the key `version` is written %s", { tags: ["git"] }, (_, key) => {
  const written = (plan: string) => plan.replace("\nversion: 1", `\n${key}`);
  for (const plan of [PLAN, MORE, MORE.replace("Which door.", "Which.")]) {
    write(written(plan));
    commit();
  }
  const { code, lines } = check();
  expect([code, lines.at(-1)?.includes(MUST_GROW)]).toEqual([1, true]);
});

/** Makes a repository with one file, plans/plan.yaml, and with one commit for each of its contents. */
function importHistory(plans: readonly string[]): void {
  run("git", ["init", "-q", "-b", "main"]);
  const stream = plans.map((plan, index) => {
    const size = Buffer.byteLength(plan);
    return `commit refs/heads/main\ncommitter t <t@example.org> ${1_700_000_000 + index} +0000\ndata 1\nx\nM 644 inline plans/plan.yaml\ndata ${size}\n${plan}\n`;
  });
  const env = { PATH: process.env.PATH, HOME: parent };
  const input = stream.join("");
  expect(spawnSync("git", ["fast-import", "--quiet"], { cwd: repository, env, input }).status).toBe(0);
  run("git", ["reset", "-q", "--hard", "main"]);
}

const CUT = " The version may be older: only the file's last 200 commits are read.";

test.each([
  ["200 commits, all read", 199, 1, ""],
  ["201 commits, the first not read", 200, 0, CUT],
])(
  "check says if it did not read back to where the version was introduced: %s",
  { tags: ["git"] },
  (_, later, code, cut) => {
    const about = Array.from({ length: later }, (_, index) =>
      MORE.replace("Which door.", `Which door, ${index}.`),
    );
    importHistory([PLAN, ...about]);
    const result = check();
    expect(result.code).toBe(code);
    const compared = /^Compared with [0-9a-f]{12}: \d differences?\.(.*)$/.exec(result.lines[2] ?? "");
    expect(compared?.[1]).toBe(cut);
  },
);

test("check says if a clone lacks the commit that introduced the version", { tags: ["git"] }, () => {
  importHistory([PLAN, MORE, MORE.replace("Which door.", "Which.")]);
  const clone = join(repository, "clone");
  expect(run("git", ["clone", "-q", "--depth", "2", `file://${repository}`, clone]).code).toBe(0);
  const named = join(clone, "plans/plan.yaml");
  const { code, stdout } = candor(["plan", "check", named]);
  expect(code).toBe(0);
  const why = "git has the last commits only; fetch the whole history";
  expect(stdout).toContain(`: 1 difference. The version may be older: ${why}.\n`);
  const { history } = JSON.parse(candor(["plan", "check", "--json", named]).stdout);
  expect([history.revision === null, history.why]).toEqual([false, why]);
});

test("check works in a git hook whose environment names another folder", {
  tags: ["git"],
}, () => {
  commit();
  write(MORE);
  const hook = { GIT_DIR: ".git", GIT_INDEX_FILE: ".git/index" };
  expect(candor(["plan", "check", "plans/plan.yaml"], hook).code).toBe(1);
});

test("check says when it cannot compare because a clone has the last commit only", { tags: ["git"] }, () => {
  commit();
  write(MORE);
  commit();
  const clone = join(repository, "clone");
  expect(run("git", ["clone", "-q", "--depth", "1", `file://${repository}`, clone]).code).toBe(0);
  const { code, stdout } = candor(["plan", "check", join(clone, "plans/plan.yaml")]);
  expect(code).toBe(0);
  expect(stdout).toContain("git has the last commits only; fetch the whole history.");
});

test("check and describe use CANDOR_PLAN, or else the Appsmith plan, if no file is named", () => {
  const settings = { CANDOR_PLAN: "plans/plan.yaml" };
  expect(candor(["plan", "check"], settings).stdout).toContain(SUMMARY);
  expect(candor(["plan", "describe"], settings).stdout).toContain("# What Small collects");
  expect(candor(["plan", "describe"]).stdout).toContain("# What Appsmith collects");
  const absent = candor(["plan", "check", "absent.yaml"]);
  expect([absent.code, absent.stdout]).toEqual([1, ""]);
  expect(absent.stderr).toContain("The plan absent.yaml cannot be read (ENOENT).");
});

test("diff shows what differs between two files and fails if the version hides it", () => {
  writeFileSync(join(repository, "old.yaml"), PLAN);
  const diff = (plan: string, ...options: string[]) => {
    write(plan);
    return candor(["plan", "diff", ...options, "old.yaml", "plans/plan.yaml"]);
  };
  const change = CELLAR.slice(1).join("\n");
  expect(diff(MORE)).toEqual({ code: 1, stdout: `${change}\n${MUST_GROW}\n`, stderr: "" });
  const grown = diff(GROWN);
  expect(grown.code).toBe(0);
  expect(grown.stdout).toContain(change);
  expect(grown.stdout).toContain("\nThe version grew from 1 to 2.\n");
  expect(diff(LESS)).toMatchObject({ code: 1, stdout: `Less\n${FEWER}\n\n${MUST_GROW_TOO}\n` });
  expect(diff(WORDS).stdout).toContain("\nNo new version is needed; both are version 1.\n");
  expect(diff(PLAN)).toEqual({ code: 0, stdout: "Nothing differs.\n", stderr: "" });
  expect(JSON.parse(diff(MORE, "--json").stdout)).toMatchObject({
    ok: false,
    older: { name: "old.yaml", version: 1 },
    newer: { name: "plans/plan.yaml", version: 1 },
    differences: [{ kind: "newly_collected", needsNewVersion: true }],
    problem: MUST_GROW,
  });
});

test("diff accepts a revision as git writes it and reports an unknown one", { tags: ["git"] }, () => {
  commit();
  write(MORE);
  expect(candor(["plan", "diff", "HEAD:plans/plan.yaml", "plans/plan.yaml"]).code).toBe(1);
  expect(candor(["plan", "diff", "HEAD:plans/plan.yaml", "HEAD:./plans/plan.yaml"]).code).toBe(0);
  const unknown = candor(["plan", "diff", "absent:plans/plan.yaml", "plans/plan.yaml"]);
  expect([unknown.code, unknown.stdout]).toEqual([1, ""]);
  expect(unknown.stderr).toMatch(/^The plan absent:plans\/plan\.yaml cannot be read \(.*absent.*\)/);
});

test("describe prints the page, and finds a stale one with the command that renews it", () => {
  const pages = { "page.md": [], "it's a page.html": ["--html"] };
  for (const [page, options] of Object.entries(pages)) {
    const compare = () => candor(["plan", "describe", "plans/plan.yaml", "--check", page]);
    expect(compare().stderr).toContain(`${page} cannot be read (ENOENT). Run: `);
    const { code, stdout } = candor(["plan", "describe", ...options, "plans/plan.yaml"]);
    expect([code, stdout.includes("&quot;front&quot;") || stdout.includes('"door": "front"')]).toEqual([
      0,
      true,
    ]);
    writeFileSync(join(repository, page), stdout);
    expect(compare()).toEqual({ code: 0, stdout: "", stderr: "" });
    write(LESS);
    const { code: stale, stderr } = compare();
    expect([stale, stderr.split(". Run: ")[0]]).toEqual([1, `${page} is stale`]);
    const command = stderr.split(". Run: npx candor ")[1] ?? "";
    expect(run("sh", ["-c", `"$0" "$1" ${command}`, process.execPath, CANDOR]).code).toBe(0);
    expect(compare().code).toBe(0);
    write(PLAN);
  }
});

test("generate prints code for each language and refuses others", () => {
  const ts = candor(["generate", "ts", "plans/plan.yaml"]);
  expect([ts.code, ts.stdout.includes("export const PLAN_VERSION = 1;")]).toEqual([0, true]);
  const js = candor(["generate", "js", "plans/plan.yaml"]);
  expect([js.code, js.stdout]).toEqual([0, generateJavaScript(loadPlan(PLAN, "plan.yaml"))]);
  const cjs = candor(["generate", "cjs", "plans/plan.yaml"]);
  expect([cjs.code, cjs.stdout]).toEqual([0, generateCommonJs(loadPlan(PLAN, "plan.yaml"))]);
  const sh = candor(["generate", "sh", "plans/plan.yaml"]);
  expect([sh.code, sh.stdout.includes("\nCANDOR_PLAN_VERSION='1'\n")]).toEqual([0, true]);
  expect(run("sh", ["-n", "-c", sh.stdout]).code).toBe(0);
  expect(sh.stderr).toBe("");
  write(PLAN.replaceAll("server", "installer"));
  const gap = candor(["generate", "sh", "plans/plan.yaml"]);
  expect([gap.code, gap.stderr]).toEqual([
    0,
    "source installer: No event `Installation Errors` is declared: a failed install tells nothing.\n",
  ]);
  const other = candor(["generate", "go", "plans/plan.yaml"]);
  expect([other.code, other.stdout]).toEqual([2, ""]);
  expect(other.stderr).toContain("Allowed choices are ts, js, cjs, sh.");
});
