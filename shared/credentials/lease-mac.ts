import { createHmac, randomBytes } from "node:crypto";
import { IsobatchError } from "../errors.js";
import { secretsEqual } from "./token.js";

/**
 * The seal on a lease: the coordinator signs which leaves of which step a worker may push, and a shard checks it
 * without asking the coordinator. So a worker can push only its own range, of only its lease's step.
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
  // JSON of a list separates the fields regardless of what the names contain.
  const claims = JSON.stringify([runId, workerId, lease, term, step, lo, hi]);
  return createHmac("sha256", key).update(claims).digest();
}

/** Whether `mac` seals exactly these claims; takes the same time regardless of where it differs. */
export function verifyLeaseMac(key: Uint8Array, claims: LeaseClaims, mac: Uint8Array): boolean {
  return secretsEqual(leaseMac(key, claims), mac);
}

/**
 * The seal on a membership: Join returns it to a worker, which sends it with every request outside its Work stream. It
 * binds the worker's id to the token that it joined with, and a shard can check it without asking the coordinator.
 */
export interface MemberClaims {
  readonly runId: string;
  readonly workerId: string;
  /** The name of the token that the worker joined with. */
  readonly token: string;
}

/** HMAC-SHA-256 of the claims: 32 bytes. */
export function memberSeal(key: Uint8Array, { runId, workerId, token }: MemberClaims): Buffer {
  // The first word distinguishes it from every lease's claims, which start with a run's id.
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
