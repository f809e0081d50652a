// @module-tag linux
// @module-tag python3
/** Runs the tests of row 6 as plain processes, and watches their connections to the collector. */
import { startProcesses } from "./processes.ts";
import { testSwitch } from "./switch.contract.ts";

testSwitch(startProcesses);
