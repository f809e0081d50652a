/** Excludes the instances that send from the maker's own networks, each by its id, when it sends. */
import { SingleFlight } from "@candor/envelope/concurrency";
import { truncateAddress } from "@candor/plan/runtime";
import type { Store } from "../store/client.ts";
import { retryUntilDone } from "../store/retry.ts";
import { exclude, hashNetwork, readExclusions } from "./exclusions.ts";

/** Limits what is remembered. Instances beyond this are not excluded by their network. */
const MAX_INSTANCES = 10_000;

export interface OwnNetworks {
  /**
   * To be called with each kept message of an instance's server. Excludes the instance in the background if the
   * address is in one of the networks, unless the maker has already decided about the instance.
   * @param instanceOf reads the instance's id from the message; not called while there are no networks
   */
  see(address: string, instanceOf: () => string | undefined): void;
  /** Reads the networks from the store again. Rejects while the store is unreachable. */
  reload(): Promise<void>;
  close(): void;
}

export interface OwnNetworksOptions {
  readonly store: Store;
  readonly pseudonym: (value: string) => string;
  readonly now: () => number;
}

/** Reads the networks in the background, again until the store answers. */
export function openOwnNetworks({ store, pseudonym, now }: OwnNetworksOptions): OwnNetworks {
  const closing = new AbortController();
  const { signal } = closing;
  /** The maker's reasons, by the networks' hashes. */
  let networks = new Map<string, string>();
  /** Instances about which the maker has decided, or that are excluded already. */
  let decided = new Set<string>();
  const waiting = new Map<string, string>();
  const reload = async (): Promise<void> => {
    const rows = await readExclusions(store);
    const known = await store.query(
      `SELECT DISTINCT instance FROM exclusions WHERE instance != '' LIMIT ${MAX_INSTANCES}`,
    );
    networks = new Map(
      rows.filter(({ network }) => network !== "").map(({ network, why }) => [String(network), String(why)]),
    );
    decided = new Set([...known.map(({ instance }) => String(instance)), ...waiting.keys()]);
  };
  const storing = new SingleFlight(() =>
    retryUntilDone(async () => {
      for (const [instance, reason] of waiting) {
        await exclude(store, { who: { instance }, reason, isExcluded: true }, now(), pseudonym);
        waiting.delete(instance);
      }
    }, signal),
  );
  void retryUntilDone(reload, signal);
  return {
    see: (address, instanceOf) => {
      if (networks.size === 0) return;
      const instance = instanceOf();
      if (instance === undefined || decided.has(instance) || decided.size >= MAX_INSTANCES) return;
      const network = truncateAddress(address);
      const reason = network === "" ? undefined : networks.get(hashNetwork(network, pseudonym));
      if (reason === undefined) return;
      decided.add(instance);
      waiting.set(instance, `from a network: ${reason}`);
      void storing.runAfresh();
    },
    reload,
    close: () => closing.abort(),
  };
}
