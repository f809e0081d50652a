import type { IncomingMessage, ServerResponse } from "node:http";
import type { BlockList } from "node:net";
import { handleInstanceRequest, type InstanceDependencies } from "../instance/instance-request.ts";
import type { InstanceAction } from "../instance/signed-request.ts";
import type { Turns } from "../instance/turns.ts";
import { sendJson } from "./answer.ts";
import type { BodyReader } from "./body.ts";
import { findClient } from "./client-address.ts";
import { createAttribution, type SourceOfKey } from "./write-key.ts";

export interface InstanceRouteDependencies {
  readonly readBody: BodyReader;
  readonly sourceOfKey: SourceOfKey;
  readonly trustedProxies: BlockList;
  readonly instances: InstanceDependencies;
  /** For pages of `compare`, which may be large. */
  readonly compareTurns: Turns;
}

/** POST /v1/instance/<action>. @throws CandorError as handleInstanceRequest, and `write_key_unknown` */
export async function handleInstance(
  request: IncomingMessage,
  response: ServerResponse,
  action: InstanceAction,
  deps: InstanceRouteDependencies,
): Promise<void> {
  const { value: body } = await deps.readBody(request);
  if (action === "key") createAttribution(deps.sourceOfKey).one(request, body); // throws for a stranger
  const { name: peer } = findClient(request, deps.trustedProxies);
  const answer = async (): Promise<void> =>
    sendJson(response, 200, await handleInstanceRequest(action, body, peer, deps.instances));
  await (action === "compare" ? deps.compareTurns.take(response, answer) : answer());
}
