import { engine, getBackend, setBackend } from "@tensorflow/tfjs-core";
import { IsobatchError, invalid, messageOf } from "../../shared/errors.js";
import { type BackendName, openBackend } from "./backend.js";
import { type TensorFlowBackendName, unavailability } from "./tensorflow/index.js";

/** Which backends work on this machine, and which one is taken when nobody asks for one. */

/** All backends, in the order in which they are tried: the fastest first. */
export const BACKEND_NAMES: readonly (TensorFlowBackendName | BackendName)[] = [
  "tfjs-node-gpu",
  "tfjs-node",
  "wasm",
  "cpu",
];

export interface BackendProbe {
  name: TensorFlowBackendName | BackendName;
  available: boolean;
  /** Why it isn't available; empty if it is. */
  reason: string;
  /** The device in words; empty if it isn't available. */
  device: string;
}

/** Tries every backend by opening it, in the order of preference, and leaves the current one as it was. */
export async function probeBackends(): Promise<BackendProbe[]> {
  const probes: BackendProbe[] = [];
  for (const name of BACKEND_NAMES) probes.push(await probe(name));
  return probes;
}

async function probe(name: BackendProbe["name"]): Promise<BackendProbe> {
  if (name !== "wasm" && name !== "cpu") return { name, available: false, reason: unavailability(name), device: "" };
  const current = getBackend();
  const wasOpen = name in engine().registry;
  try {
    const backend = await openBackend(name);
    if (!wasOpen) backend.dispose();
    return { name, available: true, reason: "", device: backend.device };
  } catch (error) {
    return { name, available: false, reason: messageOf(error), device: "" };
  } finally {
    if (current) await setBackend(current);
  }
}

/** Of a Logger, what is used to tell of a choice: a thread that has none passes the lines on. */
export interface ChoiceLog {
  info(fields: object, line: string): void;
}

/**
 * The backend to compute on: the one asked for, or the first that works. Every choice and every failure on the way
 * is logged with its reason. Throws an IsobatchError for a name that isn't a backend's, and when the one asked for
 * can't be had.
 */
export async function chooseBackend(requested: string | undefined, log: ChoiceLog): Promise<BackendName> {
  const names = BACKEND_NAMES.filter((name) => requested === undefined || name === requested);
  if (names.length === 0) {
    invalid(`The backend ${JSON.stringify(requested)} is unknown; choose one of ${BACKEND_NAMES.join(", ")}.`);
  }
  for (const name of names) {
    const { available, reason, device } = await probe(name);
    if (available && (name === "wasm" || name === "cpu")) {
      log.info({ backend: name, device }, `computing on ${name}: ${device}`);
      return name;
    }
    if (requested !== undefined) {
      throw new IsobatchError(
        "unavailable",
        `The backend ${name} can't be had: ${reason}. Choose another with --backend, or none to take the best there is.`,
      );
    }
    log.info({ backend: name, reason }, `not computing on ${name}: ${reason}`);
  }
  throw new IsobatchError("unavailable", "None of the backends works here; isobatch doctor tells why.");
}
