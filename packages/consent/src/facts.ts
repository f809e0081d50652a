/** Defines the facts that a consent decision is made of. */
export const SOURCES = ["installer", "server", "client"] as const;
export type Source = (typeof SOURCES)[number];

/** What a source needs before it may send: that people were told, or that they said Yes. */
export const RULES = ["notice", "opt-in"] as const;
export type Rule = (typeof RULES)[number];

/** Everything a decision depends on. The caller has just read it; the decision itself reads nothing. */
export interface Facts {
  /** The plan's `product`, by which a policy file may name it. */
  readonly product: string;
  readonly switches: Switches;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Text of `/etc/candor/policy`; undefined if there is no such file, null if it cannot be read. */
  readonly policy: string | undefined | null;
  /** Text of `receipts.ndjson`; undefined if there is no such file, null if it cannot be read. */
  readonly receipts: string | undefined | null;
  readonly source: Source;
  readonly rule: Rule;
  /** The plan in force. `hash`: SHA-256 of what it collects, lower-case hex. */
  readonly plan: { readonly version: number; readonly hash: string };
  /**
   * The product's own setting: undefined if it has none or does not object, false if the operator turned telemetry
   * off there, null if the product cannot say yet.
   */
  readonly allowed?: boolean | null | undefined;
  /** Only for the source `client`. */
  readonly signals?: Signals | undefined;
}

/** Names of environment variables. */
export interface Switches {
  /** If any of them is truthy, nothing of this product is sent. */
  readonly disable: readonly string[];
  /** Holds the answer for an opt-in source; undefined if the product has no such variable. */
  readonly optIn: string | undefined;
  /**
   * `off` sends nothing, `log` prints what would be sent; named `<PRODUCT>_TELEMETRY` by `modeSwitch` of
   * `@candor/plan`.
   */
  readonly mode: string;
}

/** What a person's browser says, unparsed: properties of `navigator`, or headers at a gateway. */
export interface Signals {
  readonly globalPrivacyControl?: unknown;
  readonly doNotTrack?: unknown;
  /** The `Sec-GPC` header. */
  readonly secGpc?: string | undefined;
  /** The `DNT` header. */
  readonly dnt?: string | undefined;
}
