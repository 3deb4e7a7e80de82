import type { serialization } from "@tensorflow/tfjs-core";
import type { LayerVariable } from "../capture-weights.js";
import { tensorflow as tf } from "../tensorflow.js";
import {
  type Config,
  numberField,
  single,
  singleShape,
  sizeField,
  type Tensor,
  type TensorShape,
} from "./custom-layer.js";
import { normalizeRows } from "./normalize.js";

/**
 * Normalises each sample over all positions and the channels of a group (Wu & He 2018), then scales and shifts each
 * channel. With one group it is the LayerNorm of convolutional nets. Unlike BatchNorm it uses no other sample, so it has
 * no moving statistics.
 *
 * Configuration: `groups`, which divides the number of channels; `epsilon` (1e-5). Input and output [batch, …, channels].
 */
export class GroupNormalization extends tf.layers.Layer {
  static readonly className = "GroupNormalization";
  private readonly groups: number;
  private readonly epsilon: number;
  private gamma!: LayerVariable;
  private beta!: LayerVariable;

  constructor(config: Config) {
    super(config);
    this.groups = sizeField(GroupNormalization.className, "groups", config.groups);
    this.epsilon = numberField(GroupNormalization.className, "epsilon", config.epsilon ?? 1e-5);
  }

  override build(inputShape: TensorShape | TensorShape[]): void {
    const channels = singleShape(inputShape).at(-1);
    if (typeof channels !== "number" || channels % this.groups !== 0) {
      throw new RangeError(`GroupNormalization's groups is ${this.groups}, which does not divide ${channels} channels`);
    }
    this.gamma = this.addWeight("gamma", [channels], "float32", tf.initializers.ones());
    this.beta = this.addWeight("beta", [channels], "float32", tf.initializers.zeros());
    this.built = true;
  }

  override computeOutputShape(inputShape: TensorShape | TensorShape[]): TensorShape {
    return singleShape(inputShape);
  }

  override call(inputs: Tensor | Tensor[]): Tensor {
    return tf.tidy(() => {
      const x = single(inputs);
      const batch = x.shape[0];
      const channels = x.shape[x.rank - 1];
      const positions = x.size / (batch * channels);
      const { groups } = this;
      let normal: Tensor;
      if (groups === 1) {
        normal = normalizeRows(tf.reshape(x, [batch, positions * channels]), this.epsilon);
      } else {
        const shape = [batch, positions, groups, channels / groups];
        const grouped = tf.transpose(tf.reshape(x, shape), [0, 2, 1, 3]);
        const rows = normalizeRows(tf.reshape(grouped, [batch * groups, -1]), this.epsilon);
        normal = tf.transpose(tf.reshape(rows, [batch, groups, positions, channels / groups]), [0, 2, 1, 3]);
      }
      return tf.add(tf.mul(tf.reshape(normal, x.shape), this.gamma.read()), this.beta.read());
    });
  }

  override getConfig(): serialization.ConfigDict {
    return { ...super.getConfig(), groups: this.groups, epsilon: this.epsilon };
  }
}
