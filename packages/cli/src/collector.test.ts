import { expect, it } from "vitest";
import { askToForget } from "./collector.ts";

it("an unreachable collector is reported as `unreachable`", async () => {
  await expect(
    askToForget({ url: "http://127.0.0.1:9", token: "token" }, { user: "ada" }),
  ).rejects.toMatchObject({
    code: "unreachable",
  });
});
