/**
 * What a token's holder may do. A worker computes and may read the run's status; an observer may only read it; an admin
 * may also stop, checkpoint and drain, and make and revoke tokens. A shard is a process of the server itself: its
 * secret is made when the server starts and kept only in memory, because over the stream that it opens it receives the
 * key that seals leases.
 */
export type Role = "worker" | "observer" | "admin" | "shard";

/** The roles that a token may be made for. */
export const TOKEN_ROLES = ["worker", "observer", "admin"] as const satisfies readonly Role[];
export type TokenRole = (typeof TOKEN_ROLES)[number];

const COMPUTING: readonly Role[] = ["worker", "admin"];
const SEEING: readonly Role[] = ["worker", "observer", "admin"];

/** Every method that needs a token, and which roles may call it; a method that is missing here is closed to all. */
const CALLERS: Readonly<Record<string, readonly Role[]>> = {
  "/isobatch.v1.Coordinator/Join": COMPUTING,
  "/isobatch.v1.Coordinator/Work": COMPUTING,
  "/isobatch.v1.Coordinator/FetchSamples": COMPUTING,
  "/isobatch.v1.Coordinator/Serve": ["shard"],
  "/isobatch.v1.Coordinator/GetStatus": SEEING,
  "/isobatch.v1.Coordinator/WatchMetrics": SEEING,
  "/isobatch.v1.Coordinator/Control": ["admin"],
  "/isobatch.v1.Shard/PushSums": COMPUTING,
  "/isobatch.v1.Shard/WatchWeights": COMPUTING,
  "/isobatch.v1.Shard/Near": COMPUTING,
};

/** @param path the path of the method, such as "/isobatch.v1.Coordinator/Join" */
export function mayCall(role: Role, path: string): boolean {
  return CALLERS[path]?.includes(role) ?? false;
}
