import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { programSettings, programVariables } from "./settings.js";

describe("programSettings()", () => {
  it("keeps the operations' bits on a CPU, and has the program's own on a GPU, unless the variable says otherwise", () => {
    const plain = { compiled: true, rewriting: { optimizers: [], xla: false }, split: false };
    assert.deepEqual(programSettings(undefined, false), { ...plain, bits: "operations", numerics: undefined });
    assert.deepEqual(programSettings("", true), { ...plain, bits: "program", numerics: "program 1" });
    assert.deepEqual(programSettings("plain", false), { ...plain, bits: "program", numerics: "program 1" });
    const off = { ...plain, compiled: false, bits: "operations" };
    assert.deepEqual(programSettings("off", false), { ...off, numerics: undefined });
    assert.deepEqual(programSettings("off", true), { ...off, numerics: "no program" });
  });

  it("names in the numerics class everything that rewrites the graph, in a fixed order", () => {
    const numerics = (words: string) => programSettings(words, true).numerics;
    assert.equal(numerics("xla,layout"), "program 1 + layout + xla");
    assert.equal(numerics("layout,xla"), "program 1 + layout + xla");
    assert.equal(numerics("grappler"), "program 1 + grappler");
    assert.equal(programSettings("split,remap", false).numerics, "program 1 + remap");
    assert.deepEqual(programSettings("remap,layout", true).rewriting, { optimizers: ["layout", "remap"], xla: false });
    assert.deepEqual(programSettings("grappler,xla", true).rewriting, { optimizers: "all", xla: true });
  });

  it("has a second, virtual device only where it is asked for on a CPU", () => {
    assert.equal(programSettings("split", false).split, true);
    assert.equal(programSettings("split", true).split, false);
  });

  it("refuses what it does not know", () => {
    for (const variable of ["fast", "off,xla", "xla,xla", "xla,", "Layout"]) {
      assert.throws(
        () => programSettings(variable, true),
        new RegExp(`ISOBATCH_TENSORFLOW_PROGRAM is "${variable}"; it takes off, or one or more of plain, layout`),
      );
    }
  });

  it("refuses XLA on two virtual devices, which it can't compile for", () => {
    for (const onGpu of [false, true]) {
      assert.throws(
        () => programSettings("split,layout,xla", onGpu),
        /"split,layout,xla"; xla can't be joined with split/,
      );
    }
  });
});

describe("programVariables()", () => {
  it("makes XLA's algorithms deterministic and keep what is rounded, once, and keeps flags that are set already", () => {
    assert.deepEqual(programVariables("layout", { XLA_FLAGS: "--a" }), {});
    const once = programVariables("xla", { XLA_FLAGS: "--a" });
    const flags = ["gpu_deterministic_ops=true", "gpu_autotune_level=0", "allow_excess_precision=false"];
    assert.equal(once.XLA_FLAGS, ["--a", ...flags.map((flag) => `--xla_${flag}`)].join(" "));
    assert.deepEqual(programVariables("xla", once), once);
  });
});
