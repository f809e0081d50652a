/** Defines the collector's errors and their messages. */
import { CodedError, type ErrorDetails, type ErrorEntry, WIRE_ERRORS } from "@candor/envelope/http";

/**
 * Every error that the collector raises; those of the wire format are defined in `@candor/envelope`. The
 * `candor` commands use some of them too. The message tells a person what happened and what to do. The codes
 * are the contract (clients, tests and docs/errors.md rely on them); the messages may change. `{name}` is
 * replaced with the value of that name in the error's details.
 */
export const ERRORS = {
  // Errors that are returned to a client.
  ...WIRE_ERRORS,
  write_key_unknown: {
    status: 401,
    message:
      "The write key is missing or unknown. Send it as the user name of HTTP Basic authentication, or as writeKey in the body; `candor keys` lists the valid ones.",
  },
  token_invalid: {
    status: 401,
    message: "Send the header Authorization: Bearer TOKEN, with the admin token that `candor keys` prints.",
  },
  query_invalid: { status: 400, message: "{why}" },
  not_found: {
    status: 404,
    message: "There is nothing at this address. docs/http-api.md lists what there is.",
  },
  request_unreadable: {
    status: 400,
    message: "The request is not readable HTTP/1.1. Check the client, and the proxy before the collector.",
  },
  headers_too_large: { status: 431, message: "The headers are larger than 16 KiB. Send fewer cookies." },
  overloaded: {
    status: 503,
    retryAfterS: 1,
    message: "More messages arrive than the disk can take. Send them again a little later.",
  },
  stopping: {
    status: 503,
    retryAfterS: 5,
    message: "The collector is stopping. Send it again a little later.",
  },
  disk_full: {
    status: 503,
    retryAfterS: 30,
    message:
      "The collector's disk is full; nothing of this request was kept. Its operator has to free space.",
  },
  log_unwritable: {
    status: 503,
    retryAfterS: 30,
    message: "The collector cannot write its log ({cause}); nothing of this request was kept.",
  },
  store_away: {
    status: 503,
    retryAfterS: 2,
    message: "The store does not answer. Messages are still accepted; reading works again once it is back.",
  },
  instance_request_invalid: {
    status: 400,
    message:
      "The field {field} is missing or malformed. docs/http-api.md says what an instance signs and sends.",
  },
  signature_invalid: {
    status: 401,
    message:
      "The signature was not made with this publicKey for this request. docs/http-api.md says what to sign; sign it with the instance's key.",
  },
  signature_stale: {
    status: 401,
    message:
      "The request was signed more than {minutes} minutes before or after the collector's time. Set the clock, and sign it again.",
  },
  instance_key_mismatch: {
    status: 401,
    message:
      "This instanceId does not belong to this publicKey. An instance has to use its own key; the maker can delete the events of any id with `candor forget --instance`.",
  },
  origin_mismatch: {
    status: 401,
    message:
      "The request was signed for an address that is not this collector's. Sign the origin that you send the request to. If you did, a proxy changes Host: the collector's operator has to make it pass Host on, or set CANDOR_ORIGINS.",
  },
  too_many_requests: {
    status: 429,
    retryAfterS: 10,
    message:
      "Too many requests come from this network, or from all instances together. Ask again a little later.",
  },
  forget_incomplete: {
    status: 503,
    retryAfterS: 60,
    message: "The deletion is not complete: there are still {what}. There is no receipt yet; ask again.",
  },
  forget_busy: {
    status: 503,
    retryAfterS: 60,
    message: "Too many deletions are waiting. This one was not started; ask again later.",
  },
  report_too_large: {
    status: 503,
    message:
      "The report took longer than {seconds} seconds, or too much memory. Ask for fewer days, or for a smaller segment.",
  },
  sql_failed: { status: 400, message: "The query failed: {why}" },
  sql_busy: {
    status: 429,
    retryAfterS: 10,
    message: "Other SQL is running, and more waits. Ask again when it has ended.",
  },
  too_many_watchers: {
    status: 429,
    retryAfterS: 10,
    message: "{limit} clients are watching the live feed already. Close one of them.",
  },
  // Errors that close a connection without an answer; they are only counted.
  too_many_connections: {
    status: 503,
    message: "Too many connections are open. Close those that you do not use.",
  },
  too_many_pipelined: {
    status: 429,
    message: "Too many requests are waiting on one connection. Read the answers first.",
  },
  answer_unread: {
    status: 408,
    message: "The answer was not read in time. Read it, or close the connection.",
  },
  // Returned to a client for an error that has no code of its own.
  internal: {
    status: 500,
    message: "The collector failed unexpectedly. Its own output says more.",
  },

  // Errors for the operator, mostly at startup.
  settings_invalid: { message: "The settings cannot be used:\n{faults}" },
  port_in_use: {
    message: "Port {port} on {host} is taken by another program. Stop it, or set CANDOR_PORT to a free port.",
  },
  address_unavailable: {
    message:
      "This machine cannot listen on {host}:{port} ({cause}). Set CANDOR_HOST to one of its addresses, or to 127.0.0.1.",
  },
  data_folder_locked: {
    message: "Another Candor is running on {folder}. Stop it, or set CANDOR_DATA_DIR to another folder.",
  },
  data_folder_unwritable: {
    message:
      "The data folder {folder} cannot be written ({cause}). Give this user the right to write there, or set CANDOR_DATA_DIR to another folder.",
  },
  data_folder_foreign: {
    message:
      "{path} belongs to user {ownerId}, and Candor runs as user {userId}: whoever owns it can choose the keys and read the log. Run Candor as its owner; or look at what is in it and then give it all to this user (chown -R {userId}); or set CANDOR_DATA_DIR to another folder.",
  },
  data_folder_linked: {
    message:
      "{path} is a link, and Candor follows no links inside its data folder. Replace it with what it points to, or remove it; to keep the data elsewhere, set CANDOR_DATA_DIR to that folder.",
  },
  lock_unsupported: {
    message:
      "This system has no file lock that Candor supports ({cause}), so another process could use {folder} too. Run it on glibc Linux or macOS, or install the program flock (util-linux, busybox).",
  },
  log_damaged: {
    message:
      "A segment of the log is damaged, messages in it may be lost. A copy is in {file}. Check the disk.",
  },
  keys_unreadable: {
    message:
      "The file {file} is not what Candor wrote ({why}). Restore it from a backup, or delete it to get new keys (clients then need the new ones).",
  },
  engine_unsupported: {
    message: "The embedded store does not run on {platform}: {why}.",
  },
  schema_newer: {
    message:
      "The store's schema has version {found}, this Candor knows versions up to {known}. Start the version of Candor that created it, or a newer one.",
  },
  schema_changed: {
    message:
      "Migration {name} differs from the one that was applied to this store. Released migrations never change; add a new one.",
  },
  plan_unreadable: {
    message: "The plan {file} cannot be read ({cause}). Name the plan's file, or set CANDOR_PLAN to it.",
  },
  plans_missing: {
    message: "The folder {folder} has no plan. Name a file, or put a .yaml file into the folder.",
  },
  plan_ambiguous: { message: "CANDOR_PLAN has several plans. Name the file of the one that you mean." },
  product_unnamed: {
    message: "The product's name in {file} has neither a letter from a to z nor a digit. Add one.",
  },
  product_twice: {
    message:
      "The plans {file} and {other} are both of the product {name}. Name one of them, or change its `product`.",
  },
  too_many_products: {
    message: "There are {count} plans, but one collector serves at most {limit} products.",
  },
  product_missing: {
    message:
      "The data folder {folder} belongs to the product {name}, whose plan is not in CANDOR_PLAN. Add it, or use another folder.",
  },
  write_keys_invalid: {
    message:
      "CANDOR_WRITE_KEYS has a key that names none of this collector's products. Write product/source:KEY; the products are {names}.",
  },
  plan_invalid: { message: "The plan cannot be used:\n{faults}" },
  unreachable: {
    message: "No Candor answers at {url} ({cause}). Start it with `npm start`, or set CANDOR_URL.",
  },
} as const satisfies { [code: string]: ErrorEntry };

export type ErrorCode = keyof typeof ERRORS;

/** An error of `ERRORS`, with the details for its message. */
export class CandorError extends CodedError<ErrorCode> {
  constructor(code: ErrorCode, details?: ErrorDetails, cause?: unknown) {
    super(code, ERRORS[code], details, cause);
    this.name = "CandorError";
  }
}

/**
 * Returns the error for a request whose parameters or body are wrong.
 * @param why the message for the client, which says what is expected
 */
export function invalidQuery(why: string): CandorError {
  return new CandorError("query_invalid", { why });
}

/** Returns the code of an error, such as `ENOSPC`, or the error's message if it has no code. */
export function causeOf(error: unknown): string {
  if (error instanceof Error)
    return "code" in error && typeof error.code === "string" ? error.code : error.message;
  return String(error);
}

/** Returns the error that tells a client of a failed write: `disk_full` or `log_unwritable`. */
export function toWriteError(error: unknown): CandorError {
  const cause = causeOf(error);
  if (cause === "ENOSPC" || cause === "EDQUOT" || cause === "EFBIG")
    return new CandorError("disk_full", {}, error);
  return new CandorError("log_unwritable", { cause }, error);
}
