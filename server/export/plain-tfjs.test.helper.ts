import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";

/** What loads an exported model in somebody else's program, and takes its outputs of the inputs on standard input. */
const PROGRAM = `
  import tf from "@tensorflow/tfjs";
  import { readFileSync } from "node:fs";
  const [folder, ...imports] = process.argv.slice(1);
  for (const name of imports) await import(name);
  const { modelTopology, weightsManifest } = JSON.parse(readFileSync(folder + "/model.json", "utf8"));
  const files = weightsManifest.flatMap(({ paths }) => paths).map((path) => readFileSync(folder + "/" + path));
  const weightData = new Uint8Array(Buffer.concat(files)).buffer;
  const weightSpecs = weightsManifest.flatMap(({ weights }) => weights);
  await tf.setBackend("cpu");
  const model = await tf.loadLayersModel({ load: async () => ({ modelTopology, weightSpecs, weightData }) });
  const { values, shape } = JSON.parse(readFileSync(0, "utf8"));
  console.log(JSON.stringify([...model.predict(tf.tensor(values, shape)).dataSync()]));`;

/** Long for any model of a test; a program that hangs must not hold the tests up. */
const TIMEOUT_MS = 60_000;

export interface Inputs {
  readonly values: readonly number[];
  readonly shape: readonly number[];
}

/**
 * The outputs, flat, of the model in `folder`, computed by a process that has @tensorflow/tfjs and `imports`, and nothing
 * else of Isobatch.
 */
export function predictInPlainTfjs(folder: string, inputs: Inputs, imports: readonly string[] = []): number[] {
  const program = spawnSync(process.execPath, ["--input-type=module", "-e", PROGRAM, folder, ...imports], {
    encoding: "utf8",
    cwd: new URL("../../..", import.meta.url),
    input: JSON.stringify(inputs),
    maxBuffer: 2 ** 28,
    timeout: TIMEOUT_MS,
  });
  assert.equal(program.status, 0, program.error?.message ?? program.stderr);
  return JSON.parse(program.stdout.trim().split("\n").at(-1)!) as number[];
}
