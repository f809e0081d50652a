/** Takes the requests of instances about themselves, `POST /v1/instance/<action>`. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Semaphore } from "@candor/envelope/concurrency";
import type { InstanceAction } from "@candor/envelope/instance-proof";
import { CandorError } from "../errors.ts";
import { answerRequest, type InstanceDependencies, proveRequest } from "../instance/instance-request.ts";
import { sendJson, untilRead } from "./answer.ts";
import type { BodyReader } from "./body.ts";
import { findClient } from "./client-address.ts";
import { type OriginOptions, originsOf } from "./instance-origin.ts";

/** A page of `compare` is cut off if its client has not read it by then. */
const COMPARE_READ_MS = 20_000;

export interface InstanceRouteDependencies extends OriginOptions {
  readonly readBody: BodyReader;
  readonly instances: InstanceDependencies;
  /** For pages of `compare`, which may be large. */
  readonly comparing: Semaphore;
}

/** @throws CandorError as proveRequest and answerRequest, and `too_many_requests` */
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
  if (action !== "compare") return answer();
  const answered = deps.comparing.run(async () => {
    await answer();
    await untilRead(response, COMPARE_READ_MS); // until then the whole page is in memory
  });
  if (answered === undefined) throw new CandorError("too_many_requests");
  await answered;
}
