/**
 * A process that computes a gradient with dropout by a program that XLA compiles, if its environment says so
 * (ISOBATCH_TENSORFLOW_PROGRAM): the program is then proven against the operations, which draw the mask too. It prints
 * in JSON why the model was not compiled, or the program not trusted. It is a separate process because XLA reads its
 * settings once.
 */
import { messageOf } from "../../shared/errors.js";
import { batchOf, openGradients } from "./open-gradients.test.helper.js";

const reasons: string[] = [];
const { gradientOf } = await openGradients({
  backend: "tfjs-node",
  notice: (line) => void reasons.push(line),
  layers: [
    { layer: "Dense", units: 16, inputShape: [4], activation: "relu" },
    { layer: "Dropout", rate: 0.5 },
    { layer: "Dense", units: 3 },
  ],
});
try {
  gradientOf(batchOf(1, 8));
} catch (error) {
  reasons.push(messageOf(error));
}
process.stdout.write(`${JSON.stringify(reasons)}\n`, () => process.exit(0));
