/**
 * Which backends work on this machine, and which one is taken when nobody asks for one.
 *
 * The native ones are tried in a separate process: loading TensorFlow takes a second and hundreds of megabytes, can end
 * the process if the library is broken, and can't be undone.
 */
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { IsobatchError, invalid, messageOf } from "../shared/errors.js";
import { engine, getBackend, setBackend } from "../tasks/tfjs/core.js";
import { openBackend } from "./backend.js";
import {
  BACKEND_NAMES,
  type BackendName,
  type BackendSettings,
  isBackendName,
  type TensorFlowBackendName,
  unavailability,
} from "./machine/index.js";

/** The outcome of trying a backend. */
export interface BackendProbe {
  name: BackendName;
  available: boolean;
  /** Why it isn't available; empty if it is. */
  reason: string;
  /** The device in words; empty if it isn't available. */
  device: string;
  /** The version of the backend and the library under it; like everything below, undefined if it isn't available. */
  version?: string;
  /** What else its bits depend on. */
  flags?: string;
  /** The number of threads inside an operation, in each compute thread. */
  intraOpThreads?: number;
  /** What makes its bits repeat, and where they do; in words. */
  determinism?: string;
  /** The precisions that products can be computed in, and how; in words. */
  precisions?: string;
}

const PROBE_MS_MAX = 60_000;

/** Tries every backend by opening it, in the order of preference, and leaves the current one as it was. */
export async function probeBackends(settings: BackendSettings): Promise<BackendProbe[]> {
  const probes: BackendProbe[] = [];
  for (const name of BACKEND_NAMES) probes.push(await probeBackend(name, settings));
  return probes;
}

/** Tries one backend. */
export async function probeBackend(name: BackendName, settings: BackendSettings): Promise<BackendProbe> {
  return name === "wasm" || name === "cpu" ? probeByOpening(name, settings) : probeNative(name, settings);
}

function missing(name: BackendName, reason: string): BackendProbe {
  return { name, available: false, reason, device: "" };
}

/** Tries a backend by opening it in this process, which it may end. */
export async function probeByOpening(name: BackendName, settings: BackendSettings): Promise<BackendProbe> {
  const current = getBackend();
  const wasOpen = name in engine().registry;
  try {
    const backend = await openBackend(name, settings);
    if (!wasOpen) backend.dispose();
    const { numerics, device, intraOpThreads, determinism, precisions } = backend;
    const { version, flags } = numerics;
    return {
      name,
      available: true,
      reason: "",
      device,
      version,
      flags,
      intraOpThreads,
      determinism,
      precisions,
    };
  } catch (error) {
    return missing(name, reasonOf(name, error));
  } finally {
    if (current) await setBackend(current);
  }
}

async function probeNative(name: TensorFlowBackendName, settings: BackendSettings): Promise<BackendProbe> {
  const reason = unavailability(name, settings);
  if (reason !== undefined) return missing(name, reason);
  const program = fileURLToPath(new URL("./probe-program.js", import.meta.url));
  const args = [program, name, JSON.stringify(settings)];
  try {
    const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: PROBE_MS_MAX });
    return JSON.parse(stdout.trim().split("\n").at(-1)!) as BackendProbe;
  } catch (error) {
    const { signal, code } = error as { signal?: string; code?: unknown };
    return missing(name, `TensorFlow ended its process (${signal ?? `exit code ${code}`}); run isobatch doctor`);
  }
}

/** The reason as the end of a sentence that has named the backend. */
function reasonOf(name: BackendName, error: unknown): string {
  return messageOf(error).replace(`The backend ${name} is unavailable: `, "").replace(/\.$/, "");
}

/** The part of a Logger that a choice is logged with: a thread, which has no Logger, passes the lines on. */
export interface ChoiceLog {
  info(fields: object, line: string): void;
}

/**
 * The backend to compute on: the one asked for, or the first that works. Every choice and every failure on the way
 * is logged with its reason.
 * @throws {IsobatchError} `invalid_input` for a name that isn't a backend's, `unavailable` if the one asked for is
 * unavailable, or all are
 */
export async function chooseBackend(
  requested: string | undefined,
  log: ChoiceLog,
  settings: BackendSettings,
): Promise<BackendName> {
  if (requested !== undefined && !isBackendName(requested)) {
    invalid(`The backend ${JSON.stringify(requested)} is unknown; choose one of ${BACKEND_NAMES.join(", ")}.`);
  }
  for (const name of BACKEND_NAMES) {
    if (requested !== undefined && name !== requested) continue;
    const { available, reason, device } = await probeBackend(name, settings);
    if (available) {
      log.info({ backend: name, device }, `computing on ${name}: ${device}`);
      return name;
    }
    if (requested !== undefined) {
      throw new IsobatchError(
        "unavailable",
        `The backend ${name} is unavailable: ${reason}. Choose another with --backend, or leave --backend out to use the best one that works.`,
      );
    }
    log.info({ backend: name, reason }, `not computing on ${name}: ${reason}`);
  }
  throw new IsobatchError("unavailable", "None of the backends works here; isobatch doctor shows why.");
}
