/** The types of process.cc's functions, which the head of that file describes. */
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { processAddonOf, readInstallation, type TensorFlowInstallation, tensorFlowFolder } from "./installation.js";

export interface ProcessAddon extends Partial<FileMapper> {
  load(library: string): string | undefined;
  /**
   * Calls a loaded library's version function. Addons that an older Isobatch has made lack it, and lack `pin`.
   * @param written whether the function writes the version to an argument; otherwise it returns it
   * @returns undefined if the library is not loaded, lacks the function, or gives no version
   */
  version?(library: string, name: string, written: boolean): number | undefined;
  /**
   * Makes all threads of this process, and all threads that they start, run on these cores.
   * @returns why the system refuses, if it does
   */
  pin?(cores: readonly number[]): string | undefined;
  /**
   * Sets whether TensorFlow computes float32 products in TF32, everywhere in this process. Addons that an older
   * Isobatch has made lack it.
   * @param library the loaded TensorFlow's library that has the switch
   * @returns whether it has one
   */
  tensorFloat32?(library: string, on: boolean): boolean;
  exit(code: number): never;
}

/** Maps files in place of memory. An installation that an older Isobatch has made lacks it. */
export interface FileMapper {
  /**
   * Replaces the bytes by those of the file at `fileOffset`. Both must start at a page; the last page is mapped whole.
   * @returns the mapping's number
   * @throws why the system refuses, or that the file is too short
   */
  map(bytes: Uint8Array, file: number, fileOffset: number, writable: boolean): number;
  /** Replaces the mapping by empty memory again. */
  unmap(bytes: Uint8Array): void;
  /** Whether the file became shorter than what was mapped: what it no longer holds reads as zeros. */
  lost(mapping: number): boolean;
}

/** @returns undefined if an older Isobatch has made the installation */
export function loadProcessAddon(installation: Pick<TensorFlowInstallation, "binding">): ProcessAddon | undefined {
  const file = processAddonOf(installation);
  return existsSync(file) ? (createRequire(import.meta.url)(file) as ProcessAddon) : undefined;
}

/**
 * The mapper of an installed TensorFlow; undefined if none has one.
 * @param variables environment variables, which may name the folder of the installations
 */
export function findFileMapper(variables: Readonly<NodeJS.ProcessEnv>): FileMapper | undefined {
  const folder = tensorFlowFolder(variables);
  for (const variant of ["cpu", "cuda"] as const) {
    try {
      const installation = readInstallation(folder, variant);
      const { map, unmap, lost } = (installation && loadProcessAddon(installation)) ?? {};
      if (map !== undefined && unmap !== undefined && lost !== undefined) return { map, unmap, lost };
    } catch {
      // A damaged installation is reported where TensorFlow is needed; here it is ignored.
    }
  }
  return undefined;
}
