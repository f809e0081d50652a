export function findNodeRed(): { readonly node: string; readonly program: string } | undefined;
