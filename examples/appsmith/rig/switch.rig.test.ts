// @module-tag linux
// @module-tag python3
/** Row 6 as plain processes, whose connections to the collector are watched. */
import { startProcesses } from "./processes.ts";
import { testSwitch } from "./switch.contract.ts";

testSwitch(startProcesses);
