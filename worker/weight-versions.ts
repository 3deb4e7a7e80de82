/**
 * Which weights lie in θ: every chunk that comes carries its epoch and version, and θ is of version s once all of
 * its chunks are. Chunks of different shards come in any order, and a slow reader is sent only the newest version of
 * each, so between two versions θ is a mixture that nobody may use.
 */
import type { Chunk } from "../shared/layout/index.js";

/** The weights that step `version` is computed with. */
export interface WeightsVersion {
  readonly epoch: number;
  readonly version: number;
}

export interface WeightVersions {
  /** The newest epoch heard of; what belongs to an older one is void. */
  readonly epoch: number;
  /** What θ is now, if all of its chunks are of one version. */
  readonly complete: WeightsVersion | undefined;
  /** A newer epoch voids every chunk; an older one is passed over. */
  openEpoch(epoch: number): void;
  /** Whether the chunk is to be copied into θ, which must then be done: it counts as there. */
  accept(chunk: number, weights: WeightsVersion): boolean;
}

/** @param chunks of the layout; what is frozen never changes within an epoch, so its version is not compared */
export function createWeightVersions(chunks: readonly Pick<Chunk, "kind">[]): WeightVersions {
  let epoch = 0;
  /** Of each chunk, −1 while it is missing. */
  const versions = new Array<number>(chunks.length).fill(-1);
  const moving = chunks.flatMap(({ kind }, index) => (kind === "frozen" ? [] : [index]));

  const openEpoch = (opened: number): void => {
    if (opened <= epoch) return;
    epoch = opened;
    versions.fill(-1);
  };

  return {
    get epoch() {
      return epoch;
    },
    get complete() {
      const version = versions[moving[0]];
      if (versions.includes(-1) || moving.some((index) => versions[index] !== version)) return undefined;
      return { epoch, version };
    },
    openEpoch,
    accept(chunk, weights) {
      openEpoch(weights.epoch);
      if (weights.epoch < epoch || weights.version < versions[chunk]) return false;
      versions[chunk] = weights.version;
      return true;
    },
  };
}

export function isSameVersion(a: WeightsVersion | undefined, b: WeightsVersion | undefined): boolean {
  return a?.epoch === b?.epoch && a?.version === b?.version;
}
