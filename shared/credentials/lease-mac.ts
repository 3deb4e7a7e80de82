import { createHmac, randomBytes } from "node:crypto";
import { IsobatchError } from "../errors.js";
import { secretsEqual } from "./token.js";

/**
 * The seal on a lease: the coordinator signs which leaves of which step a worker may push, a shard checks it without
 * asking back. So a worker can push no range but its own, of no step but its lease's.
 */
export interface LeaseClaims {
  readonly runId: string;
  readonly workerId: string;
  readonly lease: number;
  readonly term: number;
  readonly step: number;
  /** The leaves [lo, hi). */
  readonly lo: number;
  readonly hi: number;
}

const KEY_BYTES = 32;

/** A key for one run of the servers; workers never see it. */
export function createLeaseKey(): Buffer {
  return randomBytes(KEY_BYTES);
}

/** HMAC-SHA-256 of the claims: 32 bytes. */
export function leaseMac(key: Uint8Array, { runId, workerId, lease, term, step, lo, hi }: LeaseClaims): Buffer {
  // JSON of a list keeps the fields apart whatever the names contain.
  const claims = JSON.stringify([runId, workerId, lease, term, step, lo, hi]);
  return createHmac("sha256", key).update(claims).digest();
}

/** Whether `mac` seals exactly these claims; takes the same time wherever it differs. */
export function verifyLeaseMac(key: Uint8Array, claims: LeaseClaims, mac: Uint8Array): boolean {
  return secretsEqual(leaseMac(key, claims), mac);
}

/**
 * The seal on a membership: Join gives it to a worker, which shows it with whatever it asks for beside its Work stream.
 * It binds the worker's id to the token that it joined with, and a shard can check it without asking back.
 */
export interface MemberClaims {
  readonly runId: string;
  readonly workerId: string;
  /** The name of the token it joined with. */
  readonly token: string;
}

/** HMAC-SHA-256 of the claims: 32 bytes. */
export function memberSeal(key: Uint8Array, { runId, workerId, token }: MemberClaims): Buffer {
  // The first word keeps it apart from every lease's claims, whose first one is a run's id.
  const claims = JSON.stringify(["member", runId, workerId, token]);
  return createHmac("sha256", key).update(claims).digest();
}

/** @throws {IsobatchError} `refused` unless the worker joined this run with that token */
export function checkMember(key: Uint8Array, claims: MemberClaims, seal: Uint8Array): void {
  if (secretsEqual(memberSeal(key, claims), seal)) return;
  throw new IsobatchError(
    "refused",
    `No worker "${claims.workerId}" has joined this run with the token "${claims.token}": join first.`,
  );
}
