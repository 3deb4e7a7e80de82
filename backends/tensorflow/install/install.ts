/**
 * Makes a native TensorFlow ready for the workers of this machine: finds one in a Python environment or installs one in
 * a new environment, compiles the binding against it, computes on it, and only then writes the file by which workers
 * find it. If anything fails, everything that was made before is removed. So nothing is ever half-installed, and the
 * previous installation keeps working until the new one has been verified.
 */
import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { join, sep } from "node:path";
import { writeFileDurably } from "../../../shared/durable-file.js";
import { IsobatchError } from "../../../shared/errors.js";
import {
  INSTALLATION_FILE,
  processAddonOf,
  readInstallation,
  sessionAddonOf,
  type TensorFlowInstallation,
  type TensorFlowVariant,
} from "../../../shared/native/installation.js";
import { fetchPackage, installedPackage, PACKAGE_VERSION } from "./binding-package.js";
import { compileBinding, isOfTheseSources } from "./compile.js";
import { lockFolder } from "./install-lock.js";
import { environmentMaker, makeEnvironment, packageFor } from "./make-environment.js";
import { findPythons, namedPython, type PythonEnvironment } from "./python.js";
import { checkGraphics, checkPlatform, checkSpace, findCompiler, usesMusl } from "./requirements.js";
import type { RunProgramOptions } from "./run-program.js";
import { type Verified, verify } from "./verify.js";
import { checkedWheel, wheelProblem } from "./wheel.js";

/** Shows the progress of a sequence of steps that take seconds or minutes. */
export interface StepDisplay {
  /** Runs a step and shows its name and how long it takes; `detail` changes the text next to them. */
  step<T>(name: string, action: (detail: (text: string) => void) => Promise<T>): Promise<T>;
  /** Prints a line that stays. */
  print(line: string): void;
}

export interface InstallOptions {
  /** The folder that holds the installations. */
  readonly folder: string;
  readonly cuda: boolean;
  /** An interpreter, or the folder of a virtual environment, that the user named. */
  readonly python: string | undefined;
  /** Whether to reinstall even if a working installation exists. */
  readonly force: boolean;
  /** Whether to skip computing on it: where an image is built there is no GPU. */
  readonly untried?: boolean;
  readonly display: StepDisplay;
  readonly env: Readonly<NodeJS.ProcessEnv>;
  readonly signal: AbortSignal;
  /** The folder of the NVIDIA driver's files; only tests pass another. */
  readonly driverFolder?: string;
}

export interface Installed extends Verified {
  readonly installation: TensorFlowInstallation;
  /** Whether it existed before. */
  readonly found: boolean;
}

/** The size of an environment with TensorFlow while pip unpacks it; measured with 2.21, and rounded up. */
const ENVIRONMENT_BYTES = { cpu: 2.2e9, cuda: 9e9 };
/** The size of the binding and the package it comes from. */
const BINDING_BYTES = 20e6;

/** @throws {IsobatchError} what is missing or failed; then nothing has changed */
export async function installTensorFlow(options: InstallOptions): Promise<Installed> {
  const { cuda, untried = false, display, env, signal } = options;
  const variant: TensorFlowVariant = cuda ? "cuda" : "cpu";
  const folder = join(options.folder, variant);
  const running: RunProgramOptions = { env, signal };
  checkPlatform(process.platform, process.arch, usesMusl());
  if (cuda && !untried) checkGraphics(options.driverFolder);
  checkSpace(folder, BINDING_BYTES);
  const unlock = lockFolder(folder);
  const id = randomBytes(4).toString("hex");
  const made: string[] = [];
  const make = (name: string): string => {
    const path = join(folder, `${name}-${id}`);
    made.push(path);
    return path;
  };
  try {
    const existing = options.force || untried ? undefined : await verifyExisting(options, variant, folder, running);
    if (existing !== undefined) {
      removeOthers(folder, existing.installation);
      return { ...existing, found: true };
    }
    const compiler = await display.step("a C++ compiler", () => findCompiler(running));
    const { environment, own } = await chooseEnvironment(options, folder, make, running);
    stopIfAborted(signal);
    const wheel = checkedWheel(environment, cuda);
    const bindingFolder = make("binding");
    mkdirSync(bindingFolder);
    const binding = join(bindingFolder, "tfjs_binding.node");
    const packageFolder =
      installedPackage() ??
      (await display.step(`fetch the binding's sources`, () => fetchPackage(bindingFolder, running)));
    stopIfAborted(signal);
    await display.step(`compile the binding against TensorFlow ${wheel.version}`, () =>
      compileBinding({ compiler, wheel, packageFolder, binding }, running),
    );
    stopIfAborted(signal);
    const candidate: TensorFlowInstallation = {
      format: 1,
      variant,
      binding,
      packageFolder,
      packageVersion: PACKAGE_VERSION,
      tensorflowVersion: wheel.version,
      libraryFolder: wheel.folder,
      python: wheel.python,
      // An environment that a previous installation made may have been named, or be the active one.
      ownEnvironment: own || isWithin(wheel.python, folder),
    };
    const verified = untried
      ? { device: "not tried", version: wheel.version }
      : await display.step("compute a product and a gradient on it", () => verify(candidate, make("verify"), running));
    stopIfAborted(signal);
    writeFileDurably(join(folder, INSTALLATION_FILE), JSON.stringify(candidate, undefined, 2));
    made.length = 0;
    removeOthers(folder, candidate);
    return { ...verified, installation: candidate, found: false };
  } catch (error) {
    for (const path of made) rmSync(path, { recursive: true, force: true });
    stopIfAborted(signal);
    throw error;
  } finally {
    unlock();
  }
}

/** An installation that computes is left as it is, unless another Python was named. */
async function verifyExisting(
  { folder: root, python, display }: InstallOptions,
  variant: TensorFlowVariant,
  folder: string,
  running: RunProgramOptions,
): Promise<(Verified & { installation: TensorFlowInstallation }) | undefined> {
  if (python !== undefined) return undefined;
  try {
    const installation = readInstallation(root, variant);
    if (installation === undefined || installation.packageVersion !== PACKAGE_VERSION) return undefined;
    if (![sessionAddonOf, processAddonOf].every((addonOf) => existsSync(addonOf(installation)))) return undefined;
    // If another version of Isobatch made it, it may lack what this one can use.
    if (!isOfTheseSources(installation.binding)) return undefined;
    const scratch = join(folder, "verify-existing");
    const verified = await display.step("compute on what is installed", () => verify(installation, scratch, running));
    return { ...verified, installation };
  } catch (error) {
    if (running.signal?.aborted) throw error;
    return undefined;
  }
}

/** The environment that was named, or the first that has a usable TensorFlow, or else a new one. */
async function chooseEnvironment(
  { folder: root, python, cuda, force, display }: InstallOptions,
  folder: string,
  make: (name: string) => string,
  running: RunProgramOptions,
): Promise<{ environment: PythonEnvironment; own: boolean }> {
  if (python !== undefined) {
    const environment = await display.step(`look at ${python}`, async () => {
      const named = await namedPython(python, running);
      checkedWheel(named, cuda);
      return named;
    });
    return { environment, own: false };
  }
  const pythons = await display.step("look for Python and TensorFlow", async () => {
    const previous = force ? undefined : await previousPython(root, cuda, running);
    return [...(previous === undefined ? [] : [previous]), ...(await findPythons(running))];
  });
  const usable = pythons.find((candidate) => wheelProblem(candidate, cuda) === undefined);
  if (usable !== undefined) return { environment: usable, own: false };
  const maker = environmentMaker(pythons);
  const requirement = packageFor(cuda, process.platform, process.arch);
  checkSpace(folder, cuda ? ENVIRONMENT_BYTES.cuda : ENVIRONMENT_BYTES.cpu);
  const path = make("python");
  const environment = await display.step(`pip install ${requirement}`, (detail) =>
    makeEnvironment(maker, path, requirement, { ...running, detail }),
  );
  return { environment, own: true };
}

/** The environment of an installation that is replaced, because an older Isobatch made it or it does not compute. */
async function previousPython(
  root: string,
  cuda: boolean,
  running: RunProgramOptions,
): Promise<PythonEnvironment | undefined> {
  try {
    const previous = readInstallation(root, cuda ? "cuda" : "cpu");
    return previous && (await namedPython(previous.python, running));
  } catch (error) {
    if (running.signal?.aborted) throw error;
    return undefined;
  }
}

function stopIfAborted(signal: AbortSignal): void {
  if (signal.aborted) throw new IsobatchError("interrupted", "Stopped; nothing was installed.");
}

/** Removes what installations made, including failed ones, but not what this one uses. */
function removeOthers(folder: string, used?: TensorFlowInstallation): void {
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    const isUsed =
      used !== undefined && [used.binding, used.packageFolder, used.python].some((at) => isWithin(at, path));
    if (/^(python|binding|verify)-/.test(name) && !isUsed) rmSync(path, { recursive: true, force: true });
  }
}

const isWithin = (path: string, folder: string): boolean => path.startsWith(folder + sep);

/** Removes an installation. @returns whether there was one. */
export function removeTensorFlow(root: string, variant: TensorFlowVariant): boolean {
  const folder = join(root, variant);
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch {
    return false;
  }
  const unlock = lockFolder(folder);
  try {
    // The file by which it is found is removed first, so that a half-removed installation is not found.
    rmSync(join(folder, INSTALLATION_FILE), { force: true });
    removeOthers(folder);
  } finally {
    unlock();
  }
  rmSync(folder, { recursive: true, force: true });
  return names.includes(INSTALLATION_FILE);
}
