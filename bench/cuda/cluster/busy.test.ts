import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { busyBetween, sampleBusy } from "./busy.js";

describe("sampleBusy()", () => {
  it("reads what nvidia-smi prints of one GPU, and leaves out what is not a number", { timeout: 60_000 }, async () => {
    const folder = mkdtempSync(join(tmpdir(), "isobatch-smi-"));
    try {
      const command = join(folder, "nvidia-smi");
      // As nvidia-smi prints with --format=csv,noheader,nounits; "[N/A]" where a driver does not say.
      writeFileSync(
        command,
        '#!/bin/sh\necho "$@" > "$0.args"\nprintf "0, 512\\n[N/A], 600\\n85, 65536\\n"\nexec cat\n',
      );
      chmodSync(command, 0o755);
      const sampler = sampleBusy("GPU-1", command);
      try {
        while (sampler.samples.length < 2) await wait(5);
      } finally {
        sampler.stop();
      }
      assert.match(readFileSync(`${command}.args`, "utf8"), /^--id=GPU-1 --query-gpu=utilization\.gpu,memory\.used /);
      assert.deepEqual(
        sampler.samples.map(({ busy, memoryMiB }) => [busy, memoryMiB]),
        [
          [0, 512],
          [0.85, 65_536],
        ],
      );
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("has no samples where there is no nvidia-smi", async () => {
    const sampler = sampleBusy("0", "/nowhere/nvidia-smi");
    // The error of a program that is missing comes a moment later.
    await wait(0);
    sampler.stop();
    assert.deepEqual(sampler.samples, []);
  });
});

describe("busyBetween()", () => {
  const samples = [0, 0.5, 1, 0].map((busy, i) => ({ atMs: 100 * i, busy, memoryMiB: 10 * i }));

  it("is the mean of the samples in a span, and the most memory", () => {
    assert.deepEqual(busyBetween(samples, 100, 200), { share: 0.75, memoryMiB: 20, samples: 2 });
  });

  it("is unknown where there is no sample", () => {
    assert.equal(busyBetween(samples, 101, 199), undefined);
  });
});
