import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { probeBackend } from "../../worker/backends/index.js";

const program = fileURLToPath(new URL("./main.js", import.meta.url));
const run = (...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> =>
  new Promise((resolve) => {
    execFile(process.execPath, [program, ...args], { maxBuffer: 2 ** 24 }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
    });
  });

const [native, gpu] = [await probeBackend("tfjs-node"), await probeBackend("tfjs-node-gpu")];

describe("npm run check:cuda", () => {
  it("fails with one sentence where there is no GPU", { skip: gpu.available && "there is one" }, async () => {
    const { code, stdout, stderr } = await run();
    assert.equal(code, 1);
    assert.equal(stdout, "");
    assert.match(stderr, /^check:cuda: tfjs-node-gpu is unavailable: [^\n]+; nothing was checked [^\n]+\.\n$/);
  });

  it("refuses a device that is none", async () => {
    const { code, stderr } = await run("--on", "tpu");
    assert.equal(code, 2);
    assert.equal(stderr, 'check:cuda: --on is "tpu"; it must be gpu or cpu.\n');
  });

  it("checks kernels, steps and bits, here on the processor", {
    skip: !native.available && native.reason,
  }, async () => {
    const { code, stdout, stderr } = await run("--on", "cpu", "--quick");
    assert.equal(code, 0, stderr);
    const report = JSON.parse(stdout.trim().split("\n").at(-1)!) as {
      on: string;
      ok: boolean;
      kernels: { kernels: number; apart: unknown[] };
      kinks: { cases: number; apart: unknown[] };
      compiled: { sameBits: boolean }[];
      training: Record<string, { repeats: boolean; samplesPerSecond: number }>;
      doctor: { node: string };
    };
    assert.deepEqual([report.on, report.ok, report.kernels.apart], ["cpu", true, []]);
    assert.ok(report.kernels.kernels > 60);
    assert.ok(report.kinks.cases > 60);
    assert.deepEqual(report.kinks.apart, []);
    assert.deepEqual(
      report.compiled.map(({ sameBits }) => sameBits),
      [true, true, true],
    );
    for (const model of ["mlp", "resnet18"]) {
      assert.equal(report.training[model].repeats, true);
      assert.ok(report.training[model].samplesPerSecond > 0);
    }
    assert.equal(report.doctor.node, process.version);
  });
});
