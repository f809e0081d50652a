import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { APPSMITH_PLAN, answerOf, NO_STORE, startForTest, type TestCandor } from "../rig/in-process.ts";

let candor: TestCandor;
beforeAll(async () => {
  candor = await startForTest({ ...NO_STORE, CANDOR_PLAN: APPSMITH_PLAN });
});
afterAll(() => candor.close());

const get = (path: string): Promise<Response> =>
  fetch(`${candor.url}/api/reports/${path}`, { headers: { authorization: "Bearer token-a" } });

const ACTION = "event=execute_ACTION_TRIGGERED";

describe("the maker's own questions", () => {
  it.each([
    ["explore", "event is one of Instance Active, execute_ACTION_TRIGGERED,"],
    ["explore?event=Installation%20Success", "ask the report installs."],
    [`explore?${ACTION}&${ACTION}`, "event is given twice."],
    [`explore?${ACTION}&measure=mean`, "measure is one of count, instances, people, sum, percentiles."],
    [`explore?${ACTION}&measure=sum`, "of is a property of the event: timeElapsed."],
    [`explore?${ACTION}&measure=percentiles&of=pluginName`, "of is a property of the event: timeElapsed."],
    [`explore?${ACTION}&of=timeElapsed`, "of is only for measure=sum and measure=percentiles."],
    [`explore?${ACTION}&by=plugin`, "datasource.name, instanceId,"],
    [`explore?${ACTION}&by=facts.colour`, "facts.edition, facts.environment,"],
    [`explore?${ACTION}&by=day&by=day`, "by is given twice with the same value."],
    [`explore?${ACTION}&by=day&by=type&by=version&by=country`, "by is given at most 3 times."],
    [`explore?${ACTION}&limit=1001`, "limit is a whole number from 1 to 1000."],
    [`explore?${ACTION}&where.plugin=Slack`, "where.PROPERTY is a property of the event: context.ip,"],
    [`explore?${ACTION}&where.timeElapsed=fast`, "where.timeElapsed is a number, or unknown."],
    [`explore?${ACTION}&where.isExampleApp=1`, "where.isExampleApp is true, false or unknown."],
    [
      `explore?${ACTION}&colour=red`,
      "event, measure, of, by, limit, where.PROPERTY, format, table and facts.NAME, and nothing",
    ],
    [`explore/funnel?step=LOGIN_PAGE_LOAD`, "step is given 2 to 8 times"],
    [`explore/funnel?step=LOGIN_PAGE_LOAD&step=Logged`, "step is one of Instance Active,"],
    [`explore/funnel?step=LOGIN_PAGE_LOAD&step=LOGIN_PAGE_LOAD`, "step is given twice with the same event."],
    ["explore/funnel?step=LOGIN_PAGE_LOAD&step=EDITOR_PAGE_LOAD&who=all", "who is one of instances, people."],
    [
      "explore/funnel?step=LOGIN_PAGE_LOAD&step=EDITOR_PAGE_LOAD&window_minutes=0",
      "number from 1 to 129600.",
    ],
    ["explore/cohorts?event=Logged", "event is one of Instance Active,"],
    ["explore/cohorts?cohort=month", "cohort is one of week, facts.arch,"],
    ["explore/cohorts?weeks=500", "weeks is a whole number from 1 to 105."],
    ["explore/cohorts?cohort=week&cohort=week", "cohort is given twice."],
    ["features?where.type=DB", "This report takes from, to,"],
  ])("explain what is wrong with %s", async (path, words) => {
    const response = await get(path);
    const answer = await answerOf(response);
    expect([response.status, answer.code]).toEqual([400, "query_invalid"]);
    expect(answer.message).toContain(words);
  });

  it.each([
    `explore?${ACTION}&by=datasource.name&by=hour&by=facts.os&where.pluginName=Slack&where.pluginName=REST%20API`,
    "explore?event=track%20EDITOR_PAGE_LOAD&by=context.locale&measure=people",
    "explore/funnel?step=LOGIN_PAGE_LOAD&step=EDITOR_PAGE_LOAD&who=people",
    "explore/cohorts?cohort=facts.version&where.os=linux",
  ])("are asked of the store if nothing is wrong (%s)", async (path) => {
    expect((await answerOf(await get(path))).code).toBe("store_away");
  });
});
