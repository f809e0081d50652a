/** Defines the messages between the benchmark and the process with one SDK. */

export const SDK_NAMES = ["candor", "segment", "posthog", "rudder"] as const;
export type SdkName = (typeof SDK_NAMES)[number];

/** `none`: the same process without an SDK, which every added cost is measured against. */
export type Subject = SdkName | "none";

export type Place = {
  /** The collector's address, `http://127.0.0.1:<port>`. */
  readonly host: string;
  /** An empty folder; the first and the second process of one product share it. */
  readonly stateDir: string;
  /** Candor's plan as JSON, `{hash, content}`: a product gets it as a generated module. */
  readonly planFile: string;
};

/** How the process ends after its last call. `killed` and `kept`: it stays until the parent ends it. */
export type Ending = "killed" | "exit" | "main ends" | "kept";

export type BurstTask = {
  readonly role: "burst";
  readonly burstCalls: number;
  readonly bursts: number;
  readonly warmupBursts: number;
  readonly pauseMs: number;
  /** No burst begins later than this; three are measured in any case. */
  readonly limitMs: number;
};
export type PaceTask = {
  readonly role: "pace";
  readonly callsPerS: number;
  readonly durationMs: number;
  readonly warmupMs: number;
};
export type LoseTask = {
  readonly role: "lose";
  readonly calls: number;
  readonly durationMs: number;
  readonly ending: Ending;
};
/** The product's next start: one event, marked so that it is not counted, and then nothing. */
export type RestartTask = { readonly role: "restart" };
export type Task = BurstTask | PaceTask | LoseTask | RestartTask;

export type Assignment = { readonly subject: Subject; readonly place: Place; readonly task: Task };

export type BurstAnswer = {
  /** Counted until the calls have returned. */
  readonly callsPerS: number;
  /** Counted until the event loop has turned once more, which includes work that an SDK deferred to then. */
  readonly turnedCallsPerS: number;
};
export type PaceAnswer = {
  /** Including those of the warm-up. */
  readonly calls: number;
  /** Without those of the warm-up. */
  readonly callsPerS: number;
  /** Event loop delay from perf_hooks, which includes its resolution of 1 ms. */
  readonly delayMs: { readonly p50: number; readonly p99: number; readonly max: number };
  /** CPU time of all threads, as a share of one core. */
  readonly cpuShare: number;
};
export type LoseAnswer = { readonly calls: number };

/** The answer of each role. A restart has none. */
export type AnswerOf<T extends Task> = T extends BurstTask
  ? BurstAnswer
  : T extends PaceTask
    ? PaceAnswer
    : T extends LoseTask
      ? LoseAnswer
      : never;
