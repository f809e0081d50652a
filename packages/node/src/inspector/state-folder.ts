/** What `@candor/node/state-folder` offers to programs that read a state folder which another process writes. */

export { readKeepAlive } from "../keep-alive.ts";
export { listOutboxFiles } from "../outbox/outbox-file.ts";
export { countOutbox, type OutboxMessage, type OutboxTotals, readOutboxPage } from "../outbox/outbox-page.ts";
export { type Delivery, readDelivery } from "../send/delivery.ts";
export { type InstanceAction, signRequest } from "../send/instance-request.ts";
export { explainFault, untilAllowedMs } from "../send/retry.ts";
export { MAX_AGE_MS } from "../send/sweep.ts";
export { type Instance, readInstance } from "../state/instance.ts";
export { readText } from "../state/plain-file.ts";
export { readKeptPlan } from "../state/plan-file.ts";
export { openStateFolder, type StateFolder } from "../state/state-folder.ts";
export { type KeptStanding, readKeptStanding } from "./status.ts";
