/** Defines the interface through which the tests call a client and read what it reports. */
import type { JsonObject } from "@candor/envelope";

/** One call of the Segment spec, limited to what the types of both clients allow. */
export type Call = TrackCall | ViewCall | IdentifyCall | GroupCall | AliasCall;

interface CallBase {
  readonly userId: string;
  readonly anonymousId?: string;
  readonly context?: JsonObject;
  /** When the event happened. Default: when the client is called. */
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
  /** The collector's URL, without a path. */
  readonly url: string;
  readonly writeKey: string;
  /** How many times a failed request is retried. Default: that of the client (Segment 10, RudderStack 3). */
  readonly retries?: number;
  /** RudderStack only: whether request bodies are gzipped. Default: true, as in the client itself. */
  readonly gzip?: boolean;
}

/** What a client's callback received for one call: an error, or undefined for success. */
export interface Outcome {
  readonly error: unknown;
}

/** The common interface to Segment's and RudderStack's clients, so that the same tests run on both. */
export interface OfficialClient {
  /** Hands a call to the client. Resolves when the client calls back for it; never rejects. */
  send(call: Call): Promise<Outcome>;
  /** Resolves when the client has called back for every call that it received. */
  close(): Promise<void>;
  /**
   * Errors reported outside the callbacks: Segment's `error` events, or calls to RudderStack's errorHandler.
   */
  readonly reported: readonly unknown[];
  /** The number of requests that were retries. */
  retryCount(): number;
}
