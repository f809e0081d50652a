import { expect, it } from "vitest";
import { askToForget } from "./collector.ts";

it("an unreachable collector is reported as `unreachable`", async () => {
  await expect(askToForget("http://127.0.0.1:9", "token", { user: "ada" })).rejects.toMatchObject({
    code: "unreachable",
  });
});
