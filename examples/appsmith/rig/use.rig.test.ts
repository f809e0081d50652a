// @module-tag linux
// @module-tag python3
/** Runs the tests of rows 2 to 5 and 7 as plain processes. */
import { testActions } from "./actions.contract.ts";
import { testBrowsers } from "./browsers.contract.ts";
import { testHeartbeats } from "./heartbeats.contract.ts";
import { startProcesses } from "./processes.ts";
import { testStored } from "./stored.contract.ts";
import { openUse } from "./use.ts";

const use = openUse(startProcesses);
testHeartbeats(use);
testActions(use);
testBrowsers(use);
testStored(use);
