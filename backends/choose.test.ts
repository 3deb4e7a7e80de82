import assert from "node:assert/strict";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import * as tf from "@tensorflow/tfjs-core";
import { IsobatchError } from "../shared/errors.js";
import { createLog } from "../shared/log.js";
import { chooseBackend, openBackend, probeBackends } from "./index.js";

/** Whatever this user has installed, here no TensorFlow is found. */
const settings = { tensorFlowFolder: join(tmpdir(), "isobatch-no-tensorflow") };

const log = createLog({ level: "silent", pretty: false });

/** A log that keeps what was said. */
function listening(): { log: typeof log; lines: string[] } {
  const lines: string[] = [];
  const info = (_: unknown, line: string): void => void lines.push(line);
  return { log: Object.assign(Object.create(log), { info }) as typeof log, lines };
}

describe("probeBackends()", () => {
  it("reports for each backend, in the order of preference, whether it works and why not", async () => {
    const probes = await probeBackends(settings);
    assert.deepEqual(
      probes.map(({ name, available }) => [name, available]),
      [
        ["tfjs-node-gpu", false],
        ["tfjs-node", false],
        ["wasm", true],
        ["cpu", true],
      ],
    );
    assert.equal(probes[1].reason, "TensorFlow is not installed; run isobatch tensorflow install");
    assert.match(probes[2].device, /WebAssembly with SIMD/);
    assert.equal(probes[2].reason, "");
  });

  it("does not touch an open backend and its tensors", async () => {
    const backend = await openBackend("wasm");
    const x = tf.tensor([1, 2, 3]);
    await probeBackends(settings);
    assert.equal(tf.getBackend(), "wasm");
    assert.deepEqual([...x.dataSync()], [1, 2, 3]);
    x.dispose();
    backend.dispose();
  });
});

describe("chooseBackend()", () => {
  it("takes the first that works, and logs why not the ones before it", async () => {
    const { log, lines } = listening();
    assert.equal(await chooseBackend(undefined, log, settings), "wasm");
    assert.equal(lines.length, 3);
    assert.match(lines[0], /^not computing on tfjs-node-gpu: ./);
    assert.match(lines[2], /^computing on wasm: WebAssembly with SIMD/);
  });

  it("takes the one asked for", async () => {
    assert.equal(await chooseBackend("cpu", log, settings), "cpu");
  });

  it("refuses a name that no backend has, and lists those there are", async () => {
    await assert.rejects(chooseBackend("webgl", log, settings), (error: unknown) => {
      assert.ok(error instanceof IsobatchError && error.code === "invalid_input");
      assert.equal(error.message, 'The backend "webgl" is unknown; choose one of tfjs-node-gpu, tfjs-node, wasm, cpu.');
      return true;
    });
  });

  it("fails when the one asked for is unavailable, instead of taking another", async () => {
    await assert.rejects(chooseBackend("tfjs-node", log, settings), (error: unknown) => {
      assert.ok(error instanceof IsobatchError && error.code === "unavailable");
      assert.match(error.message, /^The backend tfjs-node is unavailable: TensorFlow is not installed/);
      return true;
    });
  });
});
