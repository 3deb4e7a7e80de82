/**
 * Every layer class of tfjs: trained right, as the gradient tests show, or refused at the start, by name.
 */
export type LayerEntry = { readonly trained: true } | { readonly trained: false; readonly reason: string };

const TRAINED = ["InputLayer", "Dense", "Flatten", "Reshape", "Activation", "Dropout", "BatchNormalization"];
const TRAINED_CONVOLUTIONS = ["Conv2D", "MaxPooling2D", "AveragePooling2D"];

export const layerTable: Readonly<Record<string, LayerEntry>> = Object.fromEntries(
  [...TRAINED, ...TRAINED_CONVOLUTIONS, "LayerNormalization"].map((name) => [name, { trained: true } as const]),
);

/**
 * Why a layer can't be trained, or undefined if it can.
 * @param config the layer's tfjs configuration, camelCase or snake_case.
 */
export function refusal(className: string, _config: Readonly<Record<string, unknown>>): string | undefined {
  const entry = Object.hasOwn(layerTable, className) ? layerTable[className] : undefined;
  if (entry === undefined) return "it is not one of the layers that Isobatch knows";
  return entry.trained ? undefined : entry.reason;
}
