// @module-tag docker
/** Runs the tests of row 1 in containers. */
import { startContainers } from "./containers.ts";
import { testInstalls } from "./installs.contract.ts";

testInstalls(startContainers);
