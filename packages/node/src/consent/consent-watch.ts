import { statSync } from "node:fs";
import { type Decision, decide, type Facts, type Rule, type Signals } from "@candor/consent";
import type { Source } from "../outbox/outbox-file.ts";
import { readText } from "../state/state-folder.ts";

/** The decisions about one source, one for each rule that a plan can give an event. */
export type SourceDecisions = Readonly<Record<Rule, Decision>>;

export interface ConsentWatchOptions {
  readonly about: Pick<Facts, "product" | "switches" | "plan">;
  readonly environment: () => Facts["environment"];
  readonly policyFile: string;
  readonly receiptsFile: string;
}

/** What the files and the environment say, as of one look. */
interface Look {
  readonly policy: Facts["policy"];
  readonly receipts: Facts["receipts"];
}

/**
 * Decides from what the environment, the policy and the stored answers say now. The files are read again only when they
 * changed, so that it can be asked before each write and each post.
 */
export class ConsentWatch {
  readonly #options: ConsentWatchOptions;
  #signature = "";
  #look: Look = { policy: undefined, receipts: undefined };

  constructor(options: ConsentWatchOptions) {
    this.#options = options;
    this.look();
  }

  /** Looks again. The text that it returns is another one whenever a decision could be. */
  look(): string {
    const { about, environment, policyFile, receiptsFile } = this.#options;
    const { disable, optIn = "", mode } = about.switches;
    const now = environment();
    const words = [now[disable], now[optIn], now[mode], now.DO_NOT_TRACK, now.CI];
    const signature = JSON.stringify([signatureOf(policyFile), signatureOf(receiptsFile), ...words]);
    if (signature === this.#signature) return signature;
    this.#look = { policy: readText(policyFile), receipts: readText(receiptsFile) };
    this.#signature = signature;
    return signature;
  }

  /** The decisions about a source, from the last look. */
  decisionsOf(source: Source, signals?: Signals): SourceDecisions {
    return {
      notice: this.#decide(source, "notice", signals),
      "opt-in": this.#decide(source, "opt-in", signals),
    };
  }

  #decide(source: Source, rule: Rule, signals: Signals | undefined): Decision {
    const { about, environment } = this.#options;
    return decide({ ...about, ...this.#look, environment: environment(), source, rule, signals });
  }
}

const NO_FILE = { mtimeMs: 0, ctimeMs: 0, size: 0, ino: 0 };

/** Changes whenever the file does: when it was written to, its size, and which file it is. */
function signatureOf(file: string): string {
  try {
    const { mtimeMs, ctimeMs, size, ino } = statSync(file, { throwIfNoEntry: false }) ?? NO_FILE;
    return `${mtimeMs} ${ctimeMs} ${size} ${ino}`;
  } catch {
    return "unreadable";
  }
}
