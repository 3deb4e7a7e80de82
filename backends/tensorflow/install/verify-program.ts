/**
 * A program that computes on a backend, with settings in JSON (its two arguments), through the same loader that
 * workers use, and compares a product of matrices and a gradient with sums written out here. It prints the device and
 * the version in JSON.
 */
import { core as tf } from "../../../tasks/tfjs/core.js";
import { type BackendSettings, isBackendName, openBackend } from "../../index.js";

const SIZE = 48;
const TOLERANCE = 1e-5;

const [name = "", settings = ""] = process.argv.slice(2);
if (!isBackendName(name)) throw new RangeError(`no backend "${name}"`);
const { device, numerics } = await openBackend(name, JSON.parse(settings) as BackendSettings);

const a = Float32Array.from({ length: SIZE * SIZE }, (_, i) => Math.sin(i));
const b = Float32Array.from({ length: SIZE * SIZE }, (_, i) => Math.cos(3 * i));
const product = new Float64Array(SIZE * SIZE);
/** The gradient of Σ relu(a·b) for a: the rows of b, summed where the product is positive. */
const gradient = new Float64Array(SIZE * SIZE);
for (let row = 0; row < SIZE; row++) {
  for (let column = 0; column < SIZE; column++) {
    for (let k = 0; k < SIZE; k++) product[row * SIZE + column] += a[row * SIZE + k] * b[k * SIZE + column];
    if (product[row * SIZE + column] <= 0) continue;
    for (let k = 0; k < SIZE; k++) gradient[row * SIZE + k] += b[k * SIZE + column];
  }
}

const [x, y] = [a, b].map((values) => tf.tensor2d(values, [SIZE, SIZE]));
compare("product", tf.matMul(x, y).dataSync(), product);
compare(
  "gradient",
  tf
    .grad((left) => tf.sum(tf.relu(tf.matMul(left, y))))(x)
    .dataSync(),
  gradient,
);
process.stdout.write(`${JSON.stringify({ device, version: numerics.version })}\n`);

function compare(what: string, found: ArrayLike<number>, expected: Float64Array): void {
  const worst = expected.reduce((most, value, i) => Math.max(most, Math.abs(found[i] - value)), 0);
  if (!(worst <= TOLERANCE * SIZE)) throw new Error(`the ${what} is wrong by ${worst}`);
}
