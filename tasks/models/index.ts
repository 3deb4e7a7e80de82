export { type BuiltModel, buildModel, type ModelTask } from "./build-model.js";
export type { Layer, LayersModel, LayerVariable } from "./capture-weights.js";
export { createIndexCheck, describeIndexFault, type IndexCheck, type IndexFault } from "./index-inputs.js";
export { type IndexInput, type InputUses, inputUsesOf, type LookUp, type UntracedLookUp } from "./input-uses.js";
export { type LayerEntry, layerTable, refusal } from "./layer-table.js";
export { normalizeRows } from "./layers/normalize.js";
export { type LoadedModel, loadModel } from "./load-model.js";
export { type TensorFlow, tensorflow } from "./tensorflow.js";
export { TOPOLOGY_LIMITS, type TopologyLimits, validateTopology } from "./validate-topology.js";
