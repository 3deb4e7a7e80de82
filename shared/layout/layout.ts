/**
 * The model as one flat float32 vector: first every trained parameter, then the tail (BatchNorm's moving
 * statistics, which are averaged instead of trained), then what is frozen. The vector is cut twice:
 *
 * - into **chunks**, the unit of the wire and of versions. Their length depends only on the number of
 *   parameters, never on the number of shards, so that sums over chunks have one order on any cluster; a chunk never
 *   mixes kinds.
 * - into **segments** of at most 2^24 elements, each with its own memory, because wasm32 ends at 4 GiB. A chunk
 *   is in one segment; a tensor may be in several.
 */

export type TensorKind = "parameter" | "tail" | "frozen";

export interface TensorSpec {
  /** Unique in the model: the weight's `originalName`, e.g. `dense_1/kernel`. */
  readonly name: string;
  readonly shape: readonly number[];
  readonly kind: TensorKind;
  /** Whether decoupled weight decay applies; only parameters decay. */
  readonly decay: boolean;
  /** For a tail tensor: BatchNorm's momentum, the fraction of the old value that one micro-batch keeps. */
  readonly momentum?: number;
}

export interface LayoutTensor extends TensorSpec {
  /** First element in the flat vector. */
  readonly offset: number;
  /** Number of elements: the product of the shape, 1 for a scalar. */
  readonly length: number;
}

export interface Chunk {
  readonly index: number;
  readonly offset: number;
  readonly length: number;
  readonly kind: TensorKind;
  readonly segment: number;
}

export interface Segment {
  readonly index: number;
  readonly offset: number;
  readonly length: number;
}

export interface Layout {
  /** In the order of the flat vector. */
  readonly tensors: readonly LayoutTensor[];
  readonly chunks: readonly Chunk[];
  readonly segments: readonly Segment[];
  /** Elements of each kind; the parameters are [0, parameters), the tail follows, then the frozen. */
  readonly parameters: number;
  readonly tail: number;
  readonly frozen: number;
  readonly length: number;
}

/** Elements in a block: the fixed unit of float64 norms (noise scale), a divisor of every chunk but the last. */
export const BLOCK_LENGTH = 4096;
/** The most elements in a chunk: 512 KiB of float32. */
export const CHUNK_LENGTH_MAX = 32 * BLOCK_LENGTH;
const CHUNKS_WANTED = 8;
/** The most elements in a segment. */
export const SEGMENT_LENGTH_MAX = 2 ** 24;

const KINDS: readonly TensorKind[] = ["parameter", "tail", "frozen"];

/**
 * Lays the tensors out, keeping their order within each kind.
 * @throws {RangeError} on a repeated name or an empty tensor: the caller validates models, so that is a bug
 */
export function createLayout(specs: readonly TensorSpec[]): Layout {
  const tensors: LayoutTensor[] = [];
  const names = new Set<string>();
  const count: Record<TensorKind, number> = { parameter: 0, tail: 0, frozen: 0 };
  let offset = 0;
  for (const kind of KINDS) {
    for (const spec of specs) {
      if (spec.kind !== kind) continue;
      const length = spec.shape.reduce((product, size) => product * size, 1);
      if (names.has(spec.name)) throw new RangeError(`two tensors are called ${spec.name}`);
      if (!(Number.isSafeInteger(length) && length > 0))
        throw new RangeError(`tensor ${spec.name} has ${length} elements`);
      names.add(spec.name);
      tensors.push({ ...spec, offset, length });
      offset += length;
      count[kind] += length;
    }
  }
  const chunks: Chunk[] = [];
  const wanted = Math.ceil(count.parameter / CHUNKS_WANTED / BLOCK_LENGTH) * BLOCK_LENGTH;
  const chunkLength = Math.min(CHUNK_LENGTH_MAX, Math.max(BLOCK_LENGTH, wanted));
  const segments: Segment[] = [];
  let start = 0;
  for (const kind of KINDS) {
    const end = start + count[kind];
    while (start < end) {
      const length = Math.min(chunkLength, end - start);
      const last = segments.at(-1);
      if (last === undefined || last.length + length > SEGMENT_LENGTH_MAX) {
        segments.push({ index: segments.length, offset: start, length });
      } else {
        segments[last.index] = { ...last, length: last.length + length };
      }
      chunks.push({ index: chunks.length, offset: start, length, kind, segment: segments.length - 1 });
      start += length;
    }
  }
  return {
    tensors,
    chunks,
    segments,
    parameters: count.parameter,
    tail: count.tail,
    frozen: count.frozen,
    length: offset,
  };
}

export interface ChunkRange {
  readonly firstChunk: number;
  /** Exclusive. */
  readonly endChunk: number;
}

/** Cuts the chunks into `shards` contiguous, nearly equal slices. `shards` is in [1, number of chunks]. */
export function sliceChunks(layout: Layout, shards: number): ChunkRange[] {
  const count = layout.chunks.length;
  if (!(Number.isInteger(shards) && shards >= 1 && shards <= count)) {
    throw new RangeError(`${shards} shards for ${count} chunks`);
  }
  return Array.from({ length: shards }, (_, i) => ({
    firstChunk: Math.floor((i * count) / shards),
    endChunk: Math.floor(((i + 1) * count) / shards),
  }));
}

/** Elements [firstElement, endElement) of the flat vector. */
export interface ElementRange {
  readonly firstElement: number;
  readonly endElement: number;
}

/** The elements of a range of chunks. */
export function elementsOf(layout: Layout, { firstChunk, endChunk }: ChunkRange): ElementRange {
  const last = layout.chunks[endChunk - 1];
  return { firstElement: layout.chunks[firstChunk].offset, endElement: last.offset + last.length };
}

/** A part of a tensor: elements [from, to) of it, at `offset` in the flat vector. */
export interface TensorPart {
  readonly tensor: LayoutTensor;
  readonly from: number;
  readonly to: number;
  readonly offset: number;
}

/** The parts of tensors that make up elements [offset, offset + length) of the flat vector, in order. */
export function tensorParts(layout: Layout, offset: number, length: number): TensorPart[] {
  const end = offset + length;
  const parts: TensorPart[] = [];
  for (const tensor of layout.tensors) {
    const from = Math.max(offset, tensor.offset);
    const to = Math.min(end, tensor.offset + tensor.length);
    if (from < to) parts.push({ tensor, from: from - tensor.offset, to: to - tensor.offset, offset: from });
  }
  return parts;
}

/** The layout's JSON form: only the tensors, from which the rest follows. */
export function layoutToJson(layout: Layout): string {
  return JSON.stringify(
    layout.tensors.map(({ name, shape, kind, decay, momentum }) => ({ name, shape, kind, decay, momentum })),
  );
}

/** Limits above those of any model that may be trained; a larger layout is refused before anything is built from it. */
const JSON_LENGTH_MAX = 8 * 2 ** 20;
const TENSORS_MAX = 2 ** 14;
const NAME_LENGTH_MAX = 1000;
const RANK_MAX = 16;
/** The most elements of all tensors together: 4 GiB of float32. */
const ELEMENTS_MAX = 2 ** 30;

/**
 * Reads a layout that came over the network, or from a file.
 * @throws {RangeError | SyntaxError} if it is not the layout of a model of at most 2^30 elements
 */
export function layoutFromJson(json: string): Layout {
  if (json.length > JSON_LENGTH_MAX) {
    throw new RangeError(`the layout has ${json.length} characters; at most ${JSON_LENGTH_MAX} are allowed`);
  }
  const specs: unknown = JSON.parse(json);
  if (!Array.isArray(specs)) throw new RangeError("the layout is not a list of tensors");
  if (specs.length > TENSORS_MAX) {
    throw new RangeError(`the layout has ${specs.length} tensors; at most ${TENSORS_MAX} are allowed`);
  }
  let elements = 0;
  for (const spec of specs) {
    checkSpec(spec);
    elements += spec.shape.reduce((product, size) => product * size, 1);
    if (elements > ELEMENTS_MAX) {
      throw new RangeError(
        `with tensor ${spec.name} the layout has ${elements} elements; at most ${ELEMENTS_MAX} are allowed`,
      );
    }
  }
  return createLayout(specs as TensorSpec[]);
}

function checkSpec(value: unknown): asserts value is TensorSpec {
  const { name, shape, kind, decay, momentum } = (value ?? {}) as Partial<TensorSpec>;
  if (!(typeof name === "string" && name.length >= 1 && name.length <= NAME_LENGTH_MAX)) {
    throw new RangeError(`the layout has a tensor without a name of 1 to ${NAME_LENGTH_MAX} characters`);
  }
  const isShape =
    Array.isArray(shape) && shape.length <= RANK_MAX && shape.every((size) => Number.isSafeInteger(size) && size >= 1);
  if (!isShape) {
    throw new RangeError(
      `the shape of tensor ${name} is not a list of at most ${RANK_MAX} whole numbers of at least 1`,
    );
  }
  if (!KINDS.includes(kind as TensorKind))
    throw new RangeError(`the kind of tensor ${name} is not one of ${KINDS.join(", ")}`);
  if (typeof decay !== "boolean") throw new RangeError(`tensor ${name} does not say whether it decays`);
  const isMomentum = momentum === undefined || (typeof momentum === "number" && momentum >= 0 && momentum <= 1);
  if (!isMomentum) throw new RangeError(`the momentum of tensor ${name} is not a number from 0 to 1`);
}
