/** Builds the addresses of a collector's endpoints. */

/** @param host the collector's address; it may lie below a path. @param path such as `v1/batch` */
export function toUrl(host: URL, path: string): URL {
  return new URL(path, host.href.endsWith("/") ? host : `${host.href}/`);
}
