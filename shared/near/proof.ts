/** The proof that a worker is on the shard's machine and of its user: it can read a file that the shard wrote. */
import { createHmac, randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { secretsEqual } from "../credentials/index.js";
import { readSmallFile } from "./files.js";

const SECRET_FILE = "secret";
const SECRET_BYTES = 32;

/** Writes a new secret to the folder. */
export function leaveSecret(folder: string): Buffer {
  const secret = randomBytes(SECRET_BYTES);
  writeFileSync(join(folder, SECRET_FILE), secret, { mode: 0o400, flag: "wx" });
  return secret;
}

export function readSecret(folder: string): Buffer {
  return readSmallFile(join(folder, SECRET_FILE), SECRET_BYTES);
}

/** HMAC-SHA-256 of what the worker claims: 32 bytes. */
export function proofOf(secret: Uint8Array, claims: { readonly runId: string; readonly workerId: string }): Buffer {
  return createHmac("sha256", secret)
    .update(JSON.stringify(["near", claims.runId, claims.workerId]))
    .digest();
}

export function isProof(proof: Uint8Array, secret: Uint8Array, claims: Parameters<typeof proofOf>[1]): boolean {
  return secretsEqual(proofOf(secret, claims), proof);
}
