export const SOURCES = ["installer", "server", "client"] as const;
export type Source = (typeof SOURCES)[number];

/** What a source needs before it may send: that people were told, or that they said Yes. */
export const RULES = ["notice", "opt-in"] as const;
export type Rule = (typeof RULES)[number];

/** All that a decision is made of. Whoever asks has read it afresh; nothing in here is read by the decision itself. */
export interface Facts {
  /** The plan's `product`: a policy file names it. */
  readonly product: string;
  readonly switches: Switches;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Text of `/etc/candor/policy`. Undefined: no such file. Null: it is there and cannot be read. */
  readonly policy: string | undefined | null;
  /** Text of `receipts.ndjson`. Undefined: no such file. Null: it is there and cannot be read. */
  readonly receipts: string | undefined | null;
  readonly source: Source;
  readonly rule: Rule;
  /** The plan that is in force. `hash`: SHA-256 of what it collects, lower-case hex. */
  readonly plan: { readonly version: number; readonly hash: string };
  /**
   * What the product's own setting says. Undefined: it has none, or no objection. False: the operator turned telemetry off there.
   * Null: the product cannot say yet.
   */
  readonly allowed?: boolean | null | undefined;
  /** Only the source `client` has them. */
  readonly signals?: Signals | undefined;
}

/** Names of environment variables. */
export interface Switches {
  /** Any of them truthy: nothing of this product is sent. */
  readonly disable: readonly string[];
  /** The answer to the question of an opt-in source; undefined: the product has no such variable. */
  readonly optIn: string | undefined;
  /** `off` sends nothing, `log` prints what would be sent; `<PRODUCT>_TELEMETRY`, as `modeSwitch` of `@candor/plan` names it. */
  readonly mode: string;
}

/** What a person's browser says, as it came: properties of `navigator`, or headers at a gateway. */
export interface Signals {
  readonly globalPrivacyControl?: unknown;
  readonly doNotTrack?: unknown;
  /** Header `Sec-GPC`. */
  readonly secGpc?: string | undefined;
  /** Header `DNT`. */
  readonly dnt?: string | undefined;
}
