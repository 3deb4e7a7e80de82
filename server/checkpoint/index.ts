export {
  type CheckpointMeta,
  layoutHash,
  parametersIn,
  type SliceState,
} from "./checkpoint-file.js";
export { type NewestCheckpoint, readNewestCheckpoint } from "./newest.js";
export { encodeHeader } from "./safetensors.js";
export { microBatchesDone } from "./standing.js";
export { type CheckpointStore, type CheckpointStoreOptions, createCheckpointStore, type WrittenFile } from "./store.js";
