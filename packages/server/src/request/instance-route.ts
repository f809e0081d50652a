import type { IncomingMessage, ServerResponse } from "node:http";
import type { InstanceAction } from "@candor/envelope/instance-proof";
import { answerRequest, type InstanceDependencies, proveRequest } from "../instance/instance-request.ts";
import type { Semaphore } from "../instance/semaphore.ts";
import { sendJson } from "./answer.ts";
import type { BodyReader } from "./body.ts";
import { findClient } from "./client-address.ts";
import { type OriginOptions, originsOf } from "./instance-origin.ts";

export interface InstanceRouteDependencies extends OriginOptions {
  readonly readBody: BodyReader;
  readonly instances: InstanceDependencies;
  /** For pages of `compare`, which may be large. */
  readonly comparing: Semaphore;
}

/** POST /v1/instance/<action>. @throws CandorError as proveRequest and answerRequest */
export async function handleInstance(
  request: IncomingMessage,
  response: ServerResponse,
  action: InstanceAction,
  deps: InstanceRouteDependencies,
): Promise<void> {
  const { value: body } = await deps.readBody(request);
  const { name: peer } = findClient(request, deps.trustedProxies);
  const asking = { peer, origins: originsOf(request, deps) };
  const proven = proveRequest(action, body, asking, deps.instances);
  const answer = async (): Promise<void> =>
    sendJson(response, 200, await answerRequest(proven, deps.instances));
  await (action === "compare" ? deps.comparing.take(response, answer) : answer());
}
