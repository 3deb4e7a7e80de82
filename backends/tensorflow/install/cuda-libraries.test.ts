import assert from "node:assert/strict";
import { execFile, execFileSync, spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { sessionAddonOf } from "../../../shared/native/installation.js";
import type { LoadAnswer } from "../load-program.test.helper.js";
import { compileProcessAddon } from "./compile.js";

const COMPILER = process.env.CXX || "c++";
const skip =
  process.platform !== "linux"
    ? "CUDA's libraries are laid out so on Linux"
    : spawnSync(COMPILER, ["--version"]).status !== 0 && "there is no C++ compiler";
const require = createRequire(import.meta.url);

/**
 * NVIDIA's packages for CUDA 12 with what each library is linked against, as `pip install tensorflow[and-cuda]` leaves
 * them.
 */
const PIP: readonly (readonly [folder: string, library: string, ...needs: string[]])[] = [
  ["cuda_runtime", "libcudart.so.12"],
  ["cuda_nvrtc", "libnvrtc.so.12"],
  ["nvjitlink", "libnvJitLink.so.12"],
  ["cublas", "libcublasLt.so.12"],
  ["cublas", "libcublas.so.12", "libcublasLt.so.12"],
  ["cufft", "libcufft.so.11"],
  ["curand", "libcurand.so.10"],
  ["cusparse", "libcusparse.so.12", "libnvJitLink.so.12"],
  ["cusolver", "libcusolver.so.11", "libcusparse.so.12", "libcublas.so.12", "libcublasLt.so.12", "libnvJitLink.so.12"],
  ["cudnn", "libcudnn.so.9"],
];

/** The version functions of NVIDIA's libraries, as their headers declare them. */
const VERSIONS: Readonly<Record<string, string>> = {
  "libcudart.so.12": 'extern "C" int cudaRuntimeGetVersion(int* version) { *version = 12090; return 0; }',
  "libcublasLt.so.12": 'extern "C" unsigned long cublasLtGetVersion() { return 120503; }',
  "libcudnn.so.9": 'extern "C" unsigned long cudnnGetVersion() { return 90300; }',
};

/**
 * What TensorFlow 2.21 opens before it registers a GPU, and the folders that the library that does so can look into.
 */
const OPENED = [
  "cudart.so.12",
  "cublas.so.12",
  "cublasLt.so.12",
  "cufft.so.11",
  "cusolver.so.11",
  "cusparse.so.12",
  "cudnn.so.9",
];
const RUN_PATH = ["nccl", "cuda_cupti", "cublas", "cudnn", "cufft", "cusparse", "cuda_runtime"];

/** Says that it uses a GPU if it finds all of them, as TensorFlow's loader looks: by name, each for itself. */
const STAND_IN = `
#include <dlfcn.h>
#include <node_api.h>
#include <stdlib.h>
#include <initializer_list>
static napi_value IsUsingGpuDevice(napi_env env, napi_callback_info info) {
  bool all = true;
  for (const char* name : {${OPENED.map((name) => `"lib${name}"`).join(", ")}})
    all = dlopen(name, RTLD_NOW | RTLD_LOCAL) != nullptr && all;
  napi_value answer;
  napi_get_boolean(env, all, &answer);
  return answer;
}
static napi_value Initialize(napi_env env, napi_value exports) {
  napi_value function;
  napi_create_function(env, "isUsingGpuDevice", NAPI_AUTO_LENGTH, IsUsingGpuDevice, nullptr, &function);
  napi_set_named_property(env, exports, "isUsingGpuDevice", function);
  if (const char* opened = getenv("STAND_IN_OPENED")) {
    napi_value text;
    napi_create_string_utf8(env, opened, NAPI_AUTO_LENGTH, &text);
    napi_set_named_property(env, exports, "opened", text);
  }
  return exports;
}
NAPI_MODULE(stand_in, Initialize)
`;

/** The only function of TensorFlow's library that is looked up by its name. */
const FRAMEWORK = "namespace tsl { void enable_tensor_float_32_execution(bool) {} }";

/**
 * Stands in for the addon for sessions: keeps the settings that a session was opened with, for the binding to report.
 */
const SESSIONS = `
#include <node_api.h>
#include <stdio.h>
#include <stdlib.h>
#include <string>
static napi_value Open(napi_env env, napi_callback_info info) {
  size_t count = 2, length = 0;
  napi_value arguments[2];
  void* data = nullptr;
  std::string text;
  napi_get_cb_info(env, info, &count, arguments, nullptr, nullptr);
  napi_get_typedarray_info(env, arguments[1], nullptr, &length, &data, nullptr, nullptr);
  for (size_t i = 0; i < length; i++) {
    char digits[3];
    snprintf(digits, 3, "%02x", static_cast<unsigned char*>(data)[i]);
    text += digits;
  }
  setenv("STAND_IN_OPENED", text.c_str(), 1);
  return arguments[1];
}
static napi_value Close(napi_env, napi_callback_info) { return nullptr; }
static napi_value Initialize(napi_env env, napi_value exports) {
  napi_value open, close;
  napi_create_function(env, "open", NAPI_AUTO_LENGTH, Open, nullptr, &open);
  napi_create_function(env, "close", NAPI_AUTO_LENGTH, Close, nullptr, &close);
  napi_set_named_property(env, exports, "open", open);
  napi_set_named_property(env, exports, "close", close);
  return exports;
}
NAPI_MODULE(sessions, Initialize)
`;

const BUILD_INFO = "[('cuda_version', '12.5.1'), ('cudnn_version', '9'), ('is_cuda_build', True)]";

describe("CUDA's libraries in pip's layout", { skip }, () => {
  let place: string;
  const site = (): string => join(place, "site-packages");

  before(async () => {
    place = mkdtempSync(join(tmpdir(), "isobatch-cuda-"));
    const shared = (target: string, source: string, ...args: string[]): void => {
      execFileSync(COMPILER, ["-shared", "-fPIC", "-x", "c++", source, "-x", "none", "-o", target, ...args]);
    };
    for (const [folder, name, ...needs] of PIP) {
      const libraries = join(site(), "nvidia", folder, "lib");
      mkdirSync(libraries, { recursive: true });
      const linked = needs.map((need) =>
        join(site(), "nvidia", PIP.find(([, library]) => library === need)![0], "lib", need),
      );
      const source = join(place, `${name}.cc`);
      writeFileSync(source, VERSIONS[name] ?? "");
      shared(join(libraries, name), source, `-Wl,-soname,${name}`, "-Wl,--no-as-needed", ...linked);
    }
    const python = join(site(), "tensorflow", "python", "platform");
    mkdirSync(python, { recursive: true });
    writeFileSync(join(python, "build_info.py"), BUILD_INFO);
    const binding = join(place, "binding", "tfjs_binding.node");
    mkdirSync(dirname(binding));
    writeFileSync(join(place, "stand-in.cc"), STAND_IN);
    const headers = join(dirname(require.resolve("node-api-headers/package.json")), "include");
    const framework = join(site(), "tensorflow", "libtensorflow_framework.so.2");
    writeFileSync(join(place, "framework.cc"), FRAMEWORK);
    shared(framework, join(place, "framework.cc"));
    const runPath = RUN_PATH.map((folder) => join(site(), "nvidia", folder, "lib")).join(":");
    const linked = ["-Wl,--no-as-needed", framework, `-Wl,-rpath,${runPath}`];
    shared(binding, join(place, "stand-in.cc"), "-I", headers, ...linked);
    writeFileSync(join(place, "sessions.cc"), SESSIONS);
    shared(sessionAddonOf({ binding }), join(place, "sessions.cc"), "-I", headers);
    const wheel = { version: "2.21.0", folder: join(site(), "tensorflow"), libraries: [], python: "python3" };
    await compileProcessAddon({ compiler: COMPILER, wheel, packageFolder: place, binding }, { env: process.env });
  });
  after(() => rmSync(place, { recursive: true, force: true }));

  /** Loads the stand-in from a copy of the layout without some files. */
  async function load(
    backend: string,
    without: readonly string[] = [],
    { addon = true, gpuMemoryMiB }: { addon?: boolean; gpuMemoryMiB?: number } = {},
  ): Promise<LoadAnswer> {
    const copy = mkdtempSync(join(place, "copy-"));
    const binding = join(copy, "binding", "tfjs_binding.node");
    cpSync(join(place, "binding"), dirname(binding), { recursive: true });
    if (!addon) rmSync(join(copy, "binding", "isobatch_process.node"));
    // The run path names the original: what is taken away is taken away there.
    const away = PIP.filter(([, name]) => without.includes(name)).map(([folder, name]) =>
      join(site(), "nvidia", folder, "lib", name),
    );
    for (const path of away) {
      cpSync(path, join(copy, "away", path));
      rmSync(path);
    }
    const file = join(copy, "installation.json");
    const packageFolder = dirname(require.resolve("@tensorflow/tfjs-node-gpu/package.json"));
    const installation = {
      binding,
      packageFolder,
      libraryFolder: join(site(), "tensorflow"),
      python: "/venv/bin/python",
    };
    writeFileSync(file, JSON.stringify(installation));
    const program = fileURLToPath(new URL("../load-program.test.helper.js", import.meta.url));
    const { LD_LIBRARY_PATH: _, ...env } = process.env;
    const limit = gpuMemoryMiB === undefined ? [] : [String(gpuMemoryMiB)];
    try {
      const { stdout } = await promisify(execFile)(process.execPath, [program, backend, file, ...limit], { env });
      return JSON.parse(stdout) as LoadAnswer;
    } finally {
      for (const path of away) cpSync(join(copy, "away", path), path);
    }
  }

  it("are all found by a TensorFlow whose run path lacks some, without any variable", async () => {
    const { error, inProcess, problems, opened } = await load("tfjs-node-gpu");
    assert.deepEqual([error, opened], [undefined, undefined]);
    assert.deepEqual(inProcess.toSorted(), PIP.map(([, name]) => name).toSorted());
    // The driver's libraries that a container was not given are named.
    for (const name of ["libcuda.so.1", "libnvidia-ml.so.1"]) {
      const here = spawnSync("ldconfig", ["-p"], { encoding: "utf8" }).stdout?.includes(name) ?? false;
      const named = problems.some((problem) =>
        problem.startsWith(`${name} of the NVIDIA driver is missing; in a container`),
      );
      assert.equal(named, !here, name);
    }
  });

  it("are loaded after a session has set how much of the GPU's memory TensorFlow may take", async () => {
    const gpuMemoryMiB = 6_144;
    // As TensorFlow writes the setting: see gpu-memory.test.ts.
    assert.equal((await load("tfjs-node-gpu", [], { gpuMemoryMiB })).opened, "320a4a080a060a040000c045");
  });

  it("are left alone where a processor computes", async () => {
    const gpuMemoryMiB = 6_144;
    const { inProcess, problems, versions, opened } = await load("tfjs-node", [], { gpuMemoryMiB });
    assert.deepEqual([inProcess, problems, opened], [[], [], undefined]);
    const unknown = ["CUDA", "cuBLAS", "cuDNN"].map((name) => ({ name }));
    assert.deepEqual(versions, unknown, "nothing is loaded only to read its version");
  });

  it("report their versions themselves; where they can't, pip's record of the version counts", async () => {
    mkdirSync(join(site(), "nvidia_cublas_cu12-12.5.3.2.dist-info"));
    const { versions, unasked } = await load("tfjs-node-gpu");
    assert.deepEqual(versions, [
      { name: "CUDA", version: "12.9" },
      { name: "cuBLAS", version: "12.5.3" },
      { name: "cuDNN", version: "9.3.0" },
    ]);
    assert.deepEqual(unasked, [{ name: "CUDA" }, { name: "cuBLAS", version: "12.5.3" }, { name: "cuDNN" }]);
  });

  it("are named where they are missing, with what to do", async () => {
    const solver = await load("tfjs-node-gpu", ["libcusolver.so.11"]);
    const missing = 'libcusolver.so.11 is missing; run /venv/bin/python -m pip install "tensorflow[and-cuda]"';
    assert.equal(solver.error, `The backend tfjs-node-gpu is unavailable: TensorFlow sees no GPU: ${missing}.`);
    assert.equal(solver.problems[0], missing);
    const linker = await load("tfjs-node-gpu", ["libnvJitLink.so.12"]);
    assert.match(
      linker.problems[0],
      /^libcusparse\.so\.12 can't be loaded \(libnvJitLink\.so\.12: cannot open .*\); run/,
    );
  });
});
