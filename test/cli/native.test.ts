import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, symlinkSync } from "node:fs";
import { dirname, join } from "node:path";
import { after, describe, it } from "node:test";
import { readInstallation, tensorFlowFolder } from "../../worker/backends/tensorflow/installation.js";
import { openWorkplace, TINY_TASK } from "./isobatch.test.helper.js";

const installed = readInstallation(tensorFlowFolder(process.env), "cpu");
const skip = installed === undefined && "no TensorFlow is installed; run isobatch tensorflow install";

describe("a native TensorFlow", { skip }, () => {
  const place = openWorkplace();
  after(() => place.close());
  const native = { ISOBATCH_TENSORFLOW: tensorFlowFolder(process.env) };

  it("is found to be there by a second install", async () => {
    const { code, stdout } = await place.run(["tensorflow", "install"], native);
    assert.equal(code, 0);
    assert.match(stdout, /It was installed already, and computes\./);
    assert.ok(stdout.includes(installed!.binding), stdout);
  });

  it("trains, and is what a worker takes by itself", async () => {
    const task = place.write("tiny.json", TINY_TASK);
    const { code, stdout, stderr } = await place.run(["run", task, "--workers", "1", "--out", "run"], native);
    assert.equal(code, 0, stderr);
    assert.match(stdout, /has joined: TensorFlow \d+\.\d+/);
    const { steps } = JSON.parse(readFileSync(join(place.folder, "run", "summary.json"), "utf8")) as { steps: number };
    assert.equal(steps, 20);
  });

  it("lets a process end in order after a thread has loaded it", async () => {
    const join = ["worker", "join", "127.0.0.1:1", "--backend", "tfjs-node", "--wait", "0.1"];
    const { code, stderr } = await place.run(join, { ...native, ISOBATCH_TOKEN: "never-read" });
    assert.equal(code, 1, stderr);
    assert.match(stderr, /Cannot reach 127\.0\.0\.1:1/);
  });

  it("is installed anew against an environment that lies in the installation, which stays; and is removed", async () => {
    const folder = join(place.folder, "again");
    const environment = join(folder, "cpu", "python-old");
    mkdirSync(join(folder, "cpu"), { recursive: true });
    symlinkSync(dirname(dirname(installed!.python)), environment);
    mkdirSync(join(folder, "cpu", "binding-old"));
    const again = { ISOBATCH_TENSORFLOW: folder };
    const { code, stderr } = await place.run(["tensorflow", "install", "--python", environment], again);
    assert.equal(code, 0, stderr);
    const { python, ownEnvironment } = readInstallation(folder, "cpu")!;
    assert.ok(existsSync(python), "the environment was removed");
    assert.equal(ownEnvironment, true);
    assert.ok(!existsSync(join(folder, "cpu", "binding-old")), "what an ended installation left stays");
    assert.equal((await place.run(["tensorflow", "remove"], again)).code, 0);
    assert.ok(!existsSync(join(folder, "cpu")));
    assert.ok(existsSync(installed!.python), "an environment elsewhere was removed");
  });
});
