/** Defines the facts on which a consent decision is based. */

export const SOURCES = ["installer", "server", "client"] as const;
export type Source = (typeof SOURCES)[number];

/** What a source needs before it may send: people have been notified, or have said Yes. */
export const RULES = ["notice", "opt-in"] as const;
export type Rule = (typeof RULES)[number];

/** Everything on which a decision depends, as the caller has just read it. */
export interface Facts {
  /** The plan's `product`, the name by which a policy file refers to it. */
  readonly product: string;
  readonly switches: Switches;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** The text of `/etc/candor/policy`; undefined if there is no such file, null if it cannot be read. */
  readonly policy: string | undefined | null;
  /** The text of `receipts.ndjson`; undefined if there is no such file, null if it cannot be read. */
  readonly receipts: string | undefined | null;
  readonly source: Source;
  readonly rule: Rule;
  /** The plan in force. `hash` is the SHA-256 of what the plan collects, in lower-case hex. */
  readonly plan: { readonly version: number; readonly hash: string };
  /**
   * The product's own setting: false if the operator turned telemetry off there, null if the product cannot
   * tell yet. True, or undefined if there is no such setting, does not deny.
   */
  readonly allowed?: boolean | null | undefined;
  /** Counts only for the source `client`. */
  readonly signals?: Signals | undefined;
}

/** The names of the product's environment variables. */
export interface Switches {
  /**
   * If any of these variables has a value that is neither empty nor a No, nothing of this product is sent.
   */
  readonly disable: readonly string[];
  /**
   * The variable that contains the answer for an opt-in source; undefined if the product has no such
   * variable.
   */
  readonly optIn: string | undefined;
  /**
   * The mode variable. With the value `off`, or any other No, nothing is sent; with `log`, messages are
   * printed instead of sent. Its name is `<PRODUCT>_TELEMETRY`, from `modeSwitch` of `@candor/plan`.
   */
  readonly mode: string;
}

/** The unparsed privacy signals of a person's browser: properties of `navigator`, or headers at a gateway. */
export interface Signals {
  readonly globalPrivacyControl?: unknown;
  readonly doNotTrack?: unknown;
  /** The `Sec-GPC` header. */
  readonly secGpc?: string | undefined;
  /** The `DNT` header. */
  readonly dnt?: string | undefined;
}
