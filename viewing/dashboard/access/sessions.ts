import { createHash, randomBytes } from "node:crypto";

/**
 * The people who have logged in: for each session the token that it started with, which is checked again at every
 * request, so that a session ends with its token. Of the session's own secret, which is in the browser's cookie, only a
 * digest is stored.
 */
export interface Sessions {
  /** @returns the secret for the cookie. */
  open(token: string, nowMs: number): string;
  /** The session's token; undefined when it has ended, or never was. */
  find(secret: string, nowMs: number): string | undefined;
  end(secret: string): void;
}

const SECRET_BYTES = 32;
/** A session ends after this time without a request. */
export const SESSION_SECONDS = 12 * 3_600;
/** When there are more, the one that has been unused longest ends. */
const SESSIONS_MAX = 256;

export function createSessions(): Sessions {
  /** In the order of their last use. */
  const sessions = new Map<string, { readonly token: string; readonly usedMs: number }>();
  const digest = (secret: string): string => createHash("sha256").update(secret).digest("base64");

  return {
    open(token, nowMs) {
      for (const oldest of sessions.keys()) {
        if (sessions.size < SESSIONS_MAX) break;
        sessions.delete(oldest);
      }
      const secret = randomBytes(SECRET_BYTES).toString("base64url");
      sessions.set(digest(secret), { token, usedMs: nowMs });
      return secret;
    },
    find(secret, nowMs) {
      const key = digest(secret);
      const session = sessions.get(key);
      if (session === undefined) return undefined;
      sessions.delete(key);
      if (nowMs - session.usedMs > SESSION_SECONDS * 1_000) return undefined;
      sessions.set(key, { ...session, usedMs: nowMs });
      return session.token;
    },
    end: (secret) => void sessions.delete(digest(secret)),
  };
}

/** The value of a cookie in a Cookie header. */
export function cookieOf(header: string | undefined, name: string): string | undefined {
  for (const pair of header?.split(";") ?? []) {
    const at = pair.indexOf("=");
    if (at > 0 && pair.slice(0, at).trim() === name) return pair.slice(at + 1).trim();
  }
  return undefined;
}

/** A Set-Cookie header. An empty value removes the cookie. */
export function sessionCookie(name: string, value: string, secure: boolean): string {
  const age = value === "" ? 0 : SESSION_SECONDS;
  return `${name}=${value}; Path=/; Max-Age=${age}; HttpOnly; SameSite=Strict${secure ? "; Secure" : ""}`;
}

/**
 * The cookie's name. Cookies don't depend on ports, so servers on one machine need different names; the prefix makes
 * browsers accept it only from this very host.
 */
export function cookieName(port: number, secure: boolean): string {
  return `${secure ? "__Host-" : ""}isobatch-${port}`;
}
