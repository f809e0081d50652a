// @module-tag docker
/** Runs the tests of row 6 in containers, and watches the packets and DNS queries on their network. */
import { startContainers } from "./containers.ts";
import { testSwitch } from "./switch.contract.ts";

testSwitch(startContainers);
