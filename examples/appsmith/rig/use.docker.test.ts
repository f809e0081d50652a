// @module-tag docker
/** Runs the tests of rows 2 to 5 and 7 in containers. */
import { testActions } from "./actions.contract.ts";
import { testBrowsers } from "./browsers.contract.ts";
import { startContainers } from "./containers.ts";
import { testHeartbeats } from "./heartbeats.contract.ts";
import { testStored } from "./stored.contract.ts";
import { openUse } from "./use.ts";

const use = openUse(startContainers);
testHeartbeats(use);
testActions(use);
testBrowsers(use);
testStored(use);
