import type { serialization } from "@tensorflow/tfjs-core";
import type { LayerVariable } from "../capture-weights.js";
import { tensorflow as tf } from "../tensorflow.js";
import {
  type Config,
  normal,
  numberField,
  single,
  singleShape,
  sizeField,
  type Tensor,
  type TensorShape,
} from "./custom-layer.js";

/**
 * A table of vectors, one per token, that is used twice: on token numbers [batch, length] it looks them up, on vectors
 * [batch, length, width] it gives the logits of the next token, their products with every row (Press & Wolf 2017). A
 * model calls one such layer at both of its ends, so that both share the weights.
 *
 * Configuration: `vocabulary`, `width`, `stddev` (0.02).
 */
export class TokenEmbedding extends tf.layers.Layer {
  static readonly className = "TokenEmbedding";
  private readonly vocabulary: number;
  private readonly width: number;
  private readonly stddev: number;
  private table!: LayerVariable;

  constructor(config: Config) {
    super(config);
    this.vocabulary = sizeField(TokenEmbedding.className, "vocabulary", config.vocabulary);
    this.width = sizeField(TokenEmbedding.className, "width", config.width);
    this.stddev = numberField(TokenEmbedding.className, "stddev", config.stddev ?? 0.02);
  }

  override build(): void {
    this.table = this.addWeight("embeddings", [this.vocabulary, this.width], "float32", normal(this.stddev));
    this.built = true;
  }

  override computeOutputShape(inputShape: TensorShape | TensorShape[]): TensorShape {
    const shape = singleShape(inputShape);
    if (shape.length === 2) return [...shape, this.width];
    if (shape.length === 3 && shape[2] === this.width) return [shape[0], shape[1], this.vocabulary];
    throw new RangeError(
      `TokenEmbedding takes [length] tokens or [length, ${this.width}] vectors, not [${shape.slice(1)}]`,
    );
  }

  override call(inputs: Tensor | Tensor[]): Tensor {
    return tf.tidy(() => {
      const x = single(inputs);
      const [batch, length] = x.shape;
      const table = this.table.read();
      if (x.rank === 3) {
        const logits = tf.matMul(tf.reshape(x, [batch * length, this.width]), table, false, true);
        return tf.reshape(logits, [batch, length, this.vocabulary]);
      }
      const rows = tf.gather(table, tf.cast(tf.reshape(x, [batch * length]), "int32"));
      return tf.reshape(rows, [batch, length, this.width]);
    });
  }

  override getConfig(): serialization.ConfigDict {
    const { vocabulary, width, stddev } = this;
    return { ...super.getConfig(), vocabulary, width, stddev };
  }
}

/**
 * Adds a learned vector to each position of a sequence [batch, length, width].
 *
 * Configuration: `stddev` (0.02).
 */
export class PositionEmbedding extends tf.layers.Layer {
  static readonly className = "PositionEmbedding";
  private readonly stddev: number;
  private positions!: LayerVariable;

  constructor(config: Config) {
    super(config);
    this.stddev = numberField(PositionEmbedding.className, "stddev", config.stddev ?? 0.02);
  }

  override build(inputShape: TensorShape | TensorShape[]): void {
    const [, length, width] = singleShape(inputShape);
    if (typeof length !== "number" || typeof width !== "number") {
      throw new RangeError("PositionEmbedding needs sequences of one length");
    }
    this.positions = this.addWeight("embeddings", [length, width], "float32", normal(this.stddev));
    this.built = true;
  }

  override computeOutputShape(inputShape: TensorShape | TensorShape[]): TensorShape {
    return singleShape(inputShape);
  }

  override call(inputs: Tensor | Tensor[]): Tensor {
    return tf.tidy(() => tf.add(single(inputs), this.positions.read()));
  }

  override getConfig(): serialization.ConfigDict {
    return { ...super.getConfig(), stddev: this.stddev };
  }
}

/**
 * Puts a learned vector before each sequence [batch, length, width], whose output stands for the whole (Devlin et al.
 * 2019, Dosovitskiy et al. 2021).
 *
 * Configuration: `stddev` (0.02).
 */
export class ClassToken extends tf.layers.Layer {
  static readonly className = "ClassToken";
  private readonly stddev: number;
  private token!: LayerVariable;

  constructor(config: Config) {
    super(config);
    this.stddev = numberField(ClassToken.className, "stddev", config.stddev ?? 0.02);
  }

  override build(inputShape: TensorShape | TensorShape[]): void {
    const width = singleShape(inputShape).at(-1) as number;
    this.token = this.addWeight("embeddings", [1, 1, width], "float32", normal(this.stddev));
    this.built = true;
  }

  override computeOutputShape(inputShape: TensorShape | TensorShape[]): TensorShape {
    const [batch, length, width] = singleShape(inputShape);
    return [batch, length === null ? null : length + 1, width];
  }

  override call(inputs: Tensor | Tensor[]): Tensor {
    return tf.tidy(() => {
      const x = single(inputs);
      const tokens = tf.tile(this.token.read(), [x.shape[0], 1, 1]);
      return tf.concat([tokens, x], 1);
    });
  }

  override getConfig(): serialization.ConfigDict {
    return { ...super.getConfig(), stddev: this.stddev };
  }
}

/** The first vector of each sequence: [batch, length, width] becomes [batch, width]. */
export class FirstPosition extends tf.layers.Layer {
  static readonly className = "FirstPosition";

  override computeOutputShape(inputShape: TensorShape | TensorShape[]): TensorShape {
    const [batch, , width] = singleShape(inputShape);
    return [batch, width];
  }

  override call(inputs: Tensor | Tensor[]): Tensor {
    return tf.tidy(() => {
      const x = single(inputs);
      const [batch, , width] = x.shape;
      return tf.reshape(tf.slice(x, [0, 0, 0], [batch, 1, width]), [batch, width]);
    });
  }
}
