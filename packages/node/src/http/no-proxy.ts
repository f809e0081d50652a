import { BlockList, isIP } from "node:net";

/**
 * Whether NO_PROXY keeps a target from the proxy. Entries are parted by commas or spaces: `*`, a name (it covers its
 * subdomains too, with or without `.` or `*.` before it), an IP address, a block as `10.0.0.0/8`; each with an optional
 * `:port`. Names are not resolved: a block covers only targets that are given as addresses.
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

/** An IPv6 address has a port only behind brackets. */
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
