/** The type of each part's rows, which hold its findings. */
import type { ClusterRow } from "./cluster/run.js";
import type { CompiledRow } from "./parts/compiled.js";
import type { FoldingRow } from "./parts/folding.js";
import type { GradientRow } from "./parts/gradients.js";
import type { KernelsRow } from "./parts/kernels.js";
import type { KinksRow } from "./parts/kinks.js";
import type { MaskRow } from "./parts/masks.js";
import type { MemoryRow } from "./parts/memory.js";
import type { PartitionsRow } from "./parts/partitions.js";
import type { PrecisionRow } from "./parts/precision.js";
import type { TorchRow } from "./parts/torch.js";
import type { TrainingRow } from "./parts/training.js";
import type { VariantRow } from "./parts/variants.js";

export interface Rows {
  kernels: KernelsRow;
  kinks: KinksRow;
  training: TrainingRow;
  partitions: PartitionsRow;
  compiled: CompiledRow;
  folding: FoldingRow;
  masks: MaskRow;
  gradients: GradientRow;
  precision: PrecisionRow;
  torch: TorchRow;
  cluster: ClusterRow;
  variants: VariantRow;
  memory: MemoryRow;
}
