/** Defines the benchmark's tasks for the process with one SDK, and the answers to them. */

export const SDK_NAMES = ["candor", "segment", "posthog", "rudder"] as const;
export type SdkName = (typeof SDK_NAMES)[number];

/** `none` is the same process without an SDK, with which every added cost is compared. */
export type Subject = SdkName | "none";

export type Place = {
  /** The collector's address, `http://127.0.0.1:<port>`. */
  readonly host: string;
  /** A folder that is empty at first. The first and the second process of one product share it. */
  readonly stateDir: string;
  /**
   * The path of Candor's plan as JSON, `{hash, content}`. A real product has its plan as a generated module.
   */
  readonly planFile: string;
};

/** How the process ends after its last call. With `killed` and `kept`, it runs until the parent ends it. */
export type Ending = "killed" | "exit" | "main ends" | "kept";

export type BurstTask = {
  readonly role: "burst";
  readonly burstCalls: number;
  readonly bursts: number;
  readonly warmupBursts: number;
  readonly pauseMs: number;
  /** No burst starts later than this after the first one, but at least three bursts are measured. */
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
/** The product's next start, in which it only sends one event, marked so that the event is not counted. */
export type RestartTask = { readonly role: "restart" };
export type Task = BurstTask | PaceTask | LoseTask | RestartTask;

export type Assignment = { readonly subject: Subject; readonly place: Place; readonly task: Task };

export type BurstAnswer = {
  /** Measured until the calls have returned. */
  readonly callsPerS: number;
  /**
   * Measured until the event loop has turned once more, which includes work that an
   * SDK deferred to that turn.
   */
  readonly turnedCallsPerS: number;
};
export type PaceAnswer = {
  /** The number of calls, including those of the warm-up. */
  readonly calls: number;
  /** The rate without the calls of the warm-up. */
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
