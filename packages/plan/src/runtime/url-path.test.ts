import fc from "fast-check";
import { expect, test } from "vitest";
import { toPath } from "./url-path.ts";

test.each([
  ["", ""],
  ["/", "/"],
  ["/applications", "/applications"],
  ["/applications/?q=1#top", "/applications/"],
  ["/a#b?c", "/a"],
  ["/a?b#c", "/a"],
  ["/a?b\nc", "/a"],
  ["/a;jsessionid=12/b;v=1", "/a/b"],
  ["/a%3Bjsessionid=12/b", "/a/b"],
  ["http://localhost/applications", "/applications"],
  ["https://user:password@example.com:8443/a/b?token=1#c", "/a/b"],
  ["HTTPS://Example.com", "/"],
  ["//example.com/a", "/a"],
  ["/\\example.com/a", "/a"],
  ["/\t/example.com/a", "/a"],
  ["\n//example.com/a", "/a"],
  [" https://example.com/a ", "/a"],
  ["h\nttps://example.com/a", "/a"],
  ["a/b?c=1", "/a/b"],
  ["?token=1", "/"],
  ["#token", "/"],
  ["file:///home/bob/page.html", undefined],
  ["data:text/html,hello", undefined],
  ["javascript:alert(1)", undefined],
  ["about:blank", undefined],
  ["mailto:bob@example.com", undefined],
  ["android-app://com.example/", undefined],
  ["blob:https://example.com/a", undefined],
  ["localhost:3000/a", undefined],
  ["http://", undefined],
  ["https://exa mple.com/a", undefined],
  ["https://example.com:99999/a", undefined],
])("the path of %j is %j", (url, path) => {
  expect(toPath(url)).toBe(path);
});

test("the origin, user, query and fragment are removed", () => {
  const word = fc.stringMatching(/^[a-z]{4,8}$/);
  fc.assert(
    fc.property(
      fc.constantFrom("http:", "https:", ""),
      fc.tuple(word, word, word, word, word),
      (scheme, [user, host, at, query, hash]) => {
        expect(toPath(`${scheme}//${user}:secret@${host}.example/${at}?${query}=1#${hash}`)).toBe(`/${at}`);
        expect(toPath(`/${at}?${query}=1#${hash}`)).toBe(`/${at}`);
      },
    ),
  );
});

test.each(["/", "?", ";", "%3b", "a", "/;", "\\"])("100 kB of %j are cut in linear time", (piece) => {
  const path = toPath(`/${piece.repeat(100_000 / piece.length)}`);
  expect(path === undefined || path.startsWith("/")).toBe(true);
});
