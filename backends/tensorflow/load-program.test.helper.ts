/**
 * A process that loads the installation whose file is named on its command line, as the backend and with the limit of
 * GPU memory (MiB) named there, and prints the outcome in JSON. The installation's binding is a stand-in that looks for
 * CUDA's libraries as TensorFlow does.
 */
import { readFileSync } from "node:fs";
import { messageOf } from "../../shared/errors.js";
import type { TensorFlowInstallation } from "../../shared/native/installation.js";
import { loadProcessAddon } from "../../shared/native/process-addon.js";
import {
  cudaLibraryProblems,
  driverLibraryProblems,
  type LibraryVersion,
  loadedVersions,
  type TensorFlowBackendName,
} from "../machine/index.js";
import { loadTensorFlow } from "./load.js";

export interface LoadAnswer {
  /** Why it could not be loaded. */
  readonly error?: string;
  /** The names of CUDA's libraries that are in the process. */
  readonly inProcess: readonly string[];
  readonly problems: readonly string[];
  /** What the libraries say of themselves, and what would be known without asking them. */
  readonly versions: readonly LibraryVersion[];
  readonly unasked: readonly LibraryVersion[];
  /** The settings of the session that was opened before the binding was loaded, in hexadecimal digits. */
  readonly opened?: string;
}

const [name, file, limit] = process.argv.slice(2);
const gpuMemoryMiB = limit === undefined ? undefined : Number(limit);
const installation = JSON.parse(readFileSync(file, "utf8")) as TensorFlowInstallation;
let error: string | undefined;
let opened: string | undefined;
try {
  const { binding } = loadTensorFlow(name as TensorFlowBackendName, installation, { gpuMemoryMiB });
  opened = (binding as { opened?: string }).opened;
} catch (thrown) {
  error = messageOf(thrown);
}
const maps = readFileSync("/proc/self/maps", "utf8");
const inProcess = [...new Set([...maps.matchAll(/\/(lib(?:cu|nv)\w*\.so\.\d+)$/gm)].map(([, library]) => library))];
const addon = loadProcessAddon(installation)!;
const problems =
  name === "tfjs-node-gpu" ? [...cudaLibraryProblems(installation, addon), ...driverLibraryProblems(addon)] : [];
const versions = loadedVersions(addon, installation.libraryFolder);
const unasked = loadedVersions(undefined, installation.libraryFolder);
process.stdout.write(
  `${JSON.stringify({ error, inProcess, problems, versions, unasked, opened } satisfies LoadAnswer)}\n`,
);
