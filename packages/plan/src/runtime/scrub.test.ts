import fc from "fast-check";
import { expect, test } from "vitest";
import { scrub } from "./scrub.ts";

test.each([
  ["write to bob@example.com today", "write to [email] today"],
  ["bob@localhost", "[email]"],
  ["<bob.smith+tag@mail.example.co.uk>", "<[email]>"],
  ["mailto:o'brien@example.com?subject=x", "mailto:[email]?subject=x"],
  ["user=bob@example.com&x=1", "user=[email]&x=1"],
  ["a@b.example,c@d.example", "[email],[email]"],
  ["a@b@c", "[email]"],
  ["@alice@social.example", "[email]"],
  ["jörg@müller.example", "[email]"],
  ["用户@例子.公司", "[email]"],
  ["bob\uFF20example.com", "[email]"],
  ['"john smith"@example.com', "[email]"],
  ['1@"2"@example.com', "[email]"],
  ['{"by":"bob@example.com"}', '{"by":"[email]"}'],
  ["https://bob:secret@example.com/a", "https://bob:[email]/a"],
  ["12345@qq.com", "[email]"],
])("the e-mail address in %j is cut out", (text, left) => {
  expect(scrub(text)).toEqual({ text: left, email: true, address: false });
});

test.each([
  ["from 111.65.255.130 port", "from [ip] port"],
  ["111.65.255.130:8080", "[ip]:8080"],
  ["[111.65.255.130]:8080", "[[ip]]:8080"],
  ["x111.65.255.130y", "x[ip]y"],
  ["ip_111.65.255.130_", "ip_[ip]_"],
  ["It was 10.0.0.1.", "It was [ip]."],
  ["10.0.0.1.5432", "[ip]"],
  ["999.10.0.0.1", "999.[ip]"],
  ["192.168.001.010", "[ip]"],
  ["1.2.3.4/24, 5.6.7.8", "[ip]/24, [ip]"],
  ["http://10.0.0.1/a", "http://[ip]/a"],
  ["2001:db8::1", "[ip]"],
  ["http://[2001:db8::1]:80/", "http://[[ip]]:80/"],
  ["fe80::1%eth0 is up", "[ip]%eth0 is up"],
  ["::ffff:1.2.3.4", "[ip]"],
  ["peer=::1;", "peer=[ip];"],
  ["x2001:db8:85a3:8d3:1319:8a2e:370:7348z", "x[ip]z"],
  ["dead:beef:cafe::babe", "[ip]"],
  ["12:30:45 2001:DB8::A", "12:30:45 [ip]"],
])("the IP address in %j is cut out", (text, left) => {
  expect(scrub(text)).toEqual({ text: left, email: false, address: true });
});

test.each([
  ["bob@example.com from 10.0.0.1", { text: "[email] from [ip]", email: true, address: true }],
  ["bob@10.0.0.1", { text: "[email]", email: true, address: true }],
  ["bob@[10.0.0.1]:25", { text: "[email]:25", email: true, address: true }],
  ["bob@[IPv6:2001:db8::1]", { text: "[email]", email: true, address: true }],
])("%j contains both", (text, scrubbed) => {
  expect(scrub(text)).toEqual(scrubbed);
});

test.each([
  ["bob%40example.com", "[email]", true, false],
  ["q=bob%2540example.com", "[email]", true, false],
  ["100% of bob%40example.com", "[email]", true, false],
  ["%ff bob%ff%40example.com", "[email]", true, false],
  ["bob&#64;example.com", "[email]", true, false],
  ["bob&#x40;example.com", "[email]", true, false],
  ["bob&#0064example.com", "[email]", true, false],
  ["bob&commat;example.com", "[email]", true, false],
  ["bob&amp;#64;example.com", "[email]", true, false],
  ["bob\uFE6Bexample.com", "[email]", true, false],
  ["bob%EF%BC%A0example.com", "[email]", true, false],
  ["to=10%2E0%2E0%2E1", "[ip]", false, true],
  ["to=2001%3Adb8%3A%3A1", "[ip]", false, true],
  ["１０.０.０.１", "[ip]", false, true],
  ["10.0.0.1 bob%40example.com", "[email]", true, true],
  ["bob@example.com 10%2e0%2e0%2e1", "[ip]", true, true],
])("%j hides an address, so the whole text is replaced", (text, left, email, address) => {
  expect(scrub(text)).toEqual({ text: left, email, address });
});

test.each([
  "",
  "Installation Started",
  "npm@10",
  "npm@10.8.2",
  "@bob",
  "@candor/plan",
  "a @ b",
  "bob@",
  "bob@-",
  "1.2.3",
  "v1.2.3-rc.4",
  "1.2.3.256",
  "Chrome/120.0.6099.109",
  "1...2...3",
  "12:30:45",
  "2026-07-01T12:30:45.678Z",
  "00:1a:2b:3c:4d:5e",
  "std::vector",
  "std::dead",
  "a::b",
  "::",
  "100%",
  "%",
  "50% off & more",
  "a%20b&amp;c",
  "&#99999999;&#x110000;",
  "時間：12：30",
])("%j is unchanged", (text) => {
  expect(scrub(text)).toBe(undefined);
});

const separator = fc.constantFrom(
  " ",
  "\n",
  "\t",
  ",",
  ";",
  "(",
  ")",
  "<",
  ">",
  '"',
  "|",
  "=",
  "?",
  "/",
  " - ",
  "{",
  "}",
);
const words = fc.stringMatching(/^[A-Za-zÀ-ÿ0-9 _-]{0,12}$/);
const noise = fc.oneof(
  words,
  fc.string({ maxLength: 12 }),
  fc.string({ unit: "grapheme", maxLength: 12 }),
  fc.stringMatching(/^[@:.%a0&#;"[\]]{0,12}$/),
);
const email = fc.oneof(
  fc.emailAddress(),
  fc
    .tuple(fc.stringMatching(/^[a-zé0-9._+-]{0,8}[a-z]$/), fc.stringMatching(/^[a-zü]{1,8}$/))
    .map((parts) => parts.join("@")),
);
const ipv6 = fc
  .oneof(fc.ipV6(), fc.constantFrom("fe80::1", "::1", "::ffff:1.2.3.4", "2001:db8::"))
  .filter((ip) => /\d/.test(ip));

test.each([
  ["e-mail address", email, noise],
  ["IPv4 address", fc.ipV4(), noise],
  ["IPv6 address", ipv6, noise],
])("a planted %s never remains", (_what, planted, around) => {
  fc.assert(
    fc.property(around, separator, planted, separator, around, (before, left, secret, right, after) => {
      // A name that contains only symbols (`'@example.com`) does not count as an address.
      fc.pre(!secret.includes("@") || /[\p{L}\p{N}][^{}|?/=#&]*@/u.test(secret));
      const scrubbed = scrub(`${before}${left}${secret}${right}${after}`);
      expect(scrubbed?.text ?? secret).not.toContain(secret);
    }),
    { numRuns: 3000 },
  );
});

test.each([
  ["IPv4", fc.ipV4()],
  ["IPv6", ipv6],
])("a planted %s address is found next to letters", (_what, planted) => {
  fc.assert(
    fc.property(fc.stringMatching(/^[g-zG-Z_]{0,5}$/), planted, (letters, secret) => {
      expect(scrub(`${letters}${secret}${letters}`)).toEqual({
        text: `${letters}[ip]${letters}`,
        email: false,
        address: true,
      });
    }),
    { numRuns: 1000 },
  );
});

test("scrubbing a text twice changes nothing more", () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(noise, email, fc.ipV4(), ipv6), { maxLength: 8 }), (parts) => {
      const scrubbed = scrub(parts.join(""));
      if (scrubbed !== undefined)
        expect([scrubbed.text, scrub(scrubbed.text)]).toEqual([scrubbed.text, undefined]);
    }),
    { numRuns: 5000 },
  );
});

test("letters, digits, spaces and dashes are never changed", () => {
  fc.assert(
    fc.property(fc.stringMatching(/^[\p{L}\p{N} _-]{0,60}$/u), (text) => {
      fc.pre(!/[\uFF00-\uFF5E]/.test(text));
      expect(scrub(text)).toBe(undefined);
    }),
  );
});

test.each([
  "@",
  ":",
  ".",
  "a",
  "1",
  "%",
  "&",
  "&#",
  '"',
  '"a',
  '"a"@',
  "%40",
  "%25",
  "a@",
  "@a",
  "1@",
  "1.",
  "1.1.1.x",
  "a:",
  "0:",
  "::",
  "a::",
  "１",
  "\uFDFA@",
])("100 kB of %j are scrubbed in linear time", (piece) => {
  const text = piece.repeat(100_000 / piece.length);
  for (const hostile of [text, `@${text}`, `${text}@`, `${text}%41@1`]) {
    const scrubbed = scrub(hostile);
    expect(scrub(scrubbed?.text ?? "")).toBe(undefined);
  }
});

test.each([
  ["ip 10\u20240\u20240\u20241 x", { address: true, email: false }],
  ["2001\ufe55db8\ufe55\ufe551", { address: true, email: false }],
  ["bob\uff20example.com", { address: false, email: true }],
])("an address is found in %j, which contains none of the ASCII marks", (text, found) => {
  expect(scrub(text)).toMatchObject(found);
});
