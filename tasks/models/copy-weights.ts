import { invalid } from "../../shared/errors.js";
import type { LayersModel, LayerVariable } from "./capture-weights.js";
import { weightsByPath } from "./layer-paths.js";
import { onCpu, tensorflow as tf } from "./tensorflow.js";

/**
 * Gives each weight of `target` the values of the source's weight of the same path.
 * @param source the model that `target` was rebuilt from; it may be of another copy of tfjs.
 * @param nameOf turns the source's layer names into the target's.
 * @throws if a weight is missing in one of them, has another shape, or is one weight in the source and two in the target.
 */
export function copyWeights(source: LayersModel, target: LayersModel, nameOf: (name: string) => string): void {
  const targets = new Map(weightsByPath(target).map(({ path, weight }) => [path, weight]));
  const places = new Map<LayerVariable, string>();
  for (const { path, weight } of weightsByPath(source, nameOf)) {
    const other = places.get(weight);
    if (other !== undefined) {
      invalid(
        `Weight ${path} of the model is also ${other}: a layer that is shared by two models inside of the model becomes two ` +
          "layers on its way to the workers. Share the model that has the layer, or use the layer outside of both.",
      );
    }
    places.set(weight, path);
    const to = targets.get(path);
    if (to === undefined) return invalid(`Weight ${path} of the model is lost in the model's JSON; ${REMEDY}`);
    targets.delete(path);
    const shapes = [weight.shape, to.shape].map((shape) => `[${shape.join(", ")}]`);
    if (shapes[0] !== shapes[1]) {
      invalid(
        `Weight ${path} of the model has the shape ${shapes[0]}, and ${shapes[1]} in the model's JSON; ${REMEDY}`,
      );
    }
    const values = weight.read().dataSync();
    onCpu(() => {
      const tensor = tf.tensor(values, to.shape as number[], "float32");
      to.write(tensor);
      tensor.dispose();
    });
  }
  const [left] = targets.keys();
  if (left !== undefined) invalid(`The model's JSON has the weight ${left}, which the model lacks; ${REMEDY}`);
}

const REMEDY = "TensorFlow.js does not save all of that layer's settings; use another layer, or other settings.";
