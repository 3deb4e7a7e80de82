export {
  type CheckpointMeta,
  layoutHash,
  parametersIn,
  type SliceState,
} from "./checkpoint-file.js";
export { microBatchesDone } from "./micro-batches-done.js";
export { type NewestCheckpoint, readNewestCheckpoint } from "./newest.js";
export { encodeHeader } from "./safetensors.js";
export { type CheckpointStore, type CheckpointStoreOptions, createCheckpointStore, type WrittenFile } from "./store.js";
