/** Reads figures about processes from /proc. Linux only. Every figure of a process that has ended is 0. */
import { readdirSync, readFileSync } from "node:fs";

const CLOCK_TICKS_A_SECOND = 100;

export function residentBytes(pid: number): number {
  return statusBytes(pid, "VmRSS");
}

export function peakResidentBytes(pid: number): number {
  return statusBytes(pid, "VmHWM");
}

/** User and system time of all threads, including ended ones, since the process started. */
export function cpuMs(pid: number): number {
  return cpuMsIn(statFields(pid));
}

export type Thread = { readonly isMain: boolean; readonly niceness: number; readonly cpuMs: number };

export function threads(pid: number): Thread[] {
  return threadIds(pid).map((id) => {
    const fields = statFields(pid, id);
    return { isMain: id === pid, niceness: Number(fields[16] ?? 0), cpuMs: cpuMsIn(fields) };
  });
}

function threadIds(pid: number): number[] {
  try {
    return readdirSync(`/proc/${pid}/task`).map(Number);
  } catch {
    return [];
  }
}

function cpuMsIn(fields: readonly string[]): number {
  return ((Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) * 1000) / CLOCK_TICKS_A_SECOND;
}

/** Whether the process is running. A zombie counts as ended. */
export function isAlive(pid: number): boolean {
  const [state] = statFields(pid);
  return state !== undefined && state !== "Z" && state !== "X";
}

/** All living descendants, parents before children. */
export function descendants(pid: number): number[] {
  const parents = new Map<number, number>();
  for (const name of readdirSync("/proc")) {
    const candidate = Number(name);
    if (Number.isInteger(candidate) && isAlive(candidate))
      parents.set(candidate, Number(statFields(candidate)[1]));
  }
  const found = [pid];
  for (const ancestor of found)
    for (const [child, parent] of parents) if (parent === ancestor) found.push(child);
  return found.slice(1);
}

/** Whether the process has mapped a file whose path contains the text. */
export function hasMapped(pid: number, text: string): boolean {
  return readProc(pid, "maps").includes(text);
}

/** The command and its arguments, separated by spaces. */
export function commandLine(pid: number): string {
  return readProc(pid, "cmdline").replaceAll("\0", " ").trim();
}

/** The share of one core that each process used between the call and the moment at which `until` resolves. */
export async function cpuShares(pids: readonly number[], until: Promise<unknown>): Promise<number[]> {
  const startAt = performance.now();
  const before = pids.map(cpuMs);
  await until;
  const passedMs = performance.now() - startAt;
  return pids.map((pid, index) => Math.max(0, cpuMs(pid) - (before[index] ?? 0)) / passedMs);
}

/**
 * The fields after the command's name: state, ppid, ... The name itself may contain spaces and parentheses.
 */
function statFields(pid: number, thread?: number): string[] {
  const text = readProc(pid, thread === undefined ? "stat" : `task/${thread}/stat`);
  return text === "" ? [] : text.slice(text.lastIndexOf(")") + 2).split(" ");
}

function statusBytes(pid: number, field: string): number {
  const match = new RegExp(`^${field}:\\s+(\\d+) kB`, "m").exec(readProc(pid, "status"));
  return Number(match?.[1] ?? 0) * 1024;
}

function readProc(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "utf8");
  } catch {
    return "";
  }
}
