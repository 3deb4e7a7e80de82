import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import * as tf from "@tensorflow/tfjs-core";
import { chooseBackend, openBackend } from "../../backends/index.js";
import { isAlive, openWorkplace, TINY_TASK, untilQuiet } from "./isobatch.test.helper.js";

/**
 * `isobatch tensorflow install` on machines that lack something: the programs on the path are links to the real ones or
 * small scripts that behave like broken ones.
 */
const place = openWorkplace();
after(() => place.close());

let places = 0;
const newFolder = (): string => {
  const folder = join(place.folder, `place-${places++}`);
  mkdirSync(folder);
  return folder;
};

const real = (name: string): string => execFileSync("sh", ["-c", `command -v ${name}`], { encoding: "utf8" }).trim();

/** A folder of programs: links or scripts. */
function programs(content: Record<string, { link: string } | { script: string }>): string {
  const folder = newFolder();
  for (const [name, program] of Object.entries(content)) {
    const path = join(folder, name);
    if ("link" in program) symlinkSync(program.link, path);
    else {
      writeFileSync(path, `#!/bin/sh\n${program.script}\n`);
      chmodSync(path, 0o755);
    }
  }
  return folder;
}

/** A Python that answers like one with this TensorFlow, and can do nothing else. */
const pythonWith = (tensorflow: object | null, makesEnvironments = true): { script: string } => ({
  script: `[ "$1" = -c ] && echo '${JSON.stringify({ version: [3, 11, 7], executable: "/opt/python", makesEnvironments, tensorflow })}' || exit 1`,
});

const compiler = { link: real("g++") };
const wheel = (version: string, folder = "/nowhere/tensorflow"): object => ({
  version,
  folder,
  distribution: "tensorflow",
  cudaLibraries: false,
});

/** Installs with only the given programs on the path; nothing may be left behind, and wasm must compute as before. */
async function installWith(path: string, args: string[] = [], env: Record<string, string> = {}): Promise<string> {
  const folder = newFolder();
  const variables = { PATH: path, VIRTUAL_ENV: "", CXX: "", ISOBATCH_TENSORFLOW: folder, ...env };
  const { code, stdout, stderr } = await place.run(["tensorflow", "install", ...args], variables);
  assert.notEqual(code, 0, stdout);
  assert.deepEqual(leftIn(folder), [], "something was left behind");
  assert.deepEqual(place.processes(), []);
  assert.match(stderr, /^[^\n]+\n$/, "not one sentence");
  await assertComputesOnWasm(folder);
  return stderr;
}

/** A worker with this installation folder chooses the wasm backend, and computes. */
async function assertComputesOnWasm(folder: string): Promise<void> {
  assert.equal(await chooseBackend(undefined, { info() {} }, { tensorFlowFolder: folder }), "wasm");
  const backend = await openBackend("wasm");
  const product = tf.tidy(() => tf.matMul(tf.tensor2d([[1, 2]]), tf.tensor2d([[3], [4]])).dataSync()[0]);
  backend.dispose();
  assert.equal(product, 11);
}

const leftIn = (folder: string): string[] =>
  existsSync(folder)
    ? readdirSync(folder, { recursive: true })
        .map(String)
        .filter((name) => name !== "cpu")
    : [];

describe("isobatch tensorflow install", () => {
  it("names a missing compiler", async () => {
    const path = programs({ python3: pythonWith(null) });
    assert.match(await installWith(path), /^There is no C\+\+ compiler .* apt-get install g\+\+/);
  });

  it("names the compiler of CXX when that is missing", async () => {
    const path = programs({ "g++": compiler, python3: pythonWith(null) });
    assert.match(await installWith(path, [], { CXX: "icpx" }), /^CXX is icpx, which does not run/);
  });

  it("names a missing Python", async () => {
    assert.match(await installWith(programs({ "g++": compiler })), /^There is no Python 3 on the path/);
  });

  it("names a Python that can't make environments", async () => {
    const path = programs({ "g++": compiler, python3: pythonWith(null, false) });
    assert.match(await installWith(path), /can't make virtual environments .* apt-get install python3-venv/);
  });

  it("names an interpreter that --python got wrong", async () => {
    const path = programs({ "g++": compiler });
    assert.match(
      await installWith(path, ["--python", "/no/python"]),
      /^--python is \/no\/python, which does not run Python 3/,
    );
  });

  it("names a package index that can't be reached", async () => {
    const path = programs({ "g++": compiler, python3: { script: `exec ${real("python3")} "$@"` } });
    const index = { PIP_INDEX_URL: "http://127.0.0.1:9/simple", PIP_RETRIES: "0", PIP_CONFIG_FILE: "/dev/null" };
    const sentence = await installWith(`${path}:/usr/bin:/bin`, [], { ...index, PYENV_VERSION: "" });
    assert.match(sentence, /^pip install tensorflow\S*: the package index can't be reached/);
  });

  it("names a TensorFlow that is too old", async () => {
    const path = programs({ "g++": compiler, old: pythonWith(wheel("2.9.1")) });
    const sentence = await installWith(path, ["--python", join(path, "old")]);
    assert.match(sentence, /is 2\.9\.1, which is too old: 2\.16\.1 or newer is needed/);
  });

  it("names a broken TensorFlow, by the file that is missing", async () => {
    const path = programs({ "g++": compiler, broken: pythonWith(wheel("2.21.0", newFolder())) });
    const sentence = await installWith(path, ["--python", join(path, "broken")]);
    assert.match(sentence, /is broken: libtensorflow_cc\S+ is missing; run .* --force-reinstall/);
  });

  it("names a TensorFlow whose library is cut off", async () => {
    const folder = newFolder();
    for (const library of ["libtensorflow_cc.so.2", "libtensorflow_framework.so.2"]) {
      writeFileSync(join(folder, library), "\x7fELF");
    }
    mkdirSync(join(folder, "include", "tensorflow", "c", "eager"), { recursive: true });
    for (const header of ["c_api.h", "eager/c_api.h"]) {
      writeFileSync(join(folder, "include", "tensorflow", "c", header), "");
    }
    const path = programs({ "g++": compiler, broken: pythonWith(wheel("2.21.0", folder)) });
    const sentence = await installWith(`${path}:/usr/bin:/bin`, ["--python", join(path, "broken")]);
    assert.match(sentence, /can't compile the binding against TensorFlow 2\.21\.0 in .*; reinstall that TensorFlow/);
  });

  it("names a full disk before anything is made", {
    skip: process.getuid?.() !== 0 && "only root can mount",
  }, async () => {
    const disk = newFolder();
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=1m", "tmpfs", disk]);
    try {
      const path = programs({ "g++": compiler, python3: pythonWith(null) });
      const sentence = await installWith(path, [], { ISOBATCH_TENSORFLOW: disk });
      assert.match(sentence, /has 0\.0 GB of disk left, and the installation takes/);
    } finally {
      execFileSync("umount", [disk]);
    }
  });

  it("names a disk that fills up while pip runs", async () => {
    const full = `echo "ERROR: Could not install packages: [Errno 28] No space left on device" >&2; exit 1`;
    const python = `case "$1 $2" in "-m venv") mkdir -p "$3/bin"; cp "$0" "$3/bin/python";; "-m pip") ${full};; *) (${pythonWith(null).script}) | sed "s|/opt/python|$0|";; esac`;
    const path = `${programs({ "g++": compiler, python3: { script: python } })}:/usr/bin:/bin`;
    assert.match(await installWith(path), /^pip install tensorflow\S*: the disk is full; free some, or name a folder/);
  });

  const gpu = existsSync("/proc/driver/nvidia/version") && "this machine has an NVIDIA driver";
  it("names a missing driver with --cuda", { skip: gpu }, async () => {
    const path = programs({ "g++": compiler, python3: pythonWith(null) });
    assert.match(await installWith(path, ["--cuda"]), /^--cuda needs an NVIDIA GPU .* no NVIDIA driver is loaded/);
  });

  it("allows only one installation at a time in a folder", async () => {
    const folder = newFolder();
    mkdirSync(join(folder, "cpu"));
    writeFileSync(join(folder, "cpu", "installing.lock"), String(process.pid));
    const variables = { PATH: programs({ "g++": compiler }), ISOBATCH_TENSORFLOW: folder };
    const { code, stderr } = await place.run(["tensorflow", "install"], variables);
    assert.equal(code, 1);
    assert.match(stderr, new RegExp(`^Process ${process.pid} is installing TensorFlow in`));
  });

  it("leaves nothing behind on Ctrl-C while pip runs", async () => {
    const slow = `case "$1 $2" in "-m venv") mkdir -p "$3/bin"; cp "$0" "$3/bin/python";; "-m pip") echo Collecting; sleep 600;; *) (${pythonWith(null).script}) | sed "s|/opt/python|$0|";; esac`;
    const folder = newFolder();
    const path = `${programs({ "g++": compiler, python3: { script: slow } })}:/usr/bin:/bin`;
    const variables = { PATH: path, VIRTUAL_ENV: "", CXX: "", ISOBATCH_TENSORFLOW: folder };
    const running = place.start(["tensorflow", "install"], variables);
    await running.until(/look for Python and TensorFlow/);
    while (!leftIn(folder).some((name) => name.endsWith("tmp"))) {
      if (!isAlive(running.processId)) assert.fail(running.output.stderr);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    running.pressCtrlC();
    const { code, stderr } = await running.ended;
    assert.equal(code, 130);
    assert.equal(stderr, "Stopped; nothing was installed.\n");
    assert.deepEqual(leftIn(folder), []);
    await untilQuiet(place);
  });

  it("leaves the wasm backend as it is", async () => {
    const task = place.write("tiny.json", TINY_TASK);
    const run = ["run", task, "--steps", "2", "--workers", "1", "--backend", "wasm"];
    const { code, stderr } = await place.run(run, { ISOBATCH_TENSORFLOW: newFolder() });
    assert.equal(code, 0, stderr);
  });
});
