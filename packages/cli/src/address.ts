const EVERY_ADDRESS = new Set(["0.0.0.0", "[::]"]);

/** The address to give to people and clients: a server that listens everywhere is reached here at 127.0.0.1. */
export function toReachable(url: string): string {
  const { protocol, hostname, port, pathname } = new URL(url);
  const host = EVERY_ADDRESS.has(hostname) ? "127.0.0.1" : hostname;
  return `${protocol}//${host}${port === "" ? "" : `:${port}`}${pathname.replace(/\/+$/, "")}`;
}

/** The address without the name and password that it may carry, for showing. */
export function toShown(url: string): string {
  const { protocol, host, pathname } = new URL(url);
  return `${protocol}//${host}${pathname.replace(/\/+$/, "")}`;
}

/** Whether only this machine can connect to a server that listens on `host`. */
export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127\.\d+\.\d+\.\d+$/.test(host);
}
