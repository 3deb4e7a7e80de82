/**
 * Compiles the package's binding and our addons against a TensorFlow wheel, with nothing but the compiler. Node's
 * headers come as a package (the binding uses the stable Node-API, so one binary serves Node 20, 22 and 24), and the
 * libraries are linked where they are, by absolute run path: if they were moved or copied, they would no longer find
 * CUDA's libraries.
 */
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { IsobatchError } from "../../../shared/errors.js";
import { processAddonOf, sessionAddonOf } from "../../../shared/native/installation.js";
import { type RunProgramOptions, runProgram } from "./run-program.js";
import type { Wheel } from "./wheel.js";

export interface Compilation {
  readonly compiler: string;
  readonly wheel: Wheel;
  /** The folder of @tensorflow/tfjs-node-gpu. */
  readonly packageFolder: string;
  /** The file to make; our addons are made next to it. */
  readonly binding: string;
}

/**
 * Node unloads a binding with the last thread that loaded it, and TensorFlow with it, whose own threads and exit
 * handlers then run into unmapped memory: a process whose compute thread has ended would crash as it exits.
 */
const NEVER_UNLOADED = "-Wl,-z,nodelete";

const SOURCES = ["binding/tfjs_backend.cc", "binding/tfjs_binding.cc"];

/** The path of a source in dist/, which this file is in too. */
const sourceOf = (file: string): string => fileURLToPath(new URL(`../../../${file}`, import.meta.url));

const SESSION_SOURCE = sourceOf("backends/tensorflow/program/session.cc");
const PROCESS_SOURCE = sourceOf("shared/native/process.cc");
/** The file next to the binding that identifies the sources of our addons. */
const FINGERPRINT_FILE = "isobatch_sources.sha256";

/** Whether the addons next to the binding were made from the sources of this version of Isobatch. */
export function isOfTheseSources(binding: string): boolean {
  try {
    return readFileSync(join(dirname(binding), FINGERPRINT_FILE), "utf8") === fingerprint();
  } catch {
    return false;
  }
}

function fingerprint(): string {
  const hash = createHash("sha256");
  for (const source of [SESSION_SOURCE, PROCESS_SOURCE]) hash.update(readFileSync(source));
  return hash.digest("hex");
}

export async function compileBinding(compilation: Compilation, options: RunProgramOptions): Promise<void> {
  const { packageFolder, binding } = compilation;
  const sources = SOURCES.map((source) => join(packageFolder, source));
  await compile(compilation, sources, binding, options);
  await compile(compilation, [SESSION_SOURCE], sessionAddonOf({ binding }), options);
  await compileProcessAddon(compilation, options);
  writeFileSync(join(dirname(binding), FINGERPRINT_FILE), fingerprint());
}

/** Compiles the process addon, which is not linked to TensorFlow's libraries because it is loaded before them. */
export async function compileProcessAddon(compilation: Compilation, options: RunProgramOptions): Promise<void> {
  const wheel = { ...compilation.wheel, libraries: [] };
  await compile({ ...compilation, wheel }, [PROCESS_SOURCE], processAddonOf(compilation), options);
}

async function compile(
  compilation: Compilation,
  sources: readonly string[],
  target: string,
  options: RunProgramOptions,
): Promise<void> {
  const { compiler } = compilation;
  const { code, stderr, startError } = await runProgram(
    compiler,
    compilerArguments(compilation, sources, target),
    options,
  );
  if (code === 0) return;
  if (/No space left on device/.test(stderr)) {
    throw new IsobatchError(
      "exhausted",
      `${compiler}: the disk is full; free some, or name a folder in ISOBATCH_TENSORFLOW.`,
    );
  }
  const line = stderr.split("\n").find((candidate) => /error|undefined|cannot find|not recogni[sz]ed/i.test(candidate));
  throw new IsobatchError(
    "unavailable",
    `${compiler} can't compile the binding against TensorFlow ${compilation.wheel.version} in ${compilation.wheel.folder} ` +
      `(${line?.trim() ?? startError ?? `exit code ${code}`}); reinstall that TensorFlow, or leave --python out.`,
  );
}

/**
 * The compiler's arguments on the two systems that TensorFlow has wheels for. On a Mac the libraries are dylibs, which
 * are never unloaded if they have thread-local variables, as TensorFlow's have.
 */
export function compilerArguments(
  { wheel, packageFolder }: Omit<Compilation, "compiler" | "binding">,
  sources: readonly string[],
  target: string,
  platform: NodeJS.Platform = process.platform,
): string[] {
  const nodeHeaders = join(dirname(createRequire(import.meta.url).resolve("node-api-headers/package.json")), "include");
  const includes = [packageFolder, nodeHeaders, join(wheel.folder, "include")];
  const linked = platform === "darwin" ? ["-bundle", "-undefined", "dynamic_lookup"] : ["-shared", NEVER_UNLOADED];
  return [
    "-std=c++17",
    "-O2",
    "-fPIC",
    "-w",
    "-DNAPI_VERSION=8",
    ...linked,
    ...includes.flatMap((folder) => ["-I", folder]),
    ...sources,
    ...wheel.libraries.map((library) => join(wheel.folder, library)),
    `-Wl,-rpath,${wheel.folder}`,
    "-o",
    target,
  ];
}
