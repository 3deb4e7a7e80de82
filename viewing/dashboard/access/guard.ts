import type { IncomingMessage } from "node:http";
import { bearerOf } from "../http.js";
import { type Access, type Identity, type Refusal, refusalOf } from "./access.js";
import { createAttempts } from "./attempts.js";
import { cookieName, cookieOf, createSessions, sessionCookie } from "./sessions.js";

/** The identity of a secret's owner; undefined if the secret admits nobody. */
export type Verify = (secret: string) => Identity | undefined;

/** Admits requests or says why not, and keeps the sessions of people who have logged in. */
export interface Guard {
  readonly loopback: boolean;
  /** To be called with the port, after which the sessions' cookies are named. */
  listensAt(port: number): void;
  identify(request: IncomingMessage): Identity | undefined;
  refusal(request: IncomingMessage, access: Access): Refusal | undefined;
  logIn(request: IncomingMessage, secret: string): LogIn;
  /** @returns the Set-Cookie header that ends the session */
  logOut(request: IncomingMessage): string;
}

export type LogIn =
  | { readonly outcome: "in"; readonly cookie: string }
  | { readonly outcome: "wrong" }
  | { readonly outcome: "wait"; readonly seconds: number };

export interface GuardOptions {
  readonly verify: Verify;
  readonly loopback: boolean;
  readonly secure: boolean;
}

/** Headers that proxies add to the requests that they forward. */
const FORWARDING = ["forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip"];

export function createGuard({ verify, loopback, secure }: GuardOptions): Guard {
  const sessions = createSessions();
  const attempts = createAttempts();
  let cookie = cookieName(0, secure);

  const secretOf = (request: IncomingMessage): string | undefined => cookieOf(request.headers.cookie, cookie);

  /** A token that was valid when its session started may have been revoked. */
  function bySession(request: IncomingMessage): Identity | undefined {
    const secret = secretOf(request);
    const token = secret === undefined ? undefined : sessions.find(secret, performance.now());
    return token === undefined ? undefined : verify(token);
  }

  function identify(request: IncomingMessage): Identity | undefined {
    const bearer = bearerOf(request);
    return bearer === undefined ? bySession(request) : verify(bearer);
  }

  return {
    loopback,
    listensAt(port) {
      cookie = cookieName(port, secure);
    },
    identify,
    refusal(request, access) {
      const { method = "", headers } = request;
      const { host, origin } = headers;
      const forwarded = FORWARDING.some((name) => headers[name] !== undefined);
      const bearer = bearerOf(request) !== undefined;
      return refusalOf({ access, method, host, origin, forwarded, identity: identify(request), bearer, loopback });
    },
    logIn(request, secret) {
      const nowMs = performance.now();
      const seconds = attempts.take(request.socket.remoteAddress ?? "", nowMs);
      if (seconds > 0) return { outcome: "wait", seconds };
      if (verify(secret) === undefined) return { outcome: "wrong" };
      return { outcome: "in", cookie: sessionCookie(cookie, sessions.open(secret, nowMs), secure) };
    },
    logOut(request) {
      const secret = secretOf(request);
      if (secret !== undefined) sessions.end(secret);
      return sessionCookie(cookie, "", secure);
    },
  };
}
