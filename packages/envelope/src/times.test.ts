import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseTime, resolveTimestamp, toIsoTime } from "./times.ts";

describe("parseTime", () => {
  it.each([
    ["Go's nanoseconds", "2021-08-24T07:23:35.610123456Z", "2021-08-24T07:23:35.610Z"],
    ["Python's microseconds and offset", "2021-08-24T09:23:35.610123+02:00", "2021-08-24T07:23:35.610Z"],
    ["an offset without colon", "2021-08-24T12:53:35.610+0530", "2021-08-24T07:23:35.610Z"],
    ["no fraction", "2021-08-24T07:23:35Z", "2021-08-24T07:23:35.000Z"],
    ["lower case and a blank", "2021-08-24 07:23:35z", "2021-08-24T07:23:35.000Z"],
  ])("reads %s", (_what, text, iso) => {
    const ms = parseTime(text);
    expect(ms === undefined ? undefined : toIsoTime(ms)).toBe(iso);
  });

  it.each([
    [undefined],
    [null],
    [1_604_477_152_726],
    [""],
    ["yesterday"],
    ["2021-08-24"],
    ["2021-08-24T07:23:35"],
    ["2021-08-24T25:23:35Z"],
    ["0001-01-01T00:00:00Z"],
    [`2021-08-24T07:23:35.${"1".repeat(99)}Z`],
  ])("takes %s for no time", (value) => {
    expect(parseTime(value)).toBeUndefined();
  });
});

describe("toIsoTime", () => {
  it("writes what Date writes, for any time of years 0 to 9999, in any order", () => {
    const ms = fc.integer({
      min: Date.parse("0000-01-01T00:00:00Z"),
      max: Date.parse("9999-12-31T23:59:59.999Z"),
    });
    fc.assert(fc.property(ms, (at) => toIsoTime(at) === new Date(at).toISOString()));
  });
});

describe("resolveTimestamp", () => {
  const at = (iso: string): number => Date.parse(iso);

  it.each([
    [
      "2021-08-24T07:23:35.610Z",
      "2021-08-24T07:23:39.885Z",
      "2021-08-24T07:23:39.996Z",
      "2021-08-24T07:23:35.721Z",
    ],
    [
      "2020-11-04T10:52:14.616Z",
      "2020-11-04T10:52:14.618Z",
      "2020-11-04T10:52:14.750Z",
      "2020-11-04T10:52:14.748Z",
    ],
  ])(
    "corrects the client's clock as the samples show: %s sent %s received %s",
    (original, sent, received, timestamp) => {
      const times = {
        receivedAtMs: at(received),
        originalTimestampMs: at(original),
        sentAtMs: at(sent),
        retryCount: 0,
      };
      expect(toIsoTime(resolveTimestamp(times))).toBe(timestamp);
    },
  );

  it("lets the original stand on a retry, without sentAt, and takes the receipt without original", () => {
    const base = { receivedAtMs: 9000, originalTimestampMs: 1000, sentAtMs: 2000, retryCount: 0 };
    expect(resolveTimestamp({ ...base, retryCount: 1 })).toBe(1000);
    expect(resolveTimestamp({ ...base, sentAtMs: undefined })).toBe(1000);
    expect(resolveTimestamp({ ...base, originalTimestampMs: undefined })).toBe(9000);
  });

  it("is never later than the receipt", () => {
    const time = fc.option(fc.integer({ min: 0, max: 4e12 }), { nil: undefined });
    const times = fc.record({
      receivedAtMs: fc.integer({ min: 0, max: 4e12 }),
      originalTimestampMs: time,
      sentAtMs: time,
      retryCount: fc.nat(10),
    });
    fc.assert(fc.property(times, (given) => resolveTimestamp(given) <= given.receivedAtMs));
  });
});
