import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { openData, resolveTask } from "../../tasks/index.js";
import { allArms } from "./arms.js";
import { PRESETS, type Preset } from "./presets.js";
import { createProtocol } from "./protocol.js";
import { listRuns } from "./runs.js";

describe("PRESETS", () => {
  const whole = Object.entries<Preset>(PRESETS).filter(([, { task }]) => task !== undefined);
  assert.ok(whole.length >= 4);
  for (const [name, preset] of whole) {
    it(`${name} brings its data and trains all arms at three learning rates or more`, async () => {
      const input = preset.task!();
      const task = resolveTask(input.name, input);
      const { train, test } = await openData(task);
      assert.ok(train.samples > task.microBatchSize && test !== undefined);
      const arms = allArms().map((arm) => arm.name);
      const runs = listRuns(task, createProtocol(task, { arms, ...preset }));
      assert.deepEqual([...new Set(runs.map(({ arm }) => arm))].sort(), arms.toSorted());
      assert.ok(new Set(runs.map(({ learningRate }) => learningRate)).size >= 3);
    });
  }
});
