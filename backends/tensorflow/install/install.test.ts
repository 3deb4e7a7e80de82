import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { fetchPackage } from "./binding-package.js";
import { compilerArguments, isOfTheseSources } from "./compile.js";
import { installTensorFlow } from "./install.js";
import { packageFor } from "./make-environment.js";
import { askPython } from "./python.js";
import { checkPlatform } from "./requirements.js";
import { librariesOf, wheelProblem } from "./wheel.js";

const place = mkdtempSync(join(tmpdir(), "isobatch-install-"));
after(() => rmSync(place, { recursive: true }));

describe("installTensorFlow() for CUDA", () => {
  const installWith = (driver: string, gpus: string[]): Promise<unknown> => {
    const driverFolder = mkdtempSync(join(place, "driver-"));
    for (const gpu of ["", ...gpus]) mkdirSync(join(driverFolder, "gpus", gpu), { recursive: true });
    writeFileSync(join(driverFolder, "version"), `NVRM version: NVIDIA UNIX x86_64 Kernel Module  ${driver}\n`);
    const display = {
      step: <T>(_: string, action: (detail: () => void) => Promise<T>) => action(() => {}),
      print() {},
    };
    const folder = join(place, "never-made");
    return installTensorFlow({
      folder,
      cuda: true,
      python: undefined,
      force: false,
      display,
      driverFolder,
      env: { PATH: "" },
      signal: new AbortController().signal,
    });
  };

  it("names a driver that is too old, and one that finds no GPU, before anything is made", async () => {
    await assert.rejects(installWith("470.82.01", ["0000:01:00.0"]), {
      code: "unavailable",
      message:
        /^--cuda needs .* 470\.82\.01 is too old for CUDA 12, which needs 525\.60\.13 or newer; install without --cuda/,
    });
    await assert.rejects(installWith("580.65.06", []), {
      message: /but the NVIDIA driver finds no GPU; install without/,
    });
    assert.ok(!readdirSync(place).includes("never-made"));
  });
});

describe("fetchPackage()", () => {
  const fetchWith = (script: string): Promise<string> => {
    const path = mkdtempSync(join(place, "npm-"));
    writeFileSync(join(path, "npm"), `#!/bin/sh\n${script}\n`);
    chmodSync(join(path, "npm"), 0o755);
    return fetchPackage(path, { env: { PATH: `${path}:/usr/bin:/bin` } });
  };

  it("names npm's complaint where there is no network", async () => {
    const script = 'echo "npm ERR! code ENOTFOUND" >&2; exit 1';
    await assert.rejects(fetchWith(script), {
      code: "unavailable",
      message: /failed \(npm ERR! code ENOTFOUND\); check/,
    });
  });

  it("refuses a package that is not what it should be", async () => {
    const script = 'echo other > "$5/tfjs.tgz"; echo \'[{"filename":"tfjs.tgz"}]\'';
    await assert.rejects(fetchWith(script), { code: "damaged", message: /its SHA-512 differs/ });
  });
});

describe("the systems that TensorFlow has wheels for", () => {
  const compilation = {
    packageFolder: "/package",
    wheel: { version: "2.21.0", folder: "/tf", python: "/python", libraries: librariesOf("darwin") },
  };

  it("link dylibs into a bundle on a Mac, and are never unloaded on Linux", () => {
    const mac = compilerArguments(compilation, ["addon.cc"], "addon.node", "darwin");
    for (const argument of ["-bundle", "/tf/libtensorflow_cc.2.dylib", "/tf/libtensorflow_framework.2.dylib"]) {
      assert.ok(mac.includes(argument), argument);
    }
    assert.ok(!mac.some((argument) => /nodelete|-shared/.test(argument)), String(mac));
    const linux = compilerArguments(compilation, ["addon.cc"], "addon.node", "linux");
    assert.ok(linux.includes("-shared") && linux.includes("-Wl,-z,nodelete"));
    for (const args of [mac, linux]) assert.ok(args.includes("-Wl,-rpath,/tf"));
  });

  it("get the smallest package that computes", () => {
    assert.equal(packageFor(false, "linux", "x64"), "tensorflow-cpu");
    assert.equal(packageFor(false, "linux", "arm64"), "tensorflow");
    assert.equal(packageFor(false, "darwin", "arm64"), "tensorflow");
    assert.equal(packageFor(true, "linux", "x64"), "tensorflow[and-cuda]");
  });

  it("are three; any other is refused", () => {
    for (const [platform, architecture] of [
      ["linux", "x64"],
      ["linux", "arm64"],
      ["darwin", "arm64"],
    ] as const) {
      checkPlatform(platform, architecture, false);
    }
    assert.throws(() => checkPlatform("darwin", "x64", false), { message: /no package for darwin x64/ });
    assert.throws(() => checkPlatform("win32", "x64", false), { message: /use the wasm backend/ });
    assert.throws(() => checkPlatform("linux", "x64", true), { message: /GNU C library/ });
  });

  it("are asked for CUDA's libraries when a GPU shall compute", () => {
    const tensorflow = { version: "2.21.0", folder: "/tf", distribution: "tensorflow", cudaLibraries: false };
    const environment = { version: [3, 11, 7] as [number, number, number], executable: "/python" };
    const problem = wheelProblem({ ...environment, makesEnvironments: true, tensorflow }, true);
    assert.match(problem!, /has no CUDA libraries next to it; run \/python -m pip install "tensorflow\[and-cuda\]"/);
  });
});

describe("askPython()", () => {
  it("is answered by the Python of this machine", async () => {
    const environment = await askPython("python3", { env: process.env });
    if (environment !== undefined) assert.equal(environment.version[0], 3);
    assert.equal(await askPython("/no/python", { env: process.env }), undefined);
  });
});

describe("isOfTheseSources()", () => {
  it("knows the addons of another version, and those that do not say", (test) => {
    const folder = mkdtempSync(join(tmpdir(), "isobatch-addons-"));
    test.after(() => rmSync(folder, { recursive: true }));
    const binding = join(folder, "tfjs_binding.node");
    assert.equal(isOfTheseSources(binding), false);
    writeFileSync(join(folder, "isobatch_sources.sha256"), "0".repeat(64));
    assert.equal(isOfTheseSources(binding), false);
    const sources = ["backends/tensorflow/program/session.cc", "shared/native/process.cc"];
    const hash = createHash("sha256");
    for (const source of sources) hash.update(readFileSync(new URL(`../../../../${source}`, import.meta.url)));
    writeFileSync(join(folder, "isobatch_sources.sha256"), hash.digest("hex"));
    assert.equal(isOfTheseSources(binding), true);
  });
});
