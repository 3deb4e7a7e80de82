import { isIPv4 } from "node:net";

/**
 * Who may do what, decided from the request. Without a login a run may be read only on loopback, and nobody may act on
 * it anywhere.
 *
 * The danger on loopback is a browser: a page from anywhere may reach 127.0.0.1 under its own name (DNS rebinding), so
 * names that are not loopback's are refused; and it may post forms there, so a request that is identified by a cookie
 * must come from one of our pages. No browser sends a bearer token unasked, so a request with one needs neither.
 */
export type Access =
  /** Open to anybody: probes, and files that are the same for every run. */
  | "open"
  | "read"
  /** Opening or closing a session. */
  | "session"
  | "act";

export interface Identity {
  readonly name: string;
  /** Whether it may stop, drain and checkpoint. */
  readonly mayAct: boolean;
}

export interface Asked {
  readonly access: Access;
  readonly method: string;
  /** The Host header. */
  readonly host: string | undefined;
  /** The Origin header. */
  readonly origin: string | undefined;
  /** Whether the request's headers say that a proxy has forwarded it. */
  readonly forwarded: boolean;
  readonly identity: Identity | undefined;
  /** Whether a bearer token came with the request, right or wrong. */
  readonly bearer: boolean;
  /** Whether the listener is on loopback. */
  readonly loopback: boolean;
}

export interface Refusal {
  readonly status: 401 | 403 | 421;
  /** A sentence. */
  readonly reason: string;
}

/** @returns why the request is refused; undefined if it is not. */
export function refusalOf(asked: Asked): Refusal | undefined {
  const { access, method, host, origin, forwarded, identity, bearer, loopback } = asked;
  if (access === "open") return undefined;
  if (loopback && !isLoopbackHost(host)) {
    const reason = `This listener is only for its own machine and does not answer to the name "${host ?? ""}"; use 127.0.0.1 or localhost.`;
    return { status: 421, reason };
  }
  if (method !== "GET" && method !== "HEAD" && !bearer && !isSameOrigin(origin, host)) {
    return { status: 403, reason: `The request comes from another page (Origin ${origin ?? "is missing"}).` };
  }
  if (access === "session") return undefined;
  if (bearer && identity === undefined) {
    return { status: 401, reason: "The bearer token is not this run's." };
  }
  if (access === "read" && (identity !== undefined || (loopback && !forwarded))) return undefined;
  if (identity === undefined) {
    return { status: 401, reason: "Log in first, or send the run's token as a bearer token." };
  }
  if (!identity.mayAct) return { status: 403, reason: `The token "${identity.name}" may read, but not act.` };
  return undefined;
}

/** Whether a Host header names this machine as only this machine can. */
export function isLoopbackHost(host: string | undefined): boolean {
  const name = /^(\[[^\]]*\]|[^:]*)(?::\d{1,5})?$/.exec(host ?? "")?.[1].toLowerCase();
  if (name === undefined) return false;
  return name === "localhost" || name === "[::1]" || (isIPv4(name) && name.startsWith("127."));
}

/** Whether an Origin header, which browsers send with every POST, names the host that was asked. */
function isSameOrigin(origin: string | undefined, host: string | undefined): boolean {
  if (origin === undefined || host === undefined) return false;
  const match = /^https?:\/\/([^/]+)$/i.exec(origin);
  return match !== null && match[1].toLowerCase() === host.toLowerCase();
}
