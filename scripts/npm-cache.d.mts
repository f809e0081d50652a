export function findNodeRed(): { readonly node: string; readonly program: string } | undefined;
export function fetchBrowserPeers(packages: readonly string[]): string;
export const NEWEST_NODE: string;
export function fetchNode(version: string): string;
