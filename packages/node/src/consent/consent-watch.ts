import { type Decision, decide, type Facts, type Rule, type Signals } from "@candor/consent";
import type { Source } from "../outbox/outbox-name.ts";
import { readText } from "../state/plain-file.ts";
import { signatureOf } from "../state/state-folder.ts";

/** The decisions about one source, one for each rule that a plan can give an event. */
export type SourceDecisions = Readonly<Record<Rule, Decision>>;

export interface ConsentWatchOptions {
  readonly about: Pick<Facts, "switches" | "plan">;
  /** The product's names: a policy that names one of them holds. */
  readonly products: readonly string[];
  /** Whether the product's opt-in variable answers for a source: it is the answer to the question about that source. */
  readonly hasOptInSwitch: (source: Source) => boolean;
  readonly environment: () => Facts["environment"];
  readonly policyFile: string;
  readonly receiptsFile: string;
  /** Watched as well: when it vanishes, somebody else was told No. */
  readonly instanceFile: string;
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
  readonly #decisions = new Map<Source, SourceDecisions>();
  #look: Look = { policy: undefined, receipts: undefined };

  constructor(options: ConsentWatchOptions) {
    this.#options = options;
    this.look();
  }

  /** Looks again. The text that it returns is another one whenever a decision could be. */
  look(): string {
    const { about, environment, policyFile, receiptsFile, instanceFile } = this.#options;
    const { disable, optIn = "", mode } = about.switches;
    const now = environment();
    const words = [now[disable], now[optIn], now[mode], now.DO_NOT_TRACK, now.CI];
    const files = [policyFile, receiptsFile, instanceFile].map(signatureOf);
    const signature = JSON.stringify([...files, ...words]);
    const { policy, receipts } = this.#look;
    // What could not be read may have been a lack of file descriptors: it is read again each time.
    if (signature === this.#signature && policy !== null && receipts !== null) return this.#version();
    this.#look = { policy: readText(policyFile, { mayBeLink: true }), receipts: readText(receiptsFile) };
    this.#signature = signature;
    this.#decisions.clear();
    return this.#version();
  }

  #version(): string {
    const { policy, receipts } = this.#look;
    return `${this.#signature} ${policy === null} ${receipts === null}`;
  }

  /** The decisions about a source, from the last look; those without a browser's signals are made once for each look. */
  decisionsOf(source: Source, signals?: Signals): SourceDecisions {
    const known = signals === undefined ? this.#decisions.get(source) : undefined;
    if (known !== undefined) return known;
    const decisions = this.#decideAll(source, signals, this.#options.environment());
    if (signals === undefined) this.#decisions.set(source, decisions);
    return decisions;
  }

  /**
   * For `log` mode: the decisions as they would be without it, where one of them allows something. Else, when nobody has
   * answered yet, those that say `log_mode`: everything is shown to whoever is to answer.
   */
  printedDecisionsOf(source: Source): SourceDecisions {
    const { about, environment } = this.#options;
    const unlogged = { ...environment(), [about.switches.mode]: undefined };
    const decisions = this.#decideAll(source, undefined, unlogged);
    const isAnswered = decisions.notice.allow || decisions["opt-in"].allow;
    return isAnswered ? decisions : this.decisionsOf(source);
  }

  #decideAll(
    source: Source,
    signals: Signals | undefined,
    environment: Facts["environment"],
  ): SourceDecisions {
    const { about, products, hasOptInSwitch } = this.#options;
    const switches = hasOptInSwitch(source) ? about.switches : { ...about.switches, optIn: undefined };
    const facts = { ...about, ...this.#look, switches, environment, source, signals };
    const decideRule = (rule: Rule): Decision => {
      const decisions = products.map((product) => decide({ ...facts, rule, product }));
      const [first] = decisions;
      return decisions.find(({ allow }) => !allow) ?? first ?? { allow: false, reason: "notice_missing" };
    };
    return { notice: decideRule("notice"), "opt-in": decideRule("opt-in") };
  }
}
