import type { Attachment, WeightsVersion } from "./messages.js";

/**
 * Which weights are in θ: every chunk that arrives carries its term and version, and θ is of version s once all of its
 * chunks are. Chunks of different shards arrive in any order, and a slow reader is sent only the newest version of
 * each, so between two versions θ is a mixture that must not be used.
 */
export interface WeightVersions {
  /** The newest term known; everything from an older one is void. */
  readonly term: number;
  /** The version of θ, if all of its chunks are of one version. */
  readonly complete: WeightsVersion | undefined;
  /** A newer term voids every chunk; an older one is ignored. */
  openTerm(term: number): void;
  /** Whether the chunk has to be copied into θ, which must then be done: it counts as copied. */
  accept(chunk: number, weights: WeightsVersion): boolean;
  /** All of the shard's chunks are of this version. @returns whether that is new, and not outdated */
  acceptShard(shard: number, weights: WeightsVersion): boolean;
  /** The shard's chunks of this version are lost; newer ones are kept. */
  forget(shard: number, weights: WeightsVersion): void;
  /** All of the shard's chunks are lost. */
  forgetAll(shard: number): void;
  /** Whether the shard is known to be past this step, in its term or in a newer one. */
  isPast(shard: number, term: number, step: number): boolean;
}

export function createWeightVersions({ chunks, shards }: Pick<Attachment, "chunks" | "shards">): WeightVersions {
  let term = 0;
  /** The version of each chunk; −1 while it is missing. */
  const versions = new Array<number>(chunks.length).fill(-1);
  const moving = chunks.map(({ kind }) => kind !== "frozen");
  const movingCount = moving.filter((moves) => moves).length;
  // Counted, because a model has up to tens of thousands of chunks, each of which arrives at every step.
  let missing = chunks.length;
  let newest = -1;
  let atNewest = 0;

  function openTerm(opened: number): void {
    if (opened <= term) return;
    term = opened;
    versions.fill(-1);
    missing = chunks.length;
    newest = -1;
    atNewest = 0;
  }

  function set(chunk: number, version: number): void {
    const before = versions[chunk];
    if (before === version) return;
    versions[chunk] = version;
    missing += Number(version === -1) - Number(before === -1);
    if (!moving[chunk]) return;
    if (version > newest) {
      newest = version;
      atNewest = 1;
    } else atNewest += Number(version === newest) - Number(before === newest);
  }

  return {
    get term() {
      return term;
    },
    get complete() {
      return missing === 0 && atNewest === movingCount ? { term, version: newest } : undefined;
    },
    openTerm,
    accept(chunk, weights) {
      openTerm(weights.term);
      if (weights.term < term || weights.version < versions[chunk]) return false;
      set(chunk, weights.version);
      return true;
    },
    acceptShard(shard, weights) {
      openTerm(weights.term);
      if (weights.term < term) return false;
      const { firstChunk, endChunk } = shards[shard];
      for (let chunk = firstChunk; chunk < endChunk; chunk++) if (weights.version < versions[chunk]) return false;
      for (let chunk = firstChunk; chunk < endChunk; chunk++) set(chunk, weights.version);
      return true;
    },
    forget(shard, weights) {
      if (weights.term !== term) return;
      const { firstChunk, endChunk } = shards[shard];
      for (let chunk = firstChunk; chunk < endChunk; chunk++) {
        if (versions[chunk] === weights.version) set(chunk, -1);
      }
    },
    forgetAll(shard) {
      for (let chunk = shards[shard].firstChunk; chunk < shards[shard].endChunk; chunk++) set(chunk, -1);
    },
    isPast(shard, ofTerm, step) {
      const { firstChunk, endChunk } = shards[shard];
      for (let chunk = firstChunk; chunk < endChunk; chunk++) {
        if (versions[chunk] === -1 || (term === ofTerm && moving[chunk] && versions[chunk] <= step)) return false;
      }
      return term >= ofTerm;
    },
  };
}

export function isSameVersion(a: WeightsVersion | undefined, b: WeightsVersion | undefined): boolean {
  return a?.term === b?.term && a?.version === b?.version;
}
