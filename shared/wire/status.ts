import { type ServiceError, type StatusObject, status } from "@grpc/grpc-js";
import { type ErrorCode, IsobatchError, messageOf } from "../errors.js";
import { tlsReason } from "./tls-reason.js";

/**
 * Errors across the wire: an `IsobatchError` becomes a gRPC status on the server and an `IsobatchError` with the same
 * code and sentence again at the client. Anything else that a server throws is a bug: INTERNAL.
 */

const STATUS_OF: Record<ErrorCode, status> = {
  invalid_input: status.INVALID_ARGUMENT,
  refused: status.FAILED_PRECONDITION,
  unavailable: status.UNAVAILABLE,
  damaged: status.DATA_LOSS,
  exhausted: status.RESOURCE_EXHAUSTED,
  diverged: status.ABORTED,
  failed: status.FAILED_PRECONDITION,
  interrupted: status.CANCELLED,
};

const CODE_OF: Partial<Record<status, ErrorCode>> = {
  [status.INVALID_ARGUMENT]: "invalid_input",
  [status.OUT_OF_RANGE]: "invalid_input",
  [status.FAILED_PRECONDITION]: "refused",
  [status.UNAUTHENTICATED]: "refused",
  [status.PERMISSION_DENIED]: "refused",
  [status.NOT_FOUND]: "refused",
  [status.ALREADY_EXISTS]: "refused",
  [status.UNIMPLEMENTED]: "refused",
  [status.UNAVAILABLE]: "unavailable",
  [status.DEADLINE_EXCEEDED]: "unavailable",
  [status.DATA_LOSS]: "damaged",
  [status.RESOURCE_EXHAUSTED]: "exhausted",
  [status.ABORTED]: "diverged",
  [status.CANCELLED]: "interrupted",
};

/** The longest text of a status, which is sent in an HTTP/2 header. */
const DETAILS_LENGTH_MAX = 2_000;

/** The status that a handler passes to its callback, or emits as "error", for anything that was thrown. */
export function toStatus(error: unknown): Pick<StatusObject, "code" | "details"> {
  const code = error instanceof IsobatchError ? STATUS_OF[error.code] : status.INTERNAL;
  // Through UTF-8, because grpc-js encodes the sentence as a URI, which throws on half a surrogate pair.
  return { code, details: Buffer.from(messageOf(error).slice(0, DETAILS_LENGTH_MAX)).toString() };
}

/**
 * A call's failure as an error for its caller. `what` names the call and the other side, e.g. "Join at 10.0.0.1:7400",
 * and starts the sentence if the server sent none.
 */
export function fromStatus(error: Pick<StatusObject, "code" | "details">, what: string): IsobatchError {
  const code = CODE_OF[error.code];
  const options = { cause: error };
  if (code === undefined) {
    return new IsobatchError("unavailable", `${what} failed within the server: ${error.details}`, options);
  }
  if (error.code === status.DEADLINE_EXCEEDED)
    return new IsobatchError(code, `${what} was not answered in time.`, options);
  if (error.code === status.CANCELLED && !isSentence(error.details)) {
    return new IsobatchError("unavailable", `${what} was cut off.`, options);
  }
  if (error.code === status.UNIMPLEMENTED) {
    return new IsobatchError(
      code,
      `${what} is unknown to that server: it is of another version (${error.details}).`,
      options,
    );
  }
  // Our servers send whole sentences; grpc-js's own texts are not sentences.
  const sentence = isSentence(error.details) ? error.details : `${what} failed: ${connectionReason(error)}.`;
  return new IsobatchError(code, sentence, options);
}

/** Why there is no connection, in words for a sentence, from the status of a call that wanted one. */
export function connectionReason({ code, details }: Pick<StatusObject, "code" | "details">): string {
  if (code === status.DEADLINE_EXCEEDED) return "it does not answer";
  const last = /Last error: (.*?)(?: \(\d{4}-[^)]*Z\))?(?:\. Resolution note:.*)?$/.exec(details)?.[1] ?? details;
  const tls = TLS.test(last) ? tlsReason(new Error(last)) : undefined;
  if (tls !== undefined) return tls;
  const reason = REASONS.find(([pattern]) => pattern.test(last));
  return reason ? reason[1].replace("$&", last) : last.replace(/\.$/, "");
}

const TLS = /certificate|SSL|TLS|EPROTO/i;
const REASONS: [RegExp, string][] = [
  [/ECONNREFUSED/, "nothing listens there (connection refused)"],
  [/ENOTFOUND|EAI_AGAIN|Name resolution failed|No addresses/, "its name cannot be looked up"],
  [/EHOSTUNREACH|ENETUNREACH/, "there is no route to it"],
  [/ETIMEDOUT/, "it does not answer"],
  [
    /ECONNRESET|EPIPE|closed|dropped|hang up|disconnected|Failed to connect/i,
    "the connection was closed by the other side",
  ],
];

/** Whether one of our servers wrote it: grpc-js's details start differently or end without a full stop. */
function isSentence(details: string): boolean {
  return /[.!?]$/.test(details) && !details.startsWith("No connection established");
}

/** Whether `error` is one that grpc-js passes to a callback or emits from a stream. */
export function isServiceError(error: unknown): error is ServiceError {
  return error instanceof Error && "code" in error && typeof error.code === "number" && "details" in error;
}
