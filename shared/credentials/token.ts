import { createHash, randomBytes, timingSafeEqual } from "node:crypto";

/**
 * A token is a secret, and how to recognise the server that it is for, as in Docker Swarm:
 *
 *     isobatch_SECRET                  a server without TLS
 *     isobatch_SECRET.DIGEST           a server with its own CA: SHA-256 of the CA's certificate, base64url
 *     isobatch_SECRET.tls              a server with certificates that its owner brought
 *
 * Only the secret is ever sent, and never before the server has shown that it is the right one. The prefix lets a
 * person, and a secret scanner, recognise it.
 */
export interface Token {
  /** "isobatch_SECRET". */
  readonly secret: string;
  readonly server: ServerProof;
}

export type ServerProof =
  | { readonly kind: "plain" }
  /** SHA-256 of the CA's certificate (DER), base64url. */
  | { readonly kind: "ca"; readonly digest: string }
  | { readonly kind: "certificate" };

const PREFIX = "isobatch_";
const SECRET_BYTES = 32;
const CERTIFICATE_SUFFIX = "tls";
const DIGEST = /^[A-Za-z0-9_-]{43}$/;

/** A new secret: the prefix and 256 random bits in base64url. */
export function createToken(): string {
  return PREFIX + randomBytes(SECRET_BYTES).toString("base64url");
}

/** The text that people copy. */
export function formatToken({ secret, server }: Token): string {
  if (server.kind === "plain") return secret;
  return `${secret}.${server.kind === "ca" ? server.digest : CERTIFICATE_SUFFIX}`;
}

/** Reads what `formatToken` wrote; any other word is a secret without a server, which the server will check. */
export function parseToken(text: string): Token {
  const dot = text.lastIndexOf(".");
  const [secret, suffix] = dot < 0 ? [text, ""] : [text.slice(0, dot), text.slice(dot + 1)];
  if (DIGEST.test(suffix)) return { secret, server: { kind: "ca", digest: suffix } };
  if (suffix === CERTIFICATE_SUFFIX) return { secret, server: { kind: "certificate" } };
  return { secret: text, server: { kind: "plain" } };
}

/**
 * The hash that is stored instead of a secret, in hexadecimal. A secret has 256 random bits, so a plain SHA-256 is safe
 * from search.
 */
export function hashSecret(secret: string): string {
  return createHash("sha256").update(secret).digest("hex");
}

/** The digest of a certificate (DER) that a token carries. */
export function certificateDigest(der: Uint8Array): string {
  return createHash("sha256").update(der).digest("base64url");
}

/** Whether two secrets are equal, in a time that does not depend on where they differ or which one is longer. */
export function secretsEqual(a: string | Uint8Array, b: string | Uint8Array): boolean {
  const digest = (secret: string | Uint8Array): Buffer => createHash("sha256").update(secret).digest();
  return timingSafeEqual(digest(a), digest(b));
}
