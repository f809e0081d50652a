import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isIsoTime, parseTime, readTime, resolveTimestamp, toIsoTime } from "./times.ts";

describe("readTime", () => {
  it.each([
    ["what browsers write", "2021-08-24T07:23:35.610Z", "2021-08-24T07:23:35.610Z"],
    ["Go's nanoseconds", "2021-08-24T07:23:35.610123456Z", "2021-08-24T07:23:35.610Z"],
    ["Python's microseconds and offset", "2021-08-24T09:23:35.610123+02:00", "2021-08-24T07:23:35.610Z"],
    ["an offset without colon", "2021-08-24T12:53:35.610+0530", "2021-08-24T07:23:35.610Z"],
    ["an offset of hours alone", "2021-08-24T09:23:35+02", "2021-08-24T07:23:35.000Z"],
    ["an offset to the west", "2021-08-23T23:53:35-07:30", "2021-08-24T07:23:35.000Z"],
    ["the minus sign of typography", "2021-08-24T00:23:35\u221207:00", "2021-08-24T07:23:35.000Z"],
    ["an unknown offset", "2021-08-24T07:23:35-00:00", "2021-08-24T07:23:35.000Z"],
    ["no fraction", "2021-08-24T07:23:35Z", "2021-08-24T07:23:35.000Z"],
    ["one digit of a fraction", "2021-08-24T07:23:35.6Z", "2021-08-24T07:23:35.600Z"],
    ["a comma", "2021-08-24T07:23:35,61Z", "2021-08-24T07:23:35.610Z"],
    ["lower case and a blank", "2021-08-24 07:23:35z", "2021-08-24T07:23:35.000Z"],
    ["a lower-case t", "2021-08-24t07:23:35.610z", "2021-08-24T07:23:35.610Z"],
    ["no seconds", "2026-01-02T03:04Z", "2026-01-02T03:04:00.000Z"],
    ["hours alone", "2026-01-02T03Z", "2026-01-02T03:00:00.000Z"],
    ["a day", "2026-01-02", "2026-01-02T00:00:00.000Z"],
    ["the end of a day", "2026-12-31T24:00:00Z", "2027-01-01T00:00:00.000Z"],
    ["a leap second", "2016-12-31T23:59:60Z", "2016-12-31T23:59:59.999Z"],
    ["a leap second's fraction", "2016-12-31T23:59:60.750Z", "2016-12-31T23:59:59.999Z"],
    ["a leap second elsewhere", "2017-01-01T05:29:60+05:30", "2016-12-31T23:59:59.999Z"],
    ["a leap day", "2024-02-29T00:00:00.000Z", "2024-02-29T00:00:00.000Z"],
    ["a leap day of a century", "2000-02-29", "2000-02-29T00:00:00.000Z"],
    ["the basic form", "20260102T030405Z", "2026-01-02T03:04:05.000Z"],
    ["the basic form with all parts", "20260102T030405.678+0530", "2026-01-01T21:34:05.678Z"],
    ["the first moment", "1900-01-01T00:00:00.000Z", "1900-01-01T00:00:00.000Z"],
    ["the last moment", "2298-12-31T23:59:59.999Z", "2298-12-31T23:59:59.999Z"],
  ])("reads %s", (_what, text, iso) => {
    const time = readTime(text);
    expect(typeof time === "number" ? toIsoTime(time) : time).toBe(iso);
    expect(parseTime(text)).toBe(time);
  });

  it.each([
    ["2026-02-30T00:00:00.000Z"],
    ["2026-02-30"],
    ["2025-02-29T00:00:00Z"],
    ["1900-02-29"],
    ["2026-04-31T10:00:00.000Z"],
    ["2026-00-10T10:00:00.000Z"],
    ["2026-13-10T10:00:00.000Z"],
    ["2026-01-00T10:00:00.000Z"],
    ["2021-08-24T25:23:35Z"],
    ["2021-08-24T24:00:00.000Z1"],
    ["2021-08-24T24:00:01Z"],
    ["2021-08-24T23:60:00.000Z"],
    ["2021-08-24T12:00:60Z"],
    ["2021-08-24T23:59:60Z"],
    ["2021-08-31T23:59:61Z"],
    ["2021-08-24T07:23:35+24:00"],
    ["2021-08-24T07:23:35+01:60"],
    ["2021-08-24T07:23:35"],
    ["2021-08-24T07:23"],
    ["2021-08-24Z"],
    ["2021-08"],
    ["20210824"],
    ["2021-8-4T07:23:35Z"],
    ["2021-08-24T0723:35Z"],
    ["2021-08-24T07:23:35.Z"],
    ["2021-08-24T07:23:3\u0665.00Z"],
    ["2021-08-24T07:23:35.61:Z"],
    ["2021/08/24 07:23:35Z"],
    ["Tue, 24 Aug 2021 07:23:35 GMT"],
    ["yesterday"],
    [" "],
    ["1899-12-31T23:59:59.999Z"],
    ["2299-01-01T00:00:00.000Z"],
    ["2298-12-31T23:59:59.999-01"],
    [1_604_477_152_726],
    [true],
    [{}],
    [[]],
    [`2021-08-24T07:23:35.${"1".repeat(99)}Z`],
  ])("returns `unreadable` for %j", (value) => {
    expect(readTime(value)).toBe("unreadable");
    expect(parseTime(value)).toBeUndefined();
  });

  it.each([[undefined], [null], [""], ["0001-01-01T00:00:00Z"]])("returns `absent` for %j", (value) => {
    expect(readTime(value)).toBe("absent");
    expect(parseTime(value)).toBeUndefined();
  });

  const instants = fc.integer({ min: Date.UTC(1900, 0, 1), max: Date.UTC(2299, 0, 1) - 1 });

  it("reads what Date writes, in every length and form", () => {
    fc.assert(
      fc.property(instants, (ms) => {
        const text = new Date(ms).toISOString();
        expect(readTime(text)).toBe(ms);
        expect(readTime(`${text.slice(0, -1)}000Z`)).toBe(ms);
        expect(readTime(text.replaceAll(/[-:]/g, ""))).toBe(ms);
        expect(readTime(text.slice(0, 10))).toBe(Date.parse(text.slice(0, 10)));
      }),
    );
  });

  it("agrees with Date for any digits, except for days that Date rolls over", () => {
    const two = fc.integer({ min: 0, max: 99 }).map((number) => String(number).padStart(2, "0"));
    const small = fc.integer({ min: 0, max: 33 }).map((number) => String(number).padStart(2, "0"));
    const offset = fc.oneof(
      fc.constant("Z"),
      fc.tuple(fc.constantFrom("+", "-"), small, two).map(([sign, h, m]) => `${sign}${h}:${m}`),
    );
    fc.assert(
      fc.property(
        fc.integer({ min: 1850, max: 2350 }),
        fc.tuple(small, small, small, two, fc.constantFrom("00", "35", "59", "61", "99")),
        offset,
        (year, [month, day, hour, minute, second], zone) => {
          const date = `${year}-${month}-${day}`;
          const text = `${date}T${hour}:${minute}:${second}.123${zone}`;
          const ofDate = Date.parse(text);
          const isDay = !Number.isNaN(ofDate) && new Date(`${date}T00:00:00Z`).toISOString().startsWith(date);
          const isKept = isDay && ofDate >= Date.UTC(1900, 0, 1) && ofDate < Date.UTC(2299, 0, 1);
          expect(readTime(text)).toBe(isKept ? ofDate : "unreadable");
        },
      ),
      { numRuns: 5000 },
    );
  });

  it("never throws, and returns a number only for years that the store can hold", () => {
    const texts = fc.oneof(
      fc.string(),
      fc.stringMatching(/^[0-9TZtz:., +-]{0,40}$/),
      fc.string({ minLength: 24, maxLength: 24 }),
    );
    fc.assert(
      fc.property(texts, (text) => {
        const time = readTime(text);
        if (typeof time !== "number") return;
        expect(time).toBeGreaterThanOrEqual(Date.UTC(1900, 0, 1));
        expect(time).toBeLessThan(Date.UTC(2299, 0, 1));
      }),
      { numRuns: 5000 },
    );
  });
});

describe("toIsoTime", () => {
  it("writes what Date writes, for any time in the years 0 to 9999, in any order", () => {
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

  it("returns the original time on a retry or without sentAt, and receivedAt without an original time", () => {
    const base = { receivedAtMs: 9000, originalTimestampMs: 1000, sentAtMs: 2000, retryCount: 0 };
    expect(resolveTimestamp({ ...base, retryCount: 1 })).toBe(1000);
    expect(resolveTimestamp({ ...base, sentAtMs: undefined })).toBe(1000);
    expect(resolveTimestamp({ ...base, originalTimestampMs: undefined })).toBe(9000);
  });

  it("is never later than receivedAt", () => {
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

it.each(["2016-12-31T23:59:60.726Z", "2026-01-31T24:00:00.000Z"])(
  "%s is a valid time, but not in the form of toIsoTime",
  (text) => {
    const time = readTime(text);
    expect(typeof time === "number" && toIsoTime(time)).not.toBe(text);
    expect(isIsoTime(text)).toBe(false);
  },
);

it("isIsoTime accepts what toIsoTime writes, and rejects every other form of the same time", () => {
  fc.assert(
    fc.property(
      fc.date({ min: new Date(0), max: new Date("2298-12-31T00:00:00Z"), noInvalidDate: true }),
      (date) => {
        const text = toIsoTime(date.getTime());
        expect(text).toBe(date.toISOString());
        expect(isIsoTime(text)).toBe(true);
        const others = [
          text.replace("T", " "),
          text.replace("T", "t"),
          text.replace("Z", "z"),
          text.replace(".", ","),
        ];
        for (const other of [
          ...others,
          text.slice(0, 19).concat("Z"),
          text.replace("Z", "0Z"),
          date.getTime(),
        ])
          expect(isIsoTime(other)).toBe(false);
      },
    ),
  );
});
