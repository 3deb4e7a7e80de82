import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { probeBackend } from "../../backends/index.js";
import { settings } from "../../backends/settings.test.helper.js";
import { ALL } from "../../shared/all-cases.test.helper.js";
import { readOptions } from "./options.js";
import { PART_NAMES } from "./parts.js";
import type { CheckReport } from "./report.js";

const program = fileURLToPath(new URL("./main.js", import.meta.url));
const run = (...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> =>
  new Promise((resolve) => {
    execFile(process.execPath, [program, ...args], { maxBuffer: 2 ** 24 }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
    });
  });

const [native, gpu] = [await probeBackend("tfjs-node", settings), await probeBackend("tfjs-node-gpu", settings)];
const skip = ALL ? !native.available && native.reason : "npm run test:all checks them";

describe("npm run check:cuda", () => {
  it("fails with one sentence where there is no GPU", { skip: gpu.available && "there is one" }, async () => {
    const { code, stdout, stderr } = await run();
    assert.equal(code, 1);
    assert.equal(stdout, "");
    assert.match(stderr, /^check:cuda: tfjs-node-gpu is unavailable: [^\n]+; nothing was checked [^\n]+\.\n$/);
  });

  it("refuses an unknown device", async () => {
    const { code, stderr } = await run("--on", "tpu");
    assert.deepEqual([code, stderr], [2, 'check:cuda: --on is "tpu"; it must be gpu or cpu.\n']);
  });

  it("refuses an unknown part, and a time of 0", () => {
    assert.throws(() => readOptions(["--parts", "kinks,kernel"]), {
      message: `--parts names "kernel"; choose from ${PART_NAMES.join(", ")}.`,
    });
    assert.throws(() => readOptions(["--seconds", "0"]), {
      message: '--seconds is "0"; it must be a whole number from 1 to 86400.',
    });
  });

  it("checks each part, here on the processor", { skip }, async () => {
    const args = ["--on", "cpu", "--quick", "--parts", PART_NAMES.join(), "--seconds", "7200"];
    const { code, stdout, stderr } = await run(...args);
    assert.equal(code, 0, stderr);
    const report = JSON.parse(stdout.trim().split("\n").at(-1)!) as CheckReport;
    assert.deepEqual([report.on, report.ok, report.failures, report.targets], ["cpu", true, [], []]);
    assert.deepEqual(Object.keys(report.parts), PART_NAMES);
    const { kernels, kinks, training, compiled, folding, gradients, precision } = report.parts;
    assert.ok(kernels!.rows[0].kernels > 60);
    assert.ok(kinks!.rows[0].cases > 60 && kinks!.rows[0].apart === 0);
    assert.deepEqual(
      training!.rows.map(({ model, repeats, samplesPerSecond }) => [model, repeats, samplesPerSecond > 0]),
      [
        ["mlp", true, true],
        ["resnet18", true, true],
      ],
    );
    assert.deepEqual(
      compiled!.rows.map(({ sameBits, repeats, refused }) => [sameBits, repeats, refused]),
      Array(6).fill([true, true, null]),
    );
    assert.ok(folding!.rows.every(({ kappas, apart }) => kappas > 5 && apart === 0));
    assert.ok(gradients!.rows.every(({ ms, size }) => ms > 0 && size!.operations > 0));
    assert.deepEqual(
      precision!.rows.map((row) => row.kind === "factors" && [row.precision, row.product, row.bits]),
      [
        ["float32", "matrices", 23],
        ["float32", "convolution", 23],
        ["tf32", "matrices", 10],
        ["tf32", "convolution", 10],
        ["bfloat16", "matrices", 7],
        ["bfloat16", "convolution", 7],
      ],
    );
    assert.equal(report.doctor.node, process.version);
  });
});
