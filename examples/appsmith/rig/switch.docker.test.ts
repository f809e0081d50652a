// @module-tag docker
/** Row 6 in containers, whose packets and DNS queries are watched on the network. */
import { startContainers } from "./containers.ts";
import { testSwitch } from "./switch.contract.ts";

testSwitch(startContainers);
