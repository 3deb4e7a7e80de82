import { memberSeal } from "../../../shared/credentials/index.js";
import { IsobatchError } from "../../../shared/errors.js";
import type { Numerics } from "../../../shared/numerics.js";
import { flagsIn } from "../../../shared/precision.js";
import type { JoinRequest, JoinResponse, RunDescription } from "../../../shared/wire/index.js";
import { isOver } from "../status.js";
import { checkVersion } from "./check-version.js";
import type { ServiceOptions } from "./options.js";

/**
 * Admits a worker.
 * @param shared the part of the answer that is the same for every worker
 * @param token the name of the token that the worker showed
 * @throws {IsobatchError} `refused`, or `unavailable` if it may try again later
 */
export function join(
  options: ServiceOptions,
  shared: RunDescription,
  request: JoinRequest,
  token: string,
): JoinResponse {
  const { coordinator, slices, leaseKey, log } = options;
  checkVersion(request.version, options.version, "The worker");
  if (isOver(coordinator)) return joinEnded(options, request.runId === shared.runId);
  const links = coordinator.shards;
  const missing = links.indexOf(undefined);
  if (missing >= 0) throw new IsobatchError("unavailable", `The run waits for its shard ${missing}; try again.`);
  const numerics = checkedNumerics(options, request);
  const workerId = coordinator.members.join({ ...request, numerics }, token);
  const { device, computeThreads: threads } = request;
  log.info({ worker: workerId, device, threads, admittedBy: token }, "a worker joins");
  const shards = slices.map(({ firstChunk, endChunk }, index) => ({
    index,
    address: links[index]!.address,
    firstChunk,
    endChunk,
  }));
  const seal = memberSeal(leaseKey, { runId: options.directory.identity.runId, workerId, token });
  return { ...shared, workerId, shards, seal };
}

/** The answer to a worker that joins after the run has ended. @param returns whether it worked for this run before */
function joinEnded({ coordinator, stay, workersWait }: ServiceOptions, returns: boolean): JoinResponse {
  const { failure } = coordinator.progress;
  // The others were notified when it ended; this one was not connected then.
  if (returns && !workersWait()) {
    return { ...NOTHING, ended: { ok: failure === "", reason: failure === "" ? "the run has ended" : failure } };
  }
  const code = stay || workersWait() ? "unavailable" : "refused";
  if (failure === "") throw new IsobatchError(code, "The run has ended.");
  throw new IsobatchError(code, `The run has failed: ${failure}`);
}

/** An answer that admits nobody. */
const NOTHING: JoinResponse = {
  workerId: "",
  runId: "",
  taskJson: "",
  topologyJson: "",
  layoutJson: "",
  shards: [],
  datasetFingerprint: "",
  heartbeatMs: 0,
  evaluationBatches: 0,
  sampleFormJson: "",
  seal: Buffer.alloc(0),
};

/** The numerics class in which the worker computes this task. The first worker's becomes the run's. */
function checkedNumerics(
  { directory, prepared: { task } }: Pick<ServiceOptions, "directory" | "prepared">,
  { numerics }: JoinRequest,
): Numerics {
  if (numerics === undefined || numerics.backend === "") {
    throw new IsobatchError("invalid_input", "A worker must say which numerics class it computes in.");
  }
  // A worker learns the task, and with it the precision of its products, only from the answer to Join.
  const theirs = { ...numerics, flags: flagsIn(task.precision, numerics.flags) };
  const ours = directory.identity.numerics;
  if (ours === null) directory.saveNumerics(numericsOf(theirs));
  if (ours === null || task.mixed || describe(ours) === describe(theirs)) return theirs;
  throw new IsobatchError(
    "refused",
    `The worker computes in another numerics class (${describe(theirs)}) than this run (${describe(ours)}), so its ` +
      'bits would differ; use the run\'s backend and version of Isobatch, or set "mixed": true in the task and give up ' +
      "bit-exactness.",
  );
}

function numericsOf({ backend, version, architecture, flags }: Numerics) {
  return { backend, version, architecture, flags };
}

function describe(numerics: { backend: string; version: string; architecture: string; flags: string }): string {
  const { backend, version, architecture, flags } = numerics;
  return [backend, version, architecture, flags].filter((part) => part !== "").join(" ");
}
