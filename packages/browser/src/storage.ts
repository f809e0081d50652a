/**
 * Stores what the SDK keeps in a browser, in localStorage or, if that is blocked, in memory, and creates
 * random ids.
 */

/** Storage whose keys share one prefix. No method throws. */
export interface Store {
  readonly get: (key: string) => string | undefined;
  /** Stores a value. @returns false if the browser does not accept it */
  readonly set: (key: string, value: string) => boolean;
  readonly remove: (key: string) => void;
  /** All keys, sorted, so that the oldest comes first if the keys begin with a timestamp. */
  readonly keys: () => string[];
}

export function openStore(prefix: string): Store {
  let area: { [key: string]: string } = {};
  try {
    area = localStorage;
  } catch {
    // The browser blocks localStorage.
  }
  return {
    get: (key) => area[prefix + key],
    set: (key, value) => {
      try {
        area[prefix + key] = value;
        return true;
      } catch {
        return false;
      }
    },
    remove: (key) => {
      delete area[prefix + key];
    },
    keys: () =>
      Object.keys(area)
        .filter((key) => key.startsWith(prefix))
        .map((key) => key.slice(prefix.length))
        .sort(),
  };
}

/** Random lower-case hex digits. @param digits an even number */
export function randomHex(digits: number): string {
  let hex = "";
  for (const byte of crypto.getRandomValues(new Uint8Array(digits / 2)))
    hex += (byte + 256).toString(16).slice(1);
  return hex;
}

/** A random version 4 UUID. `crypto.randomUUID` exists only under HTTPS, which many products do not use. */
export function randomUuid(): string {
  return randomHex(32).replace(
    /(.{8})(.{4}).(.{3}).(.{3})/,
    (_, a, b, c, d) => `${a}-${b}-4${c}-${"89ab"[Math.floor(Math.random() * 4)]}${d}-`,
  );
}
