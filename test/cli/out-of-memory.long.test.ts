import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { openWorkplace, TINY_TASK } from "./isobatch.test.helper.js";

/** Limits WebAssembly's memories to 64 MiB in every thread, except for those that threads share. */
const LITTLE_MEMORY = `
  const { grow } = WebAssembly.Memory.prototype;
  WebAssembly.Memory.prototype.grow = function (pages) {
    const { byteLength } = this.buffer;
    if (this.buffer instanceof ArrayBuffer && byteLength + 65536 * pages > 64 * 2 ** 20) throw new RangeError("little memory");
    return grow.call(this, pages);
  };`;

describe("a run whose micro-batches need more memory than its workers have", () => {
  const place = openWorkplace();
  after(() => place.close());

  it("ends with the error of every worker: the field, its value, what fits and what to do", async () => {
    const layers = [
      { layer: "Flatten", inputShape: [28, 28, 1] },
      { layer: "Dense", units: 4 },
      { layer: "Dense", units: 8_192, activation: "relu" },
      { layer: "Dense", units: 10 },
    ];
    const task = { ...TINY_TASK, model: { kind: "sequential", layers }, microBatchSize: 640, microBatchesPerStep: 2 };
    const file = place.write("large.json", { ...task, samples: 6_400, evaluateEverySamples: 640 });
    const preload = place.write("little-memory.cjs", LITTLE_MEMORY);
    const { code, stdout, stderr } = await place.run(
      ["run", file, "--backend", "wasm", "--workers", "2", "--compute-threads", "1", "--out", "large"],
      { NODE_OPTIONS: `--require ${preload}` },
    );
    assert.equal(code, 1, stdout + stderr);
    const sentence =
      /microBatchSize is 640, but the backend wasm has not enough memory for this many samples at once \(WebAssembly's memory has no room for 20\.0 MiB more; .*\); (\d+) fit: set microBatchSize to \1 and microBatchesPerStep to (\d+) times as many, or use a device with more memory\./;
    assert.match(stderr, new RegExp(`No worker is left\\. Worker \\d can't work\\. ${sentence.source}`));
    const [, fits, times] = sentence.exec(stderr)!.map(Number);
    assert.ok(fits * times >= 640, stderr);
    // The first worker to end is not started again, and the run continues with the other one.
    assert.match(stdout, /Worker \d can't work\. .* It is not started again; the run continues without it\./);
    assert.doesNotMatch(stdout, /died and is started again/);
    const { failure } = JSON.parse(readFileSync(join(place.folder, "large", "summary.json"), "utf8"));
    assert.match(failure.reason, sentence);
    assert.deepEqual(place.processes(), []);
  });
});
