import { expect, it } from "vitest";
import { askToForget } from "./collector.ts";

it("who runs the collector is told how to start it", async () => {
  await expect(askToForget("http://127.0.0.1:9", "token", { user: "ada" })).rejects.toMatchObject({
    code: "unreachable",
  });
});
