/**
 * What `import "isobatch/layers"` gives a program that loads an exported model: the layers that tfjs lacks, and tfjs's own
 * layers as Isobatch computes them, in `predict` and in a model's `call`.
 */
import { repairLayers, repairPrediction } from "./repairs/index.js";

export * from "./layers/index.js";

repairLayers();
repairPrediction();
