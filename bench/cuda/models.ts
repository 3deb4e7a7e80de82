/** The models whose gradients are checked and compared with PyTorch's, in sizes that a device has time for. */
import type { ModelSpec } from "../../tasks/index.js";
import { characters, convolutional, images, type MeasuredModel, perceptron, VOCABULARY } from "../models.js";
import type { CheckSize } from "./report.js";

export const CHECKED_MODELS = ["mlp-512", "mlp-2750", "cnn", "resnet18", "gpt", "vit"] as const;
export type CheckedModelName = (typeof CHECKED_MODELS)[number];

export interface TransformerSize {
  readonly layers: number;
  readonly heads: number;
  readonly width: number;
}

export interface ModelSizes {
  /** Samples of a micro-batch. */
  readonly batches: Readonly<Record<CheckedModelName, number>>;
  /** The width of each perceptron's hidden layers. */
  readonly units: Readonly<Record<"mlp-512" | "mlp-2750", number>>;
  readonly resnet18: { readonly width: number };
  readonly gpt: TransformerSize & { readonly context: number };
  readonly vit: TransformerSize;
}

export const MODEL_SIZES: Readonly<Record<CheckSize, ModelSizes>> = {
  gpu: {
    batches: { "mlp-512": 64, "mlp-2750": 32, cnn: 64, resnet18: 128, gpt: 16, vit: 128 },
    units: { "mlp-512": 512, "mlp-2750": 2750 },
    resnet18: { width: 64 },
    gpt: { layers: 6, heads: 6, width: 384, context: 256 },
    vit: { layers: 7, heads: 8, width: 384 },
  },
  cpu: {
    batches: { "mlp-512": 64, "mlp-2750": 16, cnn: 16, resnet18: 16, gpt: 4, vit: 8 },
    units: { "mlp-512": 512, "mlp-2750": 512 },
    resnet18: { width: 8 },
    gpt: { layers: 2, heads: 2, width: 64, context: 64 },
    vit: { layers: 2, heads: 2, width: 64 },
  },
  quick: {
    batches: { "mlp-512": 8, "mlp-2750": 4, cnn: 2, resnet18: 2, gpt: 2, vit: 2 },
    units: { "mlp-512": 32, "mlp-2750": 64 },
    resnet18: { width: 4 },
    gpt: { layers: 1, heads: 2, width: 16, context: 16 },
    vit: { layers: 1, heads: 2, width: 16 },
  },
};

const BUILT_IN = { inputShape: null, classes: null } as const;

/** @param dropout the transformers' dropout rate. */
export function checkedModel(size: CheckSize, name: CheckedModelName, dropout = 0): MeasuredModel {
  const sizes = MODEL_SIZES[size];
  const batch = sizes.batches[name];
  const digits = images(28, 28, 1);
  const colours = images(32, 32, 3);
  switch (name) {
    case "mlp-512":
    case "mlp-2750":
      return { model: perceptron(sizes.units[name]), form: digits, batch };
    case "cnn":
      return { model: convolutional, form: digits, batch };
    case "resnet18": {
      const model = { kind: "resnet18", ...BUILT_IN, ...sizes.resnet18, normalization: "batch" } as const;
      return { model, form: colours, batch };
    }
    case "gpt": {
      const { context, ...blocks } = sizes.gpt;
      const model = { kind: "gpt", ...blocks, mlpWidth: null, dropout, context: null, vocabulary: null } as const;
      return { model, form: characters(context), batch, values: VOCABULARY };
    }
    case "vit": {
      const model = { kind: "vit", ...BUILT_IN, ...sizes.vit, mlpWidth: null, patch: 4, dropout } as ModelSpec;
      return { model, form: colours, batch };
    }
  }
}
