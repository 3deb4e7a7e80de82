import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, describe, it } from "node:test";
import { ALL } from "../../shared/all-cases.test.helper.js";
import { loadModule } from "./load-module.js";

/** Whether `require` follows the hooks: since Node.js 22.15. */
const HOOKS_FOLLOW_REQUIRE = "registerHooks" in (await import("node:module"));
const STRIPS_TYPES = Boolean((process.features as { typescript?: string }).typescript);

const MODEL = "model: () => tf.sequential({ layers: [tf.layers.dense({ units: 1, inputShape: [2] })] })";

describe("a task module in a folder without packages", () => {
  let folder: string;
  before(() => {
    folder = realpathSync(mkdtempSync(join(tmpdir(), "isobatch-module-")));
  });
  after(() => rmSync(folder, { recursive: true }));

  const write = (name: string, text: string): string => {
    const path = join(folder, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
    return path;
  };

  /** Says, in another process, whether the module's model is made by the TensorFlow.js that trains it. */
  const load = (path: string): { status: number | null; stdout: string; stderr: string } => {
    const url = (name: string): string => JSON.stringify(new URL(name, import.meta.url).href);
    const program = `
      import { loadModule } from ${url("./load-module.js")};
      import { tensorflow } from ${url("../models/index.js")};
      const { definition } = await loadModule(${JSON.stringify(path)});
      const made = await definition.model(tensorflow);
      console.log(made instanceof tensorflow.LayersModel, definition.name);
    `;
    const options = { cwd: folder, encoding: "utf8" } as const;
    return spawnSync(process.execPath, ["--input-type=module", "-e", program], options);
  };

  it("needs no import, whatever package.json says or does not say", { skip: !ALL }, () => {
    const plain =
      "export default { name: 'plain', model: (tf) => tf.sequential({ layers: [tf.layers.dense({ units: 1, inputShape: [2] })] }) };";
    for (const name of ["plain.js", "plain.mjs", "typed/plain.js"]) {
      if (name.startsWith("typed")) write("typed/package.json", '{ "type": "module" }');
      const { status, stdout, stderr } = load(write(name, plain));
      assert.deepEqual([status, stdout, stderr], [0, "true plain\n", ""], name);
    }
    const common = plain.replace("export default", "module.exports =");
    assert.equal(load(write("common.cjs", common)).stdout, "true plain\n");
    assert.equal(load(write("common/plain.js", common)).stdout, "true plain\n");
  });

  it("imports isobatch and TensorFlow.js as this installation has them, also from files that it imports", () => {
    const imports = `import * as layers from "@tensorflow/tfjs-layers"; import { scalar } from "@tensorflow/tfjs-core"; import { defineTask } from "isobatch"; import "isobatch/layers"; import { name } from "./inner/name.js"; scalar(1).dispose();`;
    write(
      "inner/name.js",
      `import { util } from "@tensorflow/tfjs-core"; export const name = util.sizeFromShape([2, 3]) === 6 ? "inner" : "";`,
    );
    const path = write("imports.js", `${imports} const tf = layers; export default defineTask({ name, ${MODEL} });`);
    const { stdout, stderr } = load(path);
    assert.deepEqual([stdout, stderr], ["true inner\n", ""]);
  });

  it("requires them too, where Node.js has hooks for that", { skip: !(ALL && HOOKS_FOLLOW_REQUIRE) }, () => {
    const path = write(
      "requires.cjs",
      `const tf = require("@tensorflow/tfjs-layers"); const { defineTask } = require("isobatch"); module.exports = defineTask({ name: "required", ${MODEL} });`,
    );
    assert.equal(load(path).stdout, "true required\n");
  });

  it("may be TypeScript where Node.js strips types, and says so in one sentence where not", { skip: !ALL }, () => {
    const source = `import type { TaskDefinition } from "isobatch"; import { sequential, layers } from "@tensorflow/tfjs-layers"; const units: number = 1; const task: TaskDefinition = { name: "typed", model: () => sequential({ layers: [layers.dense({ units, inputShape: [2] })] }) }; export default task;`;
    for (const name of ["task.ts", "task.mts"]) {
      const { stdout, stderr } = load(write(name, source));
      if (STRIPS_TYPES)
        assert.deepEqual([stdout, stderr.replace(/.*ExperimentalWarning.*\n.*\n/, "")], ["true typed\n", ""]);
      else
        assert.match(
          stderr,
          /task\.m?ts is TypeScript, which Node\.js v[\d.]+ does not run; use Node\.js 22\.18 or newer, or compile/,
        );
    }
  });

  it("is loaded again when it has changed, and what it imports with it", async () => {
    const path = write("changing.mjs", 'import { value } from "./value.mjs"; export default { value };');
    write("value.mjs", "export const value = 1;");
    const first = await loadModule(path);
    write("changing.mjs", 'import { value } from "./value.mjs"; export default { value, more: true };');
    write("value.mjs", "export const value = 2;");
    const second = await loadModule(path);
    assert.deepEqual([first.definition, second.definition], [{ value: 1 }, { value: 2, more: true }]);
    assert.notEqual(first.hash, second.hash);
  });

  it("does not change the imports of the rest of the program", () => {
    const other = write(
      "other.mjs",
      'export const found = await import("@tensorflow/tfjs-core").then(() => true, ({ code }) => code);',
    );
    const loader = JSON.stringify(new URL("./load-module.js", import.meta.url).href);
    const task = write("quiet.mjs", "export default {};");
    const program = `import { loadModule } from ${loader}; await loadModule(${JSON.stringify(task)}); console.log((await import(${JSON.stringify(other)})).found);`;
    const { stdout } = spawnSync(process.execPath, ["--input-type=module", "-e", program], { encoding: "utf8" });
    assert.equal(stdout, "ERR_MODULE_NOT_FOUND\n");
  });
});
