/**
 * The HTTP layer that a collector shares with an SDK's gateway: routes, bodies, errors, answers. It has no
 * dependencies, because SDKs load it.
 */
export {
  ACCEPTED_BODY,
  type BrowserClient,
  browserSettings,
  type Dropped,
  errorBody,
  errorHeaders,
  sendJson,
  sentMessageId,
  toAcceptedBody,
} from "./answers.ts";
export { CodedError, type ErrorDetails, type ErrorEntry, WIRE_ERRORS, type WireErrorCode } from "./errors.ts";
export { createRequestReader, type RequestBody, type RequestReader } from "./request-body.ts";
export { API_PREFIX, findWireRoute, methodsOf, splitUrl, toMessageType, type WireRoute } from "./routes.ts";
