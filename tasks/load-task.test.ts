import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { builtInTasks } from "./built-in-tasks.js";
import { loadTask, resolveDefinition } from "./load-task.js";
import type { TensorFlow } from "./tfjs/types.js";

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "isobatch-task-"));
});
after(() => rm(folder, { recursive: true }));

async function write(name: string, contents: unknown): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, typeof contents === "string" ? contents : JSON.stringify(contents));
  return path;
}

describe("loadTask()", () => {
  it("knows the built-in tasks, each of which is complete", async () => {
    assert.deepEqual(builtInTasks(), ["chars-gpt", "cifar10-resnet18", "cifar10-vit", "mnist", "mnist-cnn"]);
    for (const name of builtInTasks()) {
      const data = name.startsWith("mnist") ? undefined : "data";
      assert.equal((await loadTask(name, { data })).name, name);
    }
  });

  it("asks for the place of data that does not come along, and only for that", async () => {
    await assert.rejects(loadTask("cifar10-vit"), /dataset\.folder is missing; .* name it there or with --data/);
    await assert.rejects(loadTask("chars-gpt"), /dataset\.file is missing; .* name it there or with --data/);
    assert.deepEqual((await loadTask("cifar10-vit", { data: "/data" })).dataset, {
      kind: "cifar10",
      folder: "/data",
      augment: "autoaugment",
      limit: null,
      testLimit: null,
    });
    await assert.rejects(loadTask("mnist", { data: "/data" }), /--data is \/data, but the data set "mnist" comes with/);
  });

  it("names the built-in tasks if no task has that name", async () => {
    await assert.rejects(loadTask("minst"), {
      message: /^There is no task "minst": .*\(.*, mnist, mnist-cnn\).* nor a file; /,
    });
  });

  it("reads a file on top of the task that it extends, and is called after the file", async () => {
    const path = await write("quick.json", { extends: "mnist", samples: 640, learningRate: 0.5 });
    const [task, mnist] = [await loadTask(path), await loadTask("mnist")];
    assert.deepEqual([task.name, task.samples, task.learningRate], ["quick", 640, 0.5]);
    assert.deepEqual(task.model, mnist.model);
  });

  it("reads UTF-8 with a byte order mark, and no other encoding", async () => {
    const json = JSON.stringify({ extends: "mnist", name: "marked" });
    assert.equal((await loadTask(await write("marked.json", `\ufeff${json}`))).name, "marked");
    const path = join(folder, "wide.json");
    await writeFile(path, Buffer.from(`\ufeff${json}`, "utf16le"));
    await assert.rejects(loadTask(path), { code: "invalid_input", message: /wide\.json is text in UTF-16/ });
  });

  it("follows files that extend files, paths being relative to the file that has them", async () => {
    await mkdir(join(folder, "inner"), { recursive: true });
    await write("inner/base.json", { extends: "mnist", dataset: { kind: "idx", folder: "images" } });
    const task = await loadTask(await write("outer.json", { extends: "inner/base.json", seed: 5 }));
    assert.equal(task.seed, 5);
    assert.equal(task.dataset.kind === "idx" && task.dataset.folder, join(folder, "inner", "images"));
  });

  it("refuses a circle of files, a base that is missing, and files that are no JSON or no task", async () => {
    const circle = await write("circle.json", { extends: "circle.json" });
    await assert.rejects(loadTask(circle), { message: /extends goes 10 tasks deep; is it a circle\?$/ });
    const orphan = await write("orphan.json", { extends: "mnits" });
    await assert.rejects(loadTask(orphan), { message: /extends names "mnits", .*\(.*, mnist, mnist-cnn\)/ });
    await assert.rejects(loadTask(await write("broken.json", "{")), {
      message: /^The task file .*broken.json can't be read/,
    });
    await assert.rejects(loadTask(await write("list.json", [1])), {
      message: /list.json: the task is \[1\]; it must be an object/,
    });
    await assert.rejects(loadTask(await write("task.yaml", "a: 1")), { message: /ends in ".yaml"; a task is/ });
  });

  it("records a module's path and the SHA-256 of its bytes", async () => {
    const source = 'export default { extends: "mnist", model: (tf) => tf.sequential() };\n';
    const path = await write("mine.mjs", source);
    const task = await loadTask(path, { steps: 2 });
    const { createHash } = await import("node:crypto");
    const hash = createHash("sha256").update(source).digest("hex");
    assert.deepEqual(task.model, { kind: "module", path, hash });
    assert.deepEqual([task.name, task.samples], ["mine", 2 * 4 * 64]);
  });

  it("takes an object with a model function, which is known by the model that it makes", async () => {
    const units = (count: number) => ({
      extends: "mnist",
      model: (tf: TensorFlow) =>
        tf.sequential({ layers: [tf.layers.flatten({ inputShape: [28, 28, 1] }), tf.layers.dense({ units: count })] }),
    });
    const [one, same, other] = await Promise.all([10, 10, 11].map((count) => resolveDefinition(units(count))));
    assert.equal(one.task.name, "task");
    assert.ok(one.task.model.kind === "module" && one.task.model.path === null);
    assert.deepEqual(one.task.model, same.task.model);
    assert.notDeepEqual(one.task.model, other.task.model);
    assert.deepEqual(one.model?.outputs[0].shape, [null, 10]);
    await assert.rejects(resolveDefinition({ extends: "mnist", model: () => 1 }), {
      message: /^The task's model function returned no LayersModel; return tf\.sequential/,
    });
    await assert.rejects(resolveDefinition({ extends: "mnits" }), { message: /^The task: extends names "mnits"/ });
  });

  it("makes the models of several functions one at a time, each on the cpu, and puts the backend back", async () => {
    const { tensorflow } = await import("./models/index.js");
    let running = 0;
    const model = async (tf: TensorFlow) => {
      assert.equal(++running, 1);
      await new Promise((resolve) => setImmediate(resolve));
      assert.equal(tf.getBackend(), "cpu");
      running -= 1;
      return tf.sequential({ layers: [tf.layers.dense({ units: 1, inputShape: [2] })] });
    };
    const before = tensorflow.getBackend();
    await Promise.all([1, 2, 3].map(() => resolveDefinition({ extends: "mnist", model })));
    assert.equal(tensorflow.getBackend(), before || "cpu");
  });

  it("says what is wrong with a module", async () => {
    const empty = await write("empty.mjs", "export const a = 1;\n");
    await assert.rejects(loadTask(empty), {
      message: /empty.mjs has no task as its default export; write export default/,
    });
    const broken = await write("broken.mjs", "export default {\n");
    await assert.rejects(loadTask(broken), { message: /The task module .*broken.mjs can't be loaded: / });
    const typo = await write("typo.mjs", 'export default { extends: "mnist", lr: 1 };\n');
    await assert.rejects(loadTask(typo), { message: /typo.mjs: the task has the unknown field "lr"/ });
  });
});
