/** Reads a request to delete what is stored about an instance, a user or a contact. */
import { isObject } from "@candor/envelope";
import { type CandorError, invalidQuery } from "../errors.ts";

/** Whose data is to be deleted. */
export type ForgetRequest =
  | { readonly instance: string }
  | { readonly user: string }
  | { readonly contact: string };

export type ForgetKind = "instance" | "user" | "contact";

const MAX_ID_LENGTH = 1024;

/**
 * Reads the body of a request to forget.
 * @throws CandorError `query_invalid`
 */
export function readForgetRequest(body: unknown): ForgetRequest {
  const given = isObject(body) ? Object.entries(body) : [];
  const [kind, id] = given[0] ?? [];
  if (given.length !== 1 || typeof id !== "string" || id === "" || id.length > MAX_ID_LENGTH) {
    throw refusal();
  }
  if (kind === "instance") return { instance: id };
  if (kind === "user") return { user: id };
  if (kind === "contact") return { contact: id };
  throw refusal();
}

function refusal(): CandorError {
  return invalidQuery(
    `Send one of {"instance": ID}, {"user": ID}, {"contact": ADDRESS}: a text of 1 to ${MAX_ID_LENGTH} characters.`,
  );
}

export function subjectOf(request: ForgetRequest): { readonly kind: ForgetKind; readonly id: string } {
  if ("instance" in request) return { kind: "instance", id: request.instance };
  if ("user" in request) return { kind: "user", id: request.user };
  return { kind: "contact", id: request.contact };
}
