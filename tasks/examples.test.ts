import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { loadTask } from "./load-task.js";
import { prepareTask } from "./prepare-task.js";

const examples = fileURLToPath(new URL("../../examples", import.meta.url));

describe("the examples", () => {
  it("spirals: a module with its own model, on a CSV file next to it", async () => {
    const task = await loadTask(join(examples, "spirals/task.js"));
    const { data, built } = await prepareTask(task);
    assert.deepEqual([data.train.samples, data.test?.samples], [960, 240]);
    assert.deepEqual(data.train.label.classNames, ["amber", "blue", "coral"]);
    assert.deepEqual(
      built.layout.tensors.filter(({ kind }) => kind === "tail").map(({ name }) => name),
      ["batch_normalization_1/moving_mean", "batch_normalization_1/moving_variance"],
    );
  });

  it("spirals.csv is what make-data.js writes", () => {
    const folder = mkdtempSync(join(tmpdir(), "isobatch-spirals-"));
    cpSync(join(examples, "spirals/make-data.js"), join(folder, "make-data.mjs"));
    execFileSync(process.execPath, [join(folder, "make-data.mjs")]);
    const written = readFileSync(join(folder, "spirals.csv"), "utf8");
    assert.equal(written, readFileSync(join(examples, "spirals/spirals.csv"), "utf8"));
    rmSync(folder, { recursive: true });
  });

  it("small-mnist: a file on top of a built-in task", async () => {
    const { task, data, built } = await prepareTask(await loadTask(join(examples, "small-mnist.json")));
    assert.deepEqual([task.name, data.train.samples, data.test?.samples], ["small-mnist", 12_000, 2000]);
    assert.equal(built.layout.parameters, 160 + 4640 + (6 * 6 * 32 * 64 + 64) + 650);
  });
});
