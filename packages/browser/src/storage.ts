/** Keeps what a browser may remember after a Yes: in its storage, or on this page alone where that is blocked. */

/** Storage under one prefix. Nothing here throws. */
export interface Store {
  readonly get: (key: string) => string | undefined;
  /** @returns false if there is no room */
  readonly set: (key: string, value: string) => boolean;
  readonly remove: (key: string) => void;
  /** In order: the oldest first, if keys begin with their time. */
  readonly keys: () => string[];
}

export function openStore(prefix: string): Store {
  let area: { [key: string]: string } = {};
  try {
    area = localStorage;
  } catch {
    // The browser blocks it.
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

/** Random lower-case hex. @param digits even */
export function randomHex(digits: number): string {
  let hex = "";
  for (const byte of crypto.getRandomValues(new Uint8Array(digits / 2)))
    hex += (byte + 256).toString(16).slice(1);
  return hex;
}

/** A random UUID, version 4. `crypto.randomUUID` exists on HTTPS alone, and many products are reached without it. */
export function randomUuid(): string {
  return randomHex(32).replace(
    /(.{8})(.{4}).(.{3}).(.{3})/,
    (_, a, b, c, d) => `${a}-${b}-4${c}-${"89ab"[Math.floor(Math.random() * 4)]}${d}-`,
  );
}
