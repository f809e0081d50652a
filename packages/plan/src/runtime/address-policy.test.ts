import { expect, test } from "vitest";
import { IP_POLICIES } from "../plan.ts";
import { applyAddressPolicy } from "./address-policy.ts";

const pseudonym = (value: string): string => `hash of ${value}`;

test.each([
  // address, truncate, hash
  ["111.65.255.130", "111.65.255.0", "hash of 111.65.255.130"],
  ["203.192.213.46", "203.192.213.0", "hash of 203.192.213.46"],
  ["49.207.192.209", "49.207.192.0", "hash of 49.207.192.209"],
  ["::ffff:49.207.192.209", "49.207.192.0", "hash of 49.207.192.209"],
  ["::FFFF:31cf:c0d1", "49.207.192.0", "hash of 49.207.192.209"],
  ["2001:0DB8:85A3:0:0:8A2E:0370:7334", "2001:db8:85a3::", "hash of 2001:db8:85a3::8a2e:370:7334"],
  ["fe80::1%eth0", "fe80::", "hash of fe80::1"],
  ["2002:6f41:ff82::", "2002:6f41:ff00::", "hash of 2002:6f41:ff82::"],
  ["bob", undefined, undefined],
  ["", undefined, undefined],
])("each policy keeps the right part of %j", (address, truncate, hash) => {
  const left = Object.fromEntries(
    IP_POLICIES.map((policy) => [policy, applyAddressPolicy(address, policy, pseudonym)]),
  );
  expect(left).toEqual({ drop: undefined, country: undefined, truncate, hash, keep: address });
});
