/**
 * Layers that tfjs lacks, registered with it when this file is loaded, so that a topology can name them. A program that
 * loads an exported model imports them from `isobatch/layers` (../isobatch-layers.ts).
 */
import { tensorflow as tf } from "../tensorflow.js";
import { ClassToken, FirstPosition, PositionEmbedding, TokenEmbedding } from "./embeddings.js";
import { GroupNormalization } from "./group-normalization.js";
import { SelfAttention } from "./self-attention.js";

export { ClassToken, FirstPosition, GroupNormalization, PositionEmbedding, SelfAttention, TokenEmbedding };

export const CUSTOM_LAYERS = [
  SelfAttention,
  TokenEmbedding,
  PositionEmbedding,
  ClassToken,
  FirstPosition,
  GroupNormalization,
] as const;

for (const layer of CUSTOM_LAYERS) tf.serialization.registerClass(layer as never);
