import type { Layout } from "../../shared/layout/index.js";

/** A layer that has weights. */
export interface LayerSummary {
  /** Its path in the model. */
  readonly path: string;
  /** Its weights with their shapes: "kernel 784 × 10, bias 10". */
  readonly weights: string;
  readonly parameters: number;
  readonly isTrained: boolean;
}

/** The layers of a model in the order of their weights. */
export function layerSummaries({ tensors }: Pick<Layout, "tensors">): LayerSummary[] {
  const layers = new Map<string, { weights: string[]; parameters: number; isTrained: boolean }>();
  for (const { name, shape, length, kind } of tensors) {
    const at = name.lastIndexOf("/");
    const [path, weight] = at < 0 ? [name, ""] : [name.slice(0, at), `${name.slice(at + 1)} `];
    const layer = layers.get(path) ?? { weights: [], parameters: 0, isTrained: false };
    layers.set(path, layer);
    layer.weights.push(`${weight}${shape.join(" × ")}`.trim());
    layer.parameters += length;
    layer.isTrained ||= kind === "parameter";
  }
  return [...layers].map(([path, { weights, ...rest }]) => ({ path, weights: weights.join(", "), ...rest }));
}
