import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { graphicsProblem, isOlder, readGraphics } from "./graphics.js";

describe("readGraphics()", () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "isobatch-driver-"));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  /** The driver's files, as both of its kernel modules write them. */
  const driver = (name: string, module: string, gpus: string[]): string => {
    const place = join(folder, name);
    mkdirSync(join(place, "gpus"), { recursive: true });
    for (const [i, gpu] of gpus.entries()) {
      mkdirSync(join(place, "gpus", gpu));
      const lines = [
        "Model: \t\t NVIDIA H100 80GB HBM3",
        "IRQ:   \t\t 18",
        `GPU UUID: \t GPU-5f01-${i}`,
        "Device Minor: \t 0",
      ];
      writeFileSync(join(place, "gpus", gpu, "information"), `${lines.join("\n")}\n`);
    }
    writeFileSync(join(place, "version"), `NVRM version: ${module}  Tue Jun 17\nGCC version:  gcc version 12.2.0\n`);
    return place;
  };

  it("reads the version and the GPUs of either kernel module", () => {
    const closed = driver("closed", "NVIDIA UNIX x86_64 Kernel Module  535.183.01", ["0000:01:00.0"]);
    const open = driver("open", "NVIDIA UNIX Open Kernel Module for x86_64  580.65.06", [
      "0000:02:00.0",
      "0000:01:00.0",
    ]);
    assert.equal(readGraphics(closed).driverVersion, "535.183.01");
    assert.equal(readGraphics(open).driverVersion, "580.65.06");
    assert.deepEqual(readGraphics(open).gpus, [
      { model: "NVIDIA H100 80GB HBM3", uuid: "GPU-5f01-1", address: "0000:01:00.0" },
      { model: "NVIDIA H100 80GB HBM3", uuid: "GPU-5f01-0", address: "0000:02:00.0" },
    ]);
    assert.equal(graphicsProblem(readGraphics(closed)), undefined);
  });

  it("distinguishes no driver, an old one, and one without GPUs", () => {
    assert.equal(graphicsProblem(readGraphics(join(folder, "none"))), "no NVIDIA driver is loaded");
    const old = driver("old", "NVIDIA UNIX x86_64 Kernel Module  470.82.01", ["0000:01:00.0"]);
    assert.match(
      graphicsProblem(readGraphics(old))!,
      /driver 470\.82\.01 is too old for CUDA 12, which needs 525\.60\.13/,
    );
    const bare = driver("bare", "NVIDIA UNIX x86_64 Kernel Module  550.54.15", []);
    assert.equal(graphicsProblem(readGraphics(bare)), "the NVIDIA driver finds no GPU");
  });
});

describe("readGraphics() of a GPU that does not tell what it is", () => {
  it("counts it all the same", () => {
    const folder = mkdtempSync(join(tmpdir(), "isobatch-driver-"));
    try {
      mkdirSync(join(folder, "gpus", "0000:01:00.0"), { recursive: true });
      writeFileSync(
        join(folder, "gpus", "0000:01:00.0", "information"),
        "Model: \t\t Unknown\nGPU UUID: \t GPU-????????\n",
      );
      writeFileSync(join(folder, "version"), "NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.183.01\n");
      assert.deepEqual(readGraphics(folder).gpus, [{ model: "Unknown", uuid: undefined, address: "0000:01:00.0" }]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe("isOlder()", () => {
  it("compares number by number, not letter by letter", () => {
    assert.equal(isOlder("2.9.1", "2.16.1"), true);
    assert.equal(isOlder("2.16.1", "2.16.1"), false);
    assert.equal(isOlder("2.21", "2.16.1"), false);
    assert.equal(isOlder("525.60", "525.60.13"), true);
  });
});
