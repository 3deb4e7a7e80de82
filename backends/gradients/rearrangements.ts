import {
  add,
  Cumsum,
  cumsum,
  DepthToSpace,
  MirrorPad,
  pad,
  registerGradient,
  reshape,
  reverse,
  slice,
  sum,
  type Tensor,
  Tile,
  transpose,
} from "../../tasks/tfjs/core.js";

/**
 * Gradients of operations that move elements or add them up: tfjs's is wrong for mirrorPad, fails for cumsum along any
 * axis but the last, is missing for depthToSpace, and cuts a tile's gradient into its copies one by one
 * (two thousand slices in a small net with LayerNormalization).
 */
export function registerRearrangements(): void {
  registerGradient({
    kernelName: MirrorPad,
    inputsToSave: ["x"],
    gradFunc: (dy, [x], attrs) => {
      const { paddings, mode } = attrs as unknown as { paddings: [number, number][]; mode: "reflect" | "symmetric" };
      return {
        x: () => paddings.reduce((rest, sides, axis) => foldBack(rest, axis, x.shape[axis], sides, mode), dy as Tensor),
      };
    },
  });

  registerGradient({
    kernelName: Tile,
    gradFunc: (dy, _, attrs) => {
      const { reps } = attrs as unknown as { reps: number[] };
      return { x: () => reps.reduce((rest, copies, axis) => addCopies(rest, axis, copies), dy as Tensor) };
    },
  });

  registerGradient({
    kernelName: Cumsum,
    gradFunc: (dy, _, attrs) => {
      const { axis, exclusive, reverse: reversed } = attrs as unknown as CumsumAttributes;
      return { x: () => cumsum(dy as Tensor, axis, exclusive, !reversed) };
    },
  });

  registerGradient({
    kernelName: DepthToSpace,
    gradFunc: (dy, _, attrs) => ({ x: () => spaceToDepth(dy as Tensor, attrs as unknown as DepthToSpaceAttributes) }),
  });
}

/**
 * Adds what was mirrored beyond both ends of one axis, with `size` elements inside, to the elements it was copied from.
 */
function foldBack(dy: Tensor, axis: number, size: number, sides: [number, number], mode: string): Tensor {
  const [before, after] = sides;
  const edge = mode === "reflect" ? 1 : 0; // "reflect" leaves the outermost element out
  const part = (begin: number, length: number): Tensor => {
    const starts = dy.shape.map((_, i) => (i === axis ? begin : 0));
    return slice(
      dy,
      starts,
      dy.shape.map((whole, i) => (i === axis ? length : whole)),
    );
  };
  const inside = part(before, size);
  const mirrored = (begin: number, length: number, at: number): Tensor => {
    const sidesOf = dy.shape.map((_, i): [number, number] => (i === axis ? [at, size - at - length] : [0, 0]));
    return pad(reverse(part(begin, length), axis), sidesOf);
  };
  const left = before > 0 ? [mirrored(0, before, edge)] : [];
  const right = after > 0 ? [mirrored(before + size, after, size - edge - after)] : [];
  return [...left, ...right].reduce((total, end) => add(total, end), inside);
}

/** Adds up the `copies` that follow each other along an axis. */
function addCopies(dy: Tensor, axis: number, copies: number): Tensor {
  if (copies === 1) return dy;
  const before = dy.shape.slice(0, axis);
  const [size, ...after] = dy.shape.slice(axis);
  const outer = before.reduce((product, length) => product * length, 1);
  const added = sum(reshape(dy, [outer, copies, -1]), 1);
  return reshape(added, [...before, size / copies, ...after]);
}

interface CumsumAttributes {
  axis: number;
  exclusive: boolean;
  reverse: boolean;
}

interface DepthToSpaceAttributes {
  blockSize: number;
  dataFormat: "NHWC" | "NCHW";
}

/** The reverse of depthToSpace: a block of points becomes the channels of one. */
function spaceToDepth(dy: Tensor, { blockSize, dataFormat }: DepthToSpaceAttributes): Tensor {
  if (dataFormat === "NCHW") throw new Error("The gradient of depthToSpace takes channels last (NHWC) only.");
  const [batch, height, width, channels] = dy.shape;
  const [rows, columns] = [height / blockSize, width / blockSize];
  const blocks = reshape(dy, [batch * rows, blockSize, columns, blockSize * channels]);
  return reshape(transpose(blocks, [0, 2, 1, 3]), [batch, rows, columns, blockSize * blockSize * channels]);
}
