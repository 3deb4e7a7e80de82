/**
 * A Python environment with PyTorch, made once in a cache folder and reused. On Linux the package index's only wheel of PyTorch
 * is built for CUDA and requires gigabytes of CUDA's libraries, which a process without a GPU never calls but which must exist
 * for PyTorch to be loaded. So PyTorch is installed without its dependencies, then the small packages that it imports or calls
 * as it starts; each of the others is replaced by an empty library of the same name.
 */
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { basename, join } from "node:path";
import {
  type Ended,
  findPythons,
  type PythonEnvironment,
  runProgram,
} from "../../backends/tensorflow/install/index.js";
import { IsobatchError } from "../../shared/errors.js";

export const PYTORCH_VERSION = "2.15.0";

const IMPORTED = ["filelock", "fsspec", "jinja2", "networkx", "setuptools", "sympy", "typing-extensions"];
/** Packages that PyTorch calls when it is loaded, with or without a GPU, in the versions that it requires. */
const CUDA_RUNTIME = "cuda-toolkit[cudart,cupti]==13.2.2";
/** The functions of the libraries that are left out. */
const LEFT_OUT = /^(cublas|cudnn|cufft|cuFile|cusolver|cusparse|nccl|nvrtc|nvshmem)/;
const LIBRARIES_MAX = 32;
const COMPLETE = "complete";

/** The environment of programs that use PyTorch: no warning about a missing NumPy, no files written next to the scripts. */
export const environment = { ...process.env, PYTHONWARNINGS: "ignore", PYTHONDONTWRITEBYTECODE: "1" };

/**
 * The interpreter to run PyTorch with.
 * @param named an interpreter, or a virtual environment's folder, that has PyTorch; by default an environment is made.
 * @throws {IsobatchError} `unavailable` if there is none and none can be made; the message says what to do.
 */
export async function pythonWithTorch(named: string | undefined, notice: (text: string) => void): Promise<string> {
  if (named !== undefined) return checked(named);
  const cache = process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache");
  const folder = join(cache, "isobatch-bench", `pytorch-${PYTORCH_VERSION}`);
  const python = join(folder, "bin", "python");
  if (existsSync(join(folder, COMPLETE))) return checked(python);
  const interpreter = await maker();
  notice(`PyTorch ${PYTORCH_VERSION} is being installed in ${folder} (1.3 GB, once).`);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  await install(interpreter, folder, python);
  await checked(python);
  writeFileSync(join(folder, COMPLETE), `${PYTORCH_VERSION}\n`);
  return python;
}

async function checked(path: string): Promise<string> {
  const python = existsSync(join(path, "bin", "python")) ? join(path, "bin", "python") : path;
  const { code, stderr, startError } = await importTorch(python);
  if (code === 0) return python;
  throw unavailable(`${python} can't import torch`, startError ?? lastLine(stderr));
}

async function maker(): Promise<PythonEnvironment> {
  const pythons = await findPythons({ env: environment }).catch(() => []);
  const able = pythons.find(({ makesEnvironments }) => makesEnvironments);
  if (able !== undefined) return able;
  const [found] = pythons;
  throw found === undefined
    ? unavailable("There is no Python 3 on the path")
    : unavailable(`${found.executable} can't make virtual environments`, "its modules venv and ensurepip are missing");
}

async function install({ executable }: PythonEnvironment, folder: string, python: string): Promise<void> {
  await mustRun(executable, ["-m", "venv", folder]);
  const pip = ["-m", "pip", "install", "--quiet", "--no-cache-dir", "--disable-pip-version-check", "--no-input"];
  const torch = `torch==${PYTORCH_VERSION}`;
  if (process.platform !== "linux") return mustRun(python, [...pip, torch]);
  await mustRun(python, [...pip, "--no-deps", torch]);
  await mustRun(python, [...pip, ...IMPORTED, CUDA_RUNTIME]);
  await fillIn(python, folder);
}

/**
 * Makes libraries until PyTorch can be loaded. Their functions are in one library that the empty ones link to, because the loader
 * refuses a function without a symbol version in the library from which that version is expected.
 */
async function fillIn(python: string, folder: string): Promise<void> {
  const [version] = readdirSync(join(folder, "lib")).filter((name) => name.startsWith("python"));
  const libraries = join(folder, "lib", version, "site-packages", "torch", "lib");
  const source = join(folder, "left-out.c");
  const functions = join(libraries, "libleft-out.so");
  const link = (name: string, ...args: string[]): Promise<void> =>
    mustRun("cc", ["-shared", "-nostdlib", `-Wl,-soname,${name}`, "-o", join(libraries, name), ...args]);
  writeFileSync(source, (await leftOut(libraries)).map((name) => `char ${name}[8];\n`).join(""));
  await link(basename(functions), source);
  for (let made = 0; made < LIBRARIES_MAX; made++) {
    const { code, stderr } = await importTorch(python);
    const missing = /(lib[\w.-]+\.so[.\d]*): cannot open shared object file/.exec(stderr)?.[1];
    if (code === 0 || missing === undefined) return;
    await link(missing, "-Wl,--no-as-needed", functions, "-Wl,-rpath,$ORIGIN");
  }
}

/** The functions that PyTorch's libraries expect from those that are left out, called or not. */
async function leftOut(libraries: string): Promise<string[]> {
  const own = readdirSync(libraries).filter((name) => /^lib(torch|c10).*\.so$/.test(name));
  const names = new Set<string>();
  const onLine = (line: string): void => {
    const name = / U (\w+)/.exec(line)?.[1];
    if (name !== undefined && LEFT_OUT.test(name)) names.add(name);
  };
  const args = ["-D", "--undefined-only", ...own.map((name) => join(libraries, name))];
  const listed = await runProgram("nm", args, { env: environment, onLine });
  if (listed.code !== 0) throw failed("nm", listed);
  return [...names];
}

const importTorch = (python: string): Promise<Ended> =>
  runProgram(python, ["-c", "import torch"], { env: environment });

async function mustRun(program: string, args: readonly string[]): Promise<void> {
  const ended = await runProgram(program, args, { env: environment });
  if (ended.code !== 0) throw failed([program, ...args.slice(0, 3)].join(" "), ended);
}

function failed(what: string, { startError, stderr, code }: Ended): IsobatchError {
  return unavailable(
    `${what} failed while PyTorch was installed`,
    startError ?? (lastLine(stderr) || `exit code ${code}`),
  );
}

function lastLine(text: string): string {
  return text.trim().split("\n").at(-1) ?? "";
}

function unavailable(what: string, why?: string): IsobatchError {
  const reason = why === undefined ? "" : ` (${why})`;
  return new IsobatchError("unavailable", `${what}${reason}; name with --python an interpreter that has PyTorch.`);
}
