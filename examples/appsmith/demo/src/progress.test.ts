import { expect, it } from "vitest";
import { renderProgress } from "./progress.ts";

it("shows how much is done, in lines of equal length", () => {
  expect(renderProgress(0, 1200, 0)).toBe(
    "[..............................]  0%      0 of 1,200 messages  0 s",
  );
  expect(renderProgress(600, 1200, 1499)).toBe(
    "[###############...............] 50%    600 of 1,200 messages  1 s",
  );
  expect(renderProgress(1200, 1200, 2000)).toBe(
    "[##############################]100%  1,200 of 1,200 messages  2 s",
  );
});
