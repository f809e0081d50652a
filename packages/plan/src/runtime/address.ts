/** Recognises, normalises and truncates IP addresses. */

/** Matches four numbers from 0 to 255 without leading zeros, which is what node:net accepts as IPv4. */
const IPV4 = /^(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)){3}$/;
const IPV6_GROUP = /^[0-9a-f]{1,4}$/i;
const IPV6_ZONE = /^[0-9a-z.:-]+$/i;
const IPV6_GROUPS = 8;
/** The length of `ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255`. */
const IPV6_MAX_LENGTH = 45;

/**
 * Whether the whole text is an IPv4 address, or an IPv6 address (RFC 4291 section 2.2) with or without a
 * zone: `fe80::1%eth0`.
 */
export function isAddress(text: string): boolean {
  return IPV4.test(text) || toGroups(text) !== undefined;
}

/**
 * The canonical form of an address, for comparison: RFC 5952 without the zone. An IPv4 address inside an IPv6
 * address (`::ffff:1.2.3.4`, `::1.2.3.4`) is returned as that IPv4 address. Undefined if the text is not an
 * address.
 */
export function toCanonicalAddress(text: string): string | undefined {
  if (IPV4.test(text)) return text;
  const groups = toGroups(text);
  if (groups === undefined) return undefined;
  return toEmbeddedIpv4(groups)?.join(".") ?? writeIpv6(groups);
}

/**
 * The network of an address in canonical form: the /24 of an IPv4 address (`111.65.255.0`), also of one
 * inside an IPv6 address; the /40 of a 6to4 address; the /48 of any other IPv6 address (`2001:db8:85a3::`).
 * Empty if the text is not an address.
 */
export function truncateAddress(text: string): string {
  if (IPV4.test(text)) return text.replace(/\d+$/, "0");
  const groups = toGroups(text);
  if (groups === undefined) return "";
  const ipv4 = toEmbeddedIpv4(groups);
  if (ipv4 !== undefined) return `${ipv4.slice(0, 3).join(".")}.0`;
  const [first = 0, second = 0, third = 0] = groups;
  // 6to4 (RFC 3056): an IPv4 address follows the first group, and its last byte must be removed as well.
  const kept = [first, second, first === 0x2002 ? third & 0xff00 : third];
  while (kept.at(-1) === 0) kept.pop();
  return `${kept.map((group) => group.toString(16)).join(":")}::`;
}

/** Parses the eight groups of an IPv6 address, without its zone; undefined if the text is no IPv6 address. */
function toGroups(text: string): number[] | undefined {
  const percent = text.indexOf("%");
  if (percent !== -1 && !IPV6_ZONE.test(text.slice(percent + 1))) return undefined;
  const address = percent === -1 ? text : text.slice(0, percent);
  if (address.length > IPV6_MAX_LENGTH || !address.includes(":")) return undefined;
  const halves = spellOutIpv4(address).split("::").map(toHalf);
  const [head, tail] = halves;
  if (head === undefined || halves.length > 2) return undefined;
  if (halves.length === 1) return head.length === IPV6_GROUPS ? head : undefined;
  if (tail === undefined || head.length + tail.length >= IPV6_GROUPS) return undefined;
  return [...head, ...zeros(IPV6_GROUPS - head.length - tail.length), ...tail];
}

/** Rewrites `::ffff:1.2.3.4` as `::ffff:102:304`. */
function spellOutIpv4(address: string): string {
  const start = address.lastIndexOf(":") + 1;
  const dotted = address.slice(start);
  if (!IPV4.test(dotted)) return address;
  const [a = 0, b = 0, c = 0, d = 0] = dotted.split(".").map(Number);
  return `${address.slice(0, start)}${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`;
}

function toHalf(text: string): number[] | undefined {
  if (text === "") return [];
  const groups = text.split(":");
  return groups.every((group) => IPV6_GROUP.test(group))
    ? groups.map((hex) => Number.parseInt(hex, 16))
    : undefined;
}

/**
 * Returns the IPv4 address inside an IPv4-mapped or IPv4-compatible address (RFC 4291 section 2.5.5). `::`,
 * `::1` and all others up to `::ffff` count as neither.
 */
function toEmbeddedIpv4(groups: readonly number[]): number[] | undefined {
  const [high = 0, low = 0] = groups.slice(6);
  const mapped = groups[5] === 0xffff;
  const compatible = groups[5] === 0 && high !== 0;
  if (!(mapped || compatible) || groups.slice(0, 5).some((group) => group !== 0)) return undefined;
  return [high >> 8, high & 0xff, low >> 8, low & 0xff];
}

/**
 * Formats an address by RFC 5952 section 4: lower case, no leading zeros, `::` for the first longest run of
 * at least two zero groups.
 */
function writeIpv6(groups: readonly number[]): string {
  const text = groups.map((group) => group.toString(16)).join(":");
  const runs = text.match(/\b0(?::0)+\b/g) ?? [];
  const longest = runs.reduce((best, run) => (run.length > best.length ? run : best), "");
  if (longest === "") return text;
  return text.replace(new RegExp(`(^|:)${longest}(:|$)`), "::");
}

function zeros(count: number): number[] {
  return new Array<number>(count).fill(0);
}
