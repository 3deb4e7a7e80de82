import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { IsobatchError } from "../../../shared/errors.js";
import { makeFolders } from "../../../shared/folders.js";
import { INSTALLATION_FILE, type TensorFlowInstallation } from "../../../shared/native/installation.js";
import { readBackendSettings } from "../../machine/index.js";
import { type RunProgramOptions, runProgram } from "./run-program.js";

export interface Verified {
  readonly device: string;
  /** The versions of the package and the library. */
  readonly version: string;
}

/**
 * Computes on an installation in a separate process, because a broken library can end it.
 * @param scratch a folder to use, which is made and removed
 * @throws {IsobatchError} `unavailable` with what went wrong
 */
export async function verify(
  installation: TensorFlowInstallation,
  scratch: string,
  options: RunProgramOptions,
): Promise<Verified> {
  const folder = join(scratch, installation.variant);
  makeFolders(folder);
  try {
    writeFileSync(join(folder, INSTALLATION_FILE), JSON.stringify(installation));
    const program = fileURLToPath(new URL("./verify-program.js", import.meta.url));
    const settings = JSON.stringify({ ...readBackendSettings(options.env), tensorFlowFolder: scratch });
    const backend = installation.variant === "cuda" ? "tfjs-node-gpu" : "tfjs-node";
    const { code, stdout, stderr } = await runProgram(process.execPath, [program, backend, settings], options);
    if (code === 0) return JSON.parse(stdout.split("\n").at(-1)!) as Verified;
    const line = stderr.split("\n").find((candidate) => /Error|rror:|wrong by|Fatal|what\(\)/.test(candidate));
    throw new IsobatchError(
      "unavailable",
      `TensorFlow in ${installation.libraryFolder} does not compute (${line?.trim() ?? (code === null ? "it crashed" : `exit code ${code}`)}); reinstall it, or leave --python out to install a separate one.`,
    );
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}
