import { createReadStream } from "node:fs";
import { isIP } from "node:net";

export interface Address {
  readonly address: string;
  readonly family: 4 | 6;
}

/** Where the operating system keeps it. */
export function hostsFileOf(environment: Readonly<Record<string, string | undefined>>): string {
  if (process.platform !== "win32") return "/etc/hosts";
  return `${environment.SystemRoot ?? "C:\\Windows"}\\System32\\drivers\\etc\\hosts`;
}

/**
 * The addresses that a hosts file gives to a name, in the file's order, IPv4 first. A file that cannot be read has none.
 * Block lists make hosts files of megabytes: it is read in pieces, and only pieces that hold the name are parsed.
 * @param name in lower case, without a dot at its end
 */
export async function readHostsFile(path: string, name: string): Promise<readonly Address[]> {
  const found: Address[] = [];
  let unfinished = "";
  try {
    for await (const chunk of createReadStream(path, { encoding: "latin1" })) {
      const text = unfinished + String(chunk).toLowerCase();
      const end = text.lastIndexOf("\n") + 1;
      unfinished = text.slice(end).slice(0, MAX_LINE_CHARS);
      collect(text.slice(0, end), name, found);
    }
  } catch {
    // As the system's own resolver: no file, no entries.
  }
  collect(unfinished, name, found);
  return [...found.filter(({ family }) => family === 4), ...found.filter(({ family }) => family === 6)];
}

/** A file without line breaks must not be held in memory. */
const MAX_LINE_CHARS = 65_536;

function collect(text: string, name: string, found: Address[]): void {
  if (!text.includes(name)) return;
  for (const line of text.split("\n")) {
    const [address = "", ...names] = (line.split("#", 1)[0] ?? "").trim().split(/\s+/);
    if (!names.some((listed) => listed === name || listed === `${name}.`)) continue;
    const family = isIP(address);
    if (family === 4 || family === 6) found.push({ address, family });
  }
}
