/**
 * Convolution over volumes and its two gradients, channels last, any stride, dilation and padding, on one thread; an
 * image is a volume of depth 1.
 *
 * All three are matrix products over "patches": row p of the patch matrix holds the values that output pixel p sees,
 * (depth × height × width of the filter) × channels, zeros where the window leaves the volume. The whole matrix would
 * take many times the memory of x, so it only ever exists for a block of pixels, small enough for the second-level
 * cache:
 *
 *     y          =  patches · filter
 *     dFilter    =  patchesᵀ · dy               added up over the blocks
 *     dx         =  dy · filterᵀ, scattered back to the pixels each patch came from, and added
 */

import { multiplyPacked } from "./gemm";
import { pack, packedBytes } from "./pack";
import { addRow, copyRow, zeroRow } from "./rows";

/** Bytes of patches in a block, unless 20 pixels take more. */
const blockBytes: i32 = 128 * 1024;

/** Pixels in a block, a multiple of the 5 rows of a tile. */
function blockPixels(pixels: i32, patch: i32): i32 {
  const fitting = (blockBytes / (patch << 2) / 20) * 20;
  return min(pixels, max(20, fitting));
}

// The sizes of the convolution that the next calls compute, set by `convolutionDescribe`.
export let inDepth: i32 = 0;
export let inHeight: i32 = 0;
export let inWidth: i32 = 0;
export let channels: i32 = 0;
export let filterDepth: i32 = 0;
export let filterHeight: i32 = 0;
export let filterWidth: i32 = 0;
export let outDepth: i32 = 0;
export let outHeight: i32 = 0;
export let outWidth: i32 = 0;
export let strideDepth: i32 = 0;
export let strideHeight: i32 = 0;
export let strideWidth: i32 = 0;
export let dilationDepth: i32 = 0;
export let dilationHeight: i32 = 0;
export let dilationWidth: i32 = 0;
export let padFront: i32 = 0;
export let padTop: i32 = 0;
export let padLeft: i32 = 0;

export function convolutionDescribe(
  inDepth_: i32,
  inHeight_: i32,
  inWidth_: i32,
  channels_: i32,
  filterDepth_: i32,
  filterHeight_: i32,
  filterWidth_: i32,
  outDepth_: i32,
  outHeight_: i32,
  outWidth_: i32,
  strideDepth_: i32,
  strideHeight_: i32,
  strideWidth_: i32,
  dilationDepth_: i32,
  dilationHeight_: i32,
  dilationWidth_: i32,
  padFront_: i32,
  padTop_: i32,
  padLeft_: i32,
): void {
  inDepth = inDepth_;
  inHeight = inHeight_;
  inWidth = inWidth_;
  channels = channels_;
  filterDepth = filterDepth_;
  filterHeight = filterHeight_;
  filterWidth = filterWidth_;
  outDepth = outDepth_;
  outHeight = outHeight_;
  outWidth = outWidth_;
  strideDepth = strideDepth_;
  strideHeight = strideHeight_;
  strideWidth = strideWidth_;
  dilationDepth = dilationDepth_;
  dilationHeight = dilationHeight_;
  dilationWidth = dilationWidth_;
  padFront = padFront_;
  padTop = padTop_;
  padLeft = padLeft_;
}

/** Values in a patch. */
function patchLength(): i32 {
  return filterDepth * filterHeight * filterWidth * channels;
}

/** Pixels of `batch` outputs. */
function pixelsOf(batch: i32): i32 {
  return batch * outDepth * outHeight * outWidth;
}

/** Bytes of scratch that each of the three functions takes for `batch` images and `filters` output channels. */
export function convolutionScratchBytes(batch: i32, filters: i32): usize {
  const patch = patchLength();
  const block = blockPixels(pixelsOf(batch), patch);
  const packed = max(packedBytes(patch, filters), max(packedBytes(block, filters), packedBytes(filters, patch)));
  return 160 + packed + ((<usize>block * <usize>patch) << 2);
}

/** y (batch × outHeight × outWidth × filters) = x convolved with `filter`, or y plus that. */
export function convolutionForward(
  batch: i32,
  filters: i32,
  x: usize,
  filter: usize,
  y: usize,
  accumulate: bool,
  scratch: usize,
): void {
  const patch = patchLength();
  const pixels = pixelsOf(batch);
  const packed = scratch + 160;
  const patches = packed + packedBytes(patch, filters);
  const patchRow = (<usize>patch) << 2;
  const yRow = (<usize>filters) << 2;
  const block = blockPixels(pixels, patch);
  pack(patch, filters, filter, yRow, 4, packed);
  for (let pixel = 0; pixel < pixels; pixel += block) {
    const rows = min(block, pixels - pixel);
    gather(x, pixel, rows, patches);
    multiplyPacked(
      rows,
      filters,
      patch,
      patches,
      patchRow,
      4,
      packed,
      y + <usize>pixel * yRow,
      yRow,
      accumulate,
      scratch,
    );
  }
}

/** dFilter (filterHeight × filterWidth × channels × filters) of the loss whose gradient for y is dy. */
export function convolutionFilterGradient(
  batch: i32,
  filters: i32,
  x: usize,
  dy: usize,
  dFilter: usize,
  scratch: usize,
): void {
  const patch = patchLength();
  const pixels = pixelsOf(batch);
  const block = blockPixels(pixels, patch);
  const packed = scratch + 160;
  const patches = packed + packedBytes(block, filters);
  const patchRow = (<usize>patch) << 2;
  const yRow = (<usize>filters) << 2;
  for (let pixel = 0; pixel < pixels; pixel += block) {
    const rows = min(block, pixels - pixel);
    gather(x, pixel, rows, patches);
    pack(rows, filters, dy + <usize>pixel * yRow, yRow, 4, packed);
    multiplyPacked(patch, filters, rows, patches, 4, patchRow, packed, dFilter, yRow, pixel > 0, scratch);
  }
}

/** dx (batch × inHeight × inWidth × channels) of the loss whose gradient for y is dy. */
export function convolutionInputGradient(
  batch: i32,
  filters: i32,
  dy: usize,
  filter: usize,
  dx: usize,
  scratch: usize,
): void {
  const patch = patchLength();
  const pixels = pixelsOf(batch);
  const packed = scratch + 160;
  const patches = packed + packedBytes(filters, patch);
  const patchRow = (<usize>patch) << 2;
  const yRow = (<usize>filters) << 2;
  const block = blockPixels(pixels, patch);
  pack(filters, patch, filter, 4, yRow, packed);
  memory.fill(dx, 0, (<usize>(batch * inDepth * inHeight * inWidth) * <usize>channels) << 2);
  for (let pixel = 0; pixel < pixels; pixel += block) {
    const rows = min(block, pixels - pixel);
    multiplyPacked(rows, patch, filters, dy + <usize>pixel * yRow, yRow, 4, packed, patches, patchRow, false, scratch);
    scatter(dx, pixel, rows, patches);
  }
}

/** Writes the patches of the output pixels [pixel, pixel + rows), numbered over all volumes, into `patches`. */
function gather(x: usize, pixel: i32, rows: i32, patches: usize): void {
  const lineBytes = (<usize>filterWidth * <usize>channels) << 2;
  const pointBytes = (<usize>channels) << 2;
  for (const end = pixel + rows; pixel < end; pixel++) {
    moveTo(pixel);
    const whole = dilationWidth === 1 && column >= 0 && column + filterWidth <= inWidth;
    for (let h = 0; h < filterDepth; h++) {
      const z = plane + h * dilationDepth;
      for (let i = 0; i < filterHeight; i++) {
        const y = row + i * dilationHeight;
        if (z < 0 || z >= inDepth || y < 0 || y >= inHeight) {
          zeroRow(patches, lineBytes);
          patches += lineBytes;
          continue;
        }
        const line = x + lineOffset(z, y);
        if (whole) {
          copyRow(patches, line + <usize>column * pointBytes, lineBytes);
          patches += lineBytes;
          continue;
        }
        for (let j = 0; j < filterWidth; j++) {
          const at = column + j * dilationWidth;
          if (at < 0 || at >= inWidth) zeroRow(patches, pointBytes);
          else copyRow(patches, line + <usize>at * pointBytes, pointBytes);
          patches += pointBytes;
        }
      }
    }
  }
}

/** Adds the gradients of these pixels' patches to the places in dx that they came from; the reverse of `gather`. */
function scatter(dx: usize, pixel: i32, rows: i32, patches: usize): void {
  const lineBytes = (<usize>filterWidth * <usize>channels) << 2;
  const pointBytes = (<usize>channels) << 2;
  for (const end = pixel + rows; pixel < end; pixel++) {
    moveTo(pixel);
    const whole = dilationWidth === 1 && column >= 0 && column + filterWidth <= inWidth;
    for (let h = 0; h < filterDepth; h++) {
      const z = plane + h * dilationDepth;
      for (let i = 0; i < filterHeight; i++) {
        const y = row + i * dilationHeight;
        if (z < 0 || z >= inDepth || y < 0 || y >= inHeight) {
          patches += lineBytes;
          continue;
        }
        const line = dx + lineOffset(z, y);
        if (whole) {
          addRow(line + <usize>column * pointBytes, patches, lineBytes);
          patches += lineBytes;
          continue;
        }
        for (let j = 0; j < filterWidth; j++) {
          const at = column + j * dilationWidth;
          if (at >= 0 && at < inWidth) addRow(line + <usize>at * pointBytes, patches, pointBytes);
          patches += pointBytes;
        }
      }
    }
  }
}

// Where the current pixel's window starts, perhaps outside the volume, set by `moveTo`.
let volume: i32 = 0;
let plane: i32 = 0;
let row: i32 = 0;
let column: i32 = 0;

function moveTo(pixel: i32): void {
  column = (pixel % outWidth) * strideWidth - padLeft;
  const line = pixel / outWidth;
  row = (line % outHeight) * strideHeight - padTop;
  const outPlane = line / outHeight;
  plane = (outPlane % outDepth) * strideDepth - padFront;
  volume = outPlane / outDepth;
}

/** Bytes from x's start to line y of plane z of the current volume. */
function lineOffset(z: i32, y: i32): usize {
  return (<usize>(((volume * inDepth + z) * inHeight + y) * inWidth) * <usize>channels) << 2;
}
