import type { serialization } from "@tensorflow/tfjs-core";
import type { Layer, LayerVariable } from "../capture-weights.js";
import { tensorflow as tf } from "../tensorflow.js";
import {
  type Config,
  type LayerCallOptions,
  normal,
  numberField,
  single,
  singleShape,
  sizeField,
  type Tensor,
  type TensorShape,
} from "./custom-layer.js";

/** Added to the score of a position that must not be seen, whose share of the softmax is then 0 in float32. */
const UNSEEN = -1e9;

/**
 * Multi-head self-attention (Vaswani et al. 2017): for each position of a sequence a mean of all positions' values, of
 * the positions up to itself where it is causal, weighted by softmax(q·kᵀ/√d).
 *
 * Configuration: `heads`; `causal` (false); `useBias` (true); `dropout` on the weights of the mean (0), keyed by
 * micro-batch like any Dropout; `stddev` (0.02) and `outputStddev` (stddev) of the normal initialisers.
 * Input and output [batch, length, width], width a multiple of heads.
 */
export class SelfAttention extends tf.layers.Layer {
  static readonly className = "SelfAttention";
  private readonly heads: number;
  private readonly causal: boolean;
  private readonly useBias: boolean;
  private readonly stddev: number;
  private readonly outputStddev: number;
  /** A separate layer, so that it is found and keyed with the others. */
  private readonly dropout: Layer & { rate: number };
  private readonly own: Record<string, LayerVariable> = {};

  constructor(config: Config) {
    super(config);
    const { className } = SelfAttention;
    this.heads = sizeField(className, "heads", config.heads);
    this.causal = Boolean(config.causal ?? false);
    this.useBias = Boolean(config.useBias ?? true);
    this.stddev = numberField(className, "stddev", config.stddev ?? 0.02);
    this.outputStddev = numberField(className, "outputStddev", config.outputStddev ?? this.stddev);
    const rate = numberField(className, "dropout", config.dropout ?? 0);
    this.dropout = tf.layers.dropout({ rate, name: "dropout" }) as unknown as Layer & { rate: number };
  }

  override build(inputShape: TensorShape | TensorShape[]): void {
    const width = singleShape(inputShape).at(-1);
    if (typeof width !== "number" || width % this.heads !== 0) {
      throw new RangeError(`SelfAttention's heads is ${this.heads}, which does not divide the input's width ${width}`);
    }
    const weight = (name: string, shape: number[], stddev: number): void => {
      this.own[name] = this.addWeight(name, shape, "float32", stddev > 0 ? normal(stddev) : tf.initializers.zeros());
    };
    weight("kernel", [width, 3 * width], this.stddev);
    if (this.useBias) weight("bias", [3 * width], 0);
    weight("output_kernel", [width, width], this.outputStddev);
    if (this.useBias) weight("output_bias", [width], 0);
    this.built = true;
  }

  override computeOutputShape(inputShape: TensorShape | TensorShape[]): TensorShape {
    return singleShape(inputShape);
  }

  override call(inputs: Tensor | Tensor[], options: LayerCallOptions): Tensor {
    return tf.tidy(() => {
      const x = single(inputs);
      const { mask } = options;
      const [batch, length, width] = x.shape;
      const { heads } = this;
      const size = width / heads;
      // [3, batch, heads, length, size]: one transposition for all three.
      const parts = tf.transpose(
        tf.reshape(this.project(tf.reshape(x, [batch * length, width]), "kernel", "bias"), [
          batch,
          length,
          3,
          heads,
          size,
        ]),
        [2, 0, 3, 1, 4],
      );
      const [q, k, v] = tf.unstack(parts, 0);
      const scores = tf.matMul(tf.mul(q, 1 / Math.sqrt(size)), k, false, true);
      const plain = this.causal ? tf.add(scores, causalMask(length)) : scores;
      const weights = tf.softmax(mask === undefined ? plain : maskedScores(scores, mask, this.causal));
      const kept = this.dropout.rate > 0 ? single(this.dropout.call(weights, options as never) as Tensor) : weights;
      const mixed = tf.transpose(tf.matMul(kept, v), [0, 2, 1, 3]);
      const out = this.project(tf.reshape(mixed, [batch * length, width]), "output_kernel", "output_bias");
      return tf.reshape(out, [batch, length, width]);
    });
  }

  private project(rows: Tensor, kernel: string, bias: string): Tensor {
    const product = tf.matMul(rows, this.own[kernel].read());
    return this.useBias ? tf.add(product, this.own[bias].read()) : product;
  }

  override getConfig(): serialization.ConfigDict {
    const { heads, causal, useBias, stddev, outputStddev } = this;
    return { ...super.getConfig(), heads, causal, useBias, stddev, outputStddev, dropout: this.dropout.rate };
  }
}

/** 0 where a column is seen from its row, i.e. up to the diagonal. */
function causalMask(length: number): Tensor {
  const values = new Float32Array(length * length);
  for (let row = 0; row < length; row++) values.fill(UNSEEN, row * length + row + 1, (row + 1) * length);
  return tf.tensor(values, [1, length, length]);
}

/**
 * The scores with UNSEEN wherever a masked position would be seen, or would see: as in Keras, whose attention takes its
 * input's mask for both. The output at a masked position is the mean over all, which must be ignored.
 * @param scores [batch, heads, length, length].
 * @param mask [batch, length], 0 for a masked position, else 1.
 */
function maskedScores(scores: Tensor, mask: Tensor, causal: boolean): Tensor {
  const [batch, length] = mask.shape;
  const both = tf.mul(tf.reshape(mask, [batch, 1, 1, length]), tf.reshape(mask, [batch, 1, length, 1]));
  const seen = causal ? tf.mul(both, tf.cast(tf.equal(causalMask(length), 0), "float32")) : both;
  return tf.add(tf.mul(scores, seen), tf.mul(tf.sub(1, seen), UNSEEN));
}
