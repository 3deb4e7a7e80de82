import assert from "node:assert/strict";
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { after, describe, it } from "node:test";
import {
  INSTALLATION_FILE,
  readInstallation,
  sessionAddonOf,
  type TensorFlowInstallation,
  tensorFlowFolder,
} from "../../shared/native/installation.js";
import { openWorkplace, TINY_TASK } from "./isobatch.test.helper.js";

/** The user's installation is only read: the tests make their own against its Python environment. */
const usersFolder = tensorFlowFolder(process.env);
const users = readInstallation(usersFolder, "cpu");
const skip = users === undefined && "no TensorFlow is installed; run isobatch tensorflow install";

/** A fingerprint that an installation or a removal would change. */
const stateOf = (folder: string): unknown => [
  readdirSync(folder),
  readFileSync(join(folder, INSTALLATION_FILE), "utf8"),
];

describe("a native TensorFlow", { skip }, () => {
  const place = openWorkplace();
  after(() => place.close());
  const folder = join(place.folder, "tensorflow");
  const native = { ISOBATCH_TENSORFLOW: folder };
  const before = users && stateOf(join(usersFolder, "cpu"));
  let installed: TensorFlowInstallation;
  const summaryOf = (run: string): { steps: number; stateHash: string } =>
    JSON.parse(readFileSync(join(place.folder, run, "summary.json"), "utf8"));

  it("is installed against an environment inside the installation, which is kept", async () => {
    const environment = join(folder, "cpu", "python-old");
    mkdirSync(join(folder, "cpu"), { recursive: true });
    symlinkSync(dirname(dirname(users!.python)), environment);
    mkdirSync(join(folder, "cpu", "binding-old"));
    const { code, stderr } = await place.run(["tensorflow", "install", "--python", environment], native);
    assert.equal(code, 0, stderr);
    installed = readInstallation(folder, "cpu")!;
    assert.ok(existsSync(sessionAddonOf(installed)), "there are no sessions");
    assert.ok(existsSync(installed.python), "the environment was removed");
    assert.equal(installed.ownEnvironment, true);
    assert.ok(
      !existsSync(join(folder, "cpu", "binding-old")),
      "the leftovers of an interrupted installation are still there",
    );
  });

  it("is found by a second install", async () => {
    const { code, stdout } = await place.run(["tensorflow", "install"], native);
    assert.equal(code, 0);
    assert.match(stdout, /Already installed, and it works\./);
    assert.ok(stdout.includes(installed.binding), stdout);
  });

  it("trains, and is what a worker chooses by default", async () => {
    const task = place.write("tiny.json", TINY_TASK);
    const { code, stdout, stderr } = await place.run(["run", task, "--workers", "1", "--out", "run"], native);
    assert.equal(code, 0, stderr);
    assert.match(stdout, /has joined: TensorFlow \d+\.\d+/);
    assert.equal(summaryOf("run").steps, 20);
  });

  it("gives the same bits on more workers and threads, compiled or operation by operation", async () => {
    const task = join(place.folder, "tiny.json");
    const without = join(place.folder, "without-sessions");
    const binding = join(without, "cpu", "binding", "tfjs_binding.node");
    mkdirSync(dirname(binding), { recursive: true });
    copyFileSync(installed.binding, binding);
    writeFileSync(join(without, "cpu", INSTALLATION_FILE), JSON.stringify({ ...installed, binding }));
    const more = ["--workers", "2", "--compute-threads", "2", "--out", "more"];
    assert.equal((await place.run(["run", task, ...more], native)).code, 0);
    const slow = await place.run(["run", task, "--workers", "1", "--out", "slow"], { ISOBATCH_TENSORFLOW: without });
    assert.match(slow.stdout, /has joined: .* faster after isobatch tensorflow install/);
    assert.equal(summaryOf("more").stateHash, summaryOf("run").stateHash);
    assert.equal(summaryOf("slow").stateHash, summaryOf("run").stateHash);
  });

  it("evaluates such a run too, or on another backend where TensorFlow is missing, and says so", async () => {
    const here = await place.run(["evaluate", "run", "--json"], native);
    assert.equal((JSON.parse(here.stdout) as { backend: string }).backend, "tfjs-node", here.stderr);
    const elsewhere = await place.run(["evaluate", "run"]);
    assert.match(elsewhere.stdout, /\(computed on wasm\)\n$/);
    assert.match(
      elsewhere.stderr,
      /^The run was computed on tfjs-node, which is unavailable here \(TensorFlow is not inst/,
    );
  });

  it("is shown by the doctor, with versions, threads and what makes results repeatable", async () => {
    const { stdout } = await place.run(["doctor", "--json"], native);
    const { backends, tensorflow, run } = JSON.parse(stdout) as {
      backends: { name: string; works: boolean; version: string; intraOpThreads: number; determinism: string }[];
      tensorflow: { installations: { version: string }[] };
      run: { backend: string };
    };
    assert.deepEqual(backends.map(({ name, works }) => [name, works]).slice(1), [
      ["tfjs-node", true],
      ["wasm", true],
      ["cpu", true],
    ]);
    assert.equal(tensorflow.installations[0].version, installed.tensorflowVersion);
    const { version, intraOpThreads, determinism } = backends[1];
    assert.equal(version, `4.22.0 on TensorFlow ${installed.tensorflowVersion}`);
    assert.equal(intraOpThreads, 1);
    assert.match(determinism, /deterministic operations/);
    assert.equal(run.backend, backends.find(({ works }) => works)!.name);
  });

  it("lets a process end normally after a thread has loaded it", async () => {
    const join = ["worker", "join", "127.0.0.1:1", "--backend", "tfjs-node", "--wait", "0.1"];
    const { code, stderr } = await place.run(join, { ...native, ISOBATCH_TOKEN: "never-read" });
    assert.equal(code, 1, stderr);
    assert.match(stderr, /Cannot reach 127\.0\.0\.1:1/);
  });

  it("is removed, without the environment elsewhere that it was installed against", async () => {
    assert.equal((await place.run(["tensorflow", "remove"], native)).code, 0);
    assert.ok(!existsSync(join(folder, "cpu")));
    assert.ok(existsSync(users!.python), "an environment elsewhere was removed");
    assert.deepEqual(stateOf(join(usersFolder, "cpu")), before, "the user's installation was touched");
  });
});
