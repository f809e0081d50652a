/** Defines what the tests ask of a client, and what its callbacks reported. */
import type { JsonObject } from "@candor/envelope";

/** One call of the Segment spec, as far as both clients' own types allow it. */
export type Call = TrackCall | ViewCall | IdentifyCall | GroupCall | AliasCall;

interface CallBase {
  readonly userId: string;
  readonly anonymousId?: string;
  readonly context?: JsonObject;
  /** When it happened; default: when the client is called. */
  readonly timestamp?: Date;
}

export interface TrackCall extends CallBase {
  readonly type: "track";
  readonly event: string;
  readonly properties?: JsonObject;
}

interface ViewCall extends CallBase {
  readonly type: "page" | "screen";
  readonly name: string;
  readonly category?: string;
  readonly properties?: JsonObject;
}

interface IdentifyCall extends CallBase {
  readonly type: "identify";
  readonly traits: JsonObject;
}

interface GroupCall extends CallBase {
  readonly type: "group";
  readonly groupId: string;
  readonly traits: JsonObject;
}

interface AliasCall extends CallBase {
  readonly type: "alias";
  readonly previousId: string;
}

export interface ClientOptions {
  /** Where Candor answers, without a path. */
  readonly url: string;
  readonly writeKey: string;
  /** How often a failed request is sent again. Default: the client's own (Segment 10, RudderStack 3). */
  readonly retries?: number;
  /** RudderStack only: whether request bodies are gzipped. Default: true, as its own. */
  readonly gzip?: boolean;
}

/** What a client's callback for one call said: the error it was given, undefined for success. */
export interface Outcome {
  readonly error: unknown;
}

/** What Segment's and RudderStack's clients have in common, so that the same can be asked of each. */
export interface OfficialClient {
  /** Hands a call to the client. Resolves when the client calls back for it; never rejects. */
  send(call: Call): Promise<Outcome>;
  /** Resolves when the client has called back for everything it was handed. */
  close(): Promise<void>;
  /** What it reported apart from the callbacks: Segment's `error` events, calls of RudderStack's errorHandler. */
  readonly reported: readonly unknown[];
  /** How many requests were second or later attempts. */
  retryCount(): number;
}
