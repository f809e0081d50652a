/**
 * Makes one instance of the story: what it is, how long it lives, and when it is upgraded, down or copied.
 */
import { createRandom, type Random } from "./random.ts";
import {
  DAY_MS,
  HOUR_MS,
  type Instance,
  type Person,
  PLUGINS,
  type Release,
  ROLES,
  releaseAt,
  type Span,
  type Start,
  type StoryBase,
  UPGRADE_HABITS,
} from "./story.ts";

type Role = (typeof ROLES)[number];

/** The role of CI instances. Does not compile if ROLES[3] is another role. */
const CI: Extract<Role, { readonly role: "ci" }> = ROLES[3];

/**
 * The tables' lives and upgrade times are for a story of this length. For other lengths they are scaled,
 * except the lives of roles that run for at most three days.
 */
const FULL_WEEKS = 26;
/** The share of servers and test instances that already run when the story begins. */
const THERE_BEFORE = 0.4;
/**
 * One in this many instances is copied, if it is a server that lives long enough and whose operator did not
 * refuse.
 */
const COPIED_EVERY = 40;
const LEAST_COPIED_MS = 4 * DAY_MS;
const MAX_PEOPLE = 5;
/** How many hours before the story's end the last CI instance starts. */
const LAST_CI_HOURS = { least: 1, most: 4 };

export function makeInstance(base: StoryBase, number: number): Instance {
  const random = createRandom(`${base.seed}/instance/${number}`);
  // CI runs every day, so the last of several instances is always a CI instance that is alive at the story's end.
  const isLastCi = number === base.instances - 1 && number > 0;
  const picked = random.pickRow(ROLES);
  const role = isLastCi ? CI : picked;
  const isServer = role.role === "server" || role.role === "test";
  const isThereBefore = isServer && random.isLikely(THERE_BEFORE);
  const life = isLastCi ? makeLastLife(base, random) : makeLife(base, role, isThereBefore, random);
  const isFromInstaller = !isThereBefore && role.role !== "ci" && random.isLikely(0.85);
  const isRefused = role.role === "server" && random.isLikely(0.04);
  const isMac = role.role === "development" && random.isLikely(0.3);
  return {
    number,
    key: random.hex(64),
    role: role.role,
    environment: role.environment,
    edition: random.isLikely(0.15) ? "enterprise" : "community",
    os: isMac ? "darwin" : "linux",
    arch: isMac || random.isLikely(0.12) ? "arm64" : "x64",
    runtime: random.pick(["node-20", "node-20", "node-22", "node-22", "node-24"]),
    life,
    starts: makeStarts(base, role, life, random),
    outages: isServer ? makeOutages(life, random) : [],
    copy: makeCopy(base, { role, number, life, isRefused }, random),
    installId: isFromInstaller ? random.hex(32) : undefined,
    isRefused,
    actionsPerDay: role.actionsPerDay * random.factor(0.7),
    plugins: makePlugins(random),
    people: random.isLikely(0.4) && role.role !== "ci" ? makePeople(random) : [],
  };
}

function makeLife(base: StoryBase, role: Role, isThereBefore: boolean, random: Random): Span {
  const { fromMs, toMs, weeks } = base;
  const [least, most] = role.days;
  // Most servers outlive the story. The others leave early: the square favours short lives.
  const days = least + random.next() ** 2 * (most - least);
  const isShort = most <= 3;
  const lengthMs = days * DAY_MS * (isShort ? 1 : weeks / FULL_WEEKS);
  const staysToTheEnd = role.role === "server" && random.isLikely(0.62);
  // The exponent below 1 favours late births, because the product grows.
  const bornMs = isThereBefore
    ? fromMs + random.between(0, 6 * HOUR_MS)
    : fromMs + random.next() ** 0.8 * (toMs - fromMs - DAY_MS);
  const goneMs = staysToTheEnd ? toMs : Math.min(bornMs + lengthMs, toMs);
  // Some of the instances that would reach the end stop up to 20 days before it. They count as late or
  // lapsed, not as gone.
  const isLost = goneMs === toMs && random.isLikely(0.07);
  const lostMs = toMs - random.pick([10 * HOUR_MS, 20 * HOUR_MS, 3 * DAY_MS, 9 * DAY_MS, 20 * DAY_MS]);
  return { fromMs: bornMs, toMs: isLost && lostMs > bornMs + DAY_MS ? lostMs : goneMs };
}

function makeLastLife({ toMs }: StoryBase, random: Random): Span {
  return { fromMs: toMs - random.between(LAST_CI_HOURS.least, LAST_CI_HOURS.most) * HOUR_MS, toMs };
}

/** Makes the first start, and one start for each upgrade. */
function makeStarts(base: StoryBase, role: Role, life: Span, random: Random): readonly [Start, ...Start[]] {
  const { releases, weeks } = base;
  const { habit, medianDays } = random.pickRow(UPGRADE_HABITS);
  const isTester = role.role === "development" && random.isLikely(0.4);
  const first: Start = { atMs: life.fromMs, release: releaseAt(base, life.fromMs), boot: random.hex(16) };
  const starts: [Start, ...Start[]] = [first];
  let running: Release = first.release;
  for (const [at, release] of releases.entries()) {
    const lagDays = release.isPre ? 1 : medianDays * random.factor(0.8) * (weeks / FULL_WEEKS);
    const atMs = release.atMs + lagDays * DAY_MS;
    const next = releases.slice(at + 1).find(({ isPre }) => !isPre);
    const isWanted = release.isPre ? isTester : habit !== "never" || running.isPre;
    // An operator who is this late installs the newer release instead.
    const isOvertaken = next !== undefined && atMs > next.atMs + DAY_MS;
    const isLater = releases.indexOf(running) < at;
    if (!isWanted || isOvertaken || !isLater || !Number.isFinite(atMs)) continue;
    const last = starts.at(-1) ?? first;
    const startMs = Math.max(atMs, last.atMs + HOUR_MS);
    if (startMs >= life.toMs || release.atMs < life.fromMs) continue;
    starts.push({ atMs: startMs, release, boot: random.hex(16) });
    running = release;
  }
  return starts;
}

/** Makes the times at which the instance is down; most instances have none. */
function makeOutages(life: Span, random: Random): readonly Span[] {
  const count = random.isLikely(0.35) ? random.wholeBetween(1, 3) : 0;
  return Array.from({ length: count }, () => {
    const fromMs = random.between(life.fromMs, life.toMs);
    return { fromMs, toMs: fromMs + random.between(2, 40) * HOUR_MS };
  });
}

interface Copied {
  readonly role: Role;
  readonly number: number;
  readonly life: Span;
  readonly isRefused: boolean;
}

function makeCopy(
  base: StoryBase,
  { role, number, life, isRefused }: Copied,
  random: Random,
): Instance["copy"] {
  const lengthMs = life.toMs - life.fromMs;
  const isOne =
    role.role === "server" && !isRefused && lengthMs >= LEAST_COPIED_MS && number % COPIED_EVERY === 1;
  if (!isOne) return undefined;
  const atMs = life.fromMs + lengthMs * random.between(0.3, 0.6);
  const toMs = atMs + (life.toMs - atMs) * random.between(0.4, 1);
  const start = { atMs, release: releaseAt(base, life.fromMs), boot: random.hex(16) };
  return { life: { fromMs: atMs, toMs }, start };
}

function makePlugins(random: Random): Instance["plugins"] {
  const count = random.wholeBetween(1, 3);
  return [...new Set(Array.from({ length: count }, () => random.pickRow(PLUGINS)))];
}

function makePeople(random: Random): readonly Person[] {
  return Array.from({ length: random.wholeBetween(1, MAX_PEOPLE) }, (_, number) => ({
    number,
    browserId: random.uuid(),
    visitsPerWeek: 1.2 * random.factor(0.7),
    isBuilder: number === 0 || random.isLikely(0.3),
    hasPrivacySignal: random.isLikely(0.06),
  }));
}
