export function findNodeRed(): { readonly node: string; readonly program: string } | undefined;
export function fetchBrowserPeers(packages: readonly string[]): string;
