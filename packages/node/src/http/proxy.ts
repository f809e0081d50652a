/** Chooses the proxy that the environment names for a URL, if any. */
import { BlockList, isIP } from "node:net";
import { FaultError } from "./faults.ts";

/** A TCP endpoint. An IPv6 host has no brackets; a name is in lower case. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

export interface ProxyServer extends Endpoint {
  /** Whether the proxy itself is reached over TLS. */
  readonly isSecure: boolean;
  /** The value of Proxy-Authorization. A secret: never shown. */
  readonly authorization: string | undefined;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** The endpoint of a URL. @throws FaultError `other` if the URL is neither http nor https */
export function endpointOf(url: URL): Endpoint {
  const defaultPort = { "http:": 80, "https:": 443 }[url.protocol];
  if (defaultPort === undefined) throw new FaultError("other");
  const host = url.hostname.replace(/^\[(.*)\]$/, "$1").toLowerCase();
  return { host, port: url.port === "" ? defaultPort : Number(url.port) };
}

/**
 * The proxy for a target according to HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY; undefined to connect
 * directly. Lower-case names take precedence, and an empty value is treated as not set. The default port is
 * 80, or 443 for an https proxy.
 * @throws FaultError `proxy` if the variable does not hold an http or https proxy
 */
export function chooseProxy(environment: Environment, url: URL): ProxyServer | undefined {
  const value = proxyValue(environment, url.protocol);
  if (value === "") return undefined;
  const { host, port } = endpointOf(url);
  if (isExempt(environment.no_proxy || environment.NO_PROXY || "", host, port)) return undefined;
  return parseProxy(value);
}

function proxyValue(environment: Environment, protocol: string): string {
  const general = environment.all_proxy || environment.ALL_PROXY || "";
  if (protocol === "https:") return environment.https_proxy || environment.HTTPS_PROXY || general;
  // Under CGI a request's header `Proxy:` becomes HTTP_PROXY, and a visitor must not choose the proxy.
  const isCgi = environment.REQUEST_METHOD !== undefined;
  return environment.http_proxy || (isCgi ? "" : environment.HTTP_PROXY) || general;
}

function parseProxy(value: string): ProxyServer {
  try {
    const url = new URL(/^[a-z][a-z\d+.-]*:\/\//i.test(value) ? value : `http://${value}`);
    const { username, password } = url;
    const credentials = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
    const hasCredentials = username !== "" || password !== "";
    return {
      ...endpointOf(url),
      isSecure: url.protocol === "https:",
      authorization: hasCredentials ? `Basic ${Buffer.from(credentials).toString("base64")}` : undefined,
    };
  } catch {
    throw new FaultError("proxy");
  }
}

/**
 * Whether NO_PROXY exempts a target from the proxy. Entries are separated by commas or spaces. An entry is
 * `*`, a name (which covers its subdomains too, with or without a leading `.` or `*.`), an IP address, or a
 * block such as `10.0.0.0/8`, each with an optional `:port`. Names are not resolved: a block covers only
 * targets given as addresses.
 * @param host in lower case, IPv6 without brackets
 */
export function isExempt(list: string, host: string, port: number): boolean {
  const name = host.replace(/\.$/, "");
  return list
    .toLowerCase()
    .split(/[\s,]+/)
    .some((entry) => entry !== "" && covers(entry, name, port));
}

function covers(entry: string, host: string, port: number): boolean {
  if (entry === "*") return true;
  const [pattern, wantedPort] = splitPort(entry);
  if (wantedPort !== undefined && wantedPort !== port) return false;
  const family = isIP(host);
  if (family !== 0) return isInBlock(pattern, host, family);
  const suffix = pattern.replace(/^\*?\./, "").replace(/\.$/, "");
  return suffix !== "" && (host === suffix || host.endsWith(`.${suffix}`));
}

/** An IPv6 address can have a port only after brackets. */
function splitPort(entry: string): [pattern: string, port: number | undefined] {
  const [, bracketed, plain, port] = /^(?:\[([^\]]*)\]|([^:]*))(?::(\d+))?$/.exec(entry) ?? [];
  return [bracketed ?? plain ?? entry, port === undefined ? undefined : Number(port)];
}

function isInBlock(pattern: string, host: string, family: number): boolean {
  const [network = "", bits] = pattern.split("/", 2);
  if (isIP(network) !== family) return false;
  const type = family === 4 ? "ipv4" : "ipv6";
  const prefix = bits === undefined ? (family === 4 ? 32 : 128) : Number(bits);
  if (bits === "" || !Number.isInteger(prefix) || prefix < 0 || prefix > (family === 4 ? 32 : 128))
    return false;
  const block = new BlockList();
  block.addSubnet(network, prefix, type);
  return block.check(host, type);
}
