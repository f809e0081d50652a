// @module-tag linux
// @module-tag python3
/** Runs the tests of row 1 as plain processes. */
import { testInstalls } from "./installs.contract.ts";
import { startProcesses } from "./processes.ts";

testInstalls(startProcesses);
