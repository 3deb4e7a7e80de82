import { createHash, randomBytes, timingSafeEqual } from "node:crypto";

/**
 * The join token: whoever has it may join the run, read its weights and push to it. Its prefix lets a person, and a
 * secret scanner, recognise it.
 */
const PREFIX = "isobatch_";
const SECRET_BYTES = 32;

/** A new token: the prefix and 256 random bits in base64url. */
export function createToken(): string {
  return PREFIX + randomBytes(SECRET_BYTES).toString("base64url");
}

/** Whether two secrets are equal, in a time that depends on neither where they differ nor which one is longer. */
export function secretsEqual(a: string | Uint8Array, b: string | Uint8Array): boolean {
  const digest = (secret: string | Uint8Array): Buffer => createHash("sha256").update(secret).digest();
  return timingSafeEqual(digest(a), digest(b));
}
