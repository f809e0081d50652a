/** Where a collector's addresses lie. */

/** @param host the collector's address; it may lie below a path. @param path such as `v1/batch` */
export function toUrl(host: URL, path: string): URL {
  return new URL(path, host.href.endsWith("/") ? host : `${host.href}/`);
}
