/**
 * Max and average pooling and their gradients over volumes, channels last; an image is a volume of depth 1. Windows
 * may overlap and may be cut off by the edge ("same" padding): what is outside is not part of the window, neither
 * for the maximum nor for the mean.
 */

import { addRow } from "./rows";

// The sizes of the pooling that the next calls compute, set by `poolDescribe`.
let inDepth: i32 = 0;
let inHeight: i32 = 0;
let inWidth: i32 = 0;
let channels: i32 = 0;
let outDepth: i32 = 0;
let outHeight: i32 = 0;
let outWidth: i32 = 0;
let windowDepth: i32 = 0;
let windowHeight: i32 = 0;
let windowWidth: i32 = 0;
let strideDepth: i32 = 0;
let strideHeight: i32 = 0;
let strideWidth: i32 = 0;
let padFront: i32 = 0;
let padTop: i32 = 0;
let padLeft: i32 = 0;

export function poolDescribe(
  inDepth_: i32,
  inHeight_: i32,
  inWidth_: i32,
  channels_: i32,
  outDepth_: i32,
  outHeight_: i32,
  outWidth_: i32,
  windowDepth_: i32,
  windowHeight_: i32,
  windowWidth_: i32,
  strideDepth_: i32,
  strideHeight_: i32,
  strideWidth_: i32,
  padFront_: i32,
  padTop_: i32,
  padLeft_: i32,
): void {
  inDepth = inDepth_;
  inHeight = inHeight_;
  inWidth = inWidth_;
  channels = channels_;
  outDepth = outDepth_;
  outHeight = outHeight_;
  outWidth = outWidth_;
  windowDepth = windowDepth_;
  windowHeight = windowHeight_;
  windowWidth = windowWidth_;
  strideDepth = strideDepth_;
  strideHeight = strideHeight_;
  strideWidth = strideWidth_;
  padFront = padFront_;
  padTop = padTop_;
  padLeft = padLeft_;
}

// The points of the current window inside the volume, set by `moveTo`: how many there are, and where their offsets are
// stored, in bytes from the volume's start. They are listed once per window, for all its channels.
let points: i32 = 0;
let offsets: usize = 0;

/** Bytes of scratch that each of the functions below takes. */
export function poolScratchBytes(): usize {
  return (<usize>(windowDepth * windowHeight * windowWidth + channels)) << 2;
}

function moveTo(h: i32, i: i32, j: i32): void {
  const front = h * strideDepth - padFront;
  const top = i * strideHeight - padTop;
  const left = j * strideWidth - padLeft;
  points = 0;
  for (let plane = max(0, front); plane < min(inDepth, front + windowDepth); plane++) {
    for (let row = max(0, top); row < min(inHeight, top + windowHeight); row++) {
      for (let column = max(0, left); column < min(inWidth, left + windowWidth); column++) {
        store<u32>(offsets + ((<usize>points) << 2), <u32>offsetOf(plane, row, column));
        points++;
      }
    }
  }
}

/** Bytes from a volume's start to its point (plane, row, column). */
function offsetOf(plane: i32, row: i32, column: i32): usize {
  return (<usize>((plane * inHeight + row) * inWidth + column) * <usize>channels) << 2;
}

/** y (batch × outDepth × outHeight × outWidth × channels) = the windows' maxima. */
export function maxPool(batch: i32, x: usize, y: usize, scratch: usize): void {
  offsets = scratch;
  const pointBytes = (<usize>channels) << 2;
  const volumeBytes = offsetOf(inDepth, 0, 0);
  for (let n = 0; n < batch; n++, x += volumeBytes) {
    for (let h = 0; h < outDepth; h++) {
      for (let i = 0; i < outHeight; i++) {
        for (let j = 0; j < outWidth; j++, y += pointBytes) {
          moveTo(h, i, j);
          let at: usize = 0;
          for (; at + 16 <= pointBytes; at += 16) {
            findMaxima(x + at);
            v128.store(y + at, maxima);
          }
          for (; at < pointBytes; at += 4) {
            findMaximum(x + at);
            store<f32>(y + at, maximum);
          }
        }
      }
    }
  }
}

/**
 * dx (batch × inDepth × inHeight × inWidth × channels): each dy, which is shaped as y, goes to its window's maximum,
 * the first of equal ones.
 */
export function maxPoolGradient(batch: i32, dy: usize, x: usize, dx: usize, scratch: usize): void {
  offsets = scratch;
  const pointBytes = (<usize>channels) << 2;
  const volumeBytes = offsetOf(inDepth, 0, 0);
  memory.fill(dx, 0, <usize>batch * volumeBytes);
  for (let n = 0; n < batch; n++, x += volumeBytes, dx += volumeBytes) {
    for (let h = 0; h < outDepth; h++) {
      for (let i = 0; i < outHeight; i++) {
        for (let j = 0; j < outWidth; j++, dy += pointBytes) {
          moveTo(h, i, j);
          let at: usize = 0;
          for (; at + 16 <= pointBytes; at += 16) {
            findMaxima(x + at);
            addAtMaxima(dx + at, v128.load(dy + at));
          }
          for (; at < pointBytes; at += 4) {
            findMaximum(x + at);
            const to = dx + at + where;
            if (found) store<f32>(to, load<f32>(to) + load<f32>(dy + at));
          }
        }
      }
    }
  }
}

// What `findMaxima` found: four channels' maxima, and the offset of each in bytes from the volume's start.
let maxima: v128 = f32x4.splat(0);
let places: v128 = i32x4.splat(0);

function findMaxima(x: usize): void {
  let best = f32x4.splat(-Infinity);
  let at = i32x4.splat(-1);
  const end = offsets + ((<usize>points) << 2);
  for (let point = offsets; point < end; point += 4) {
    const offset = load<u32>(point);
    const value = v128.load(x + offset);
    const better = f32x4.gt(value, best);
    best = v128.bitselect(value, best, better);
    at = v128.bitselect(i32x4.splat(<i32>offset), at, better);
  }
  maxima = best;
  places = at;
}

function addAtMaxima(dx: usize, dy: v128): void {
  const at = places;
  const end = offsets + ((<usize>points) << 2);
  for (let point = offsets; point < end; point += 4) {
    const offset = load<u32>(point);
    const mine = v128.and(dy, i32x4.eq(at, i32x4.splat(<i32>offset)));
    v128.store(dx + offset, f32x4.add(v128.load(dx + offset), mine));
  }
}

// What `findMaximum` found in one channel.
let maximum: f32 = 0;
let where: usize = 0;
let found: bool = false;

function findMaximum(x: usize): void {
  maximum = -Infinity;
  found = false;
  const end = offsets + ((<usize>points) << 2);
  for (let point = offsets; point < end; point += 4) {
    const offset = load<u32>(point);
    const value = load<f32>(x + offset);
    if (!(value > maximum)) continue;
    maximum = value;
    where = offset;
    found = true;
  }
}

/** dx as above: each dy is divided evenly among the points of its window. */
export function averagePoolGradient(batch: i32, dy: usize, dx: usize, scratch: usize): void {
  offsets = scratch;
  const share = scratch + ((<usize>(windowDepth * windowHeight * windowWidth)) << 2);
  const pointBytes = (<usize>channels) << 2;
  const volumeBytes = offsetOf(inDepth, 0, 0);
  memory.fill(dx, 0, <usize>batch * volumeBytes);
  for (let n = 0; n < batch; n++, dx += volumeBytes) {
    for (let h = 0; h < outDepth; h++) {
      for (let i = 0; i < outHeight; i++) {
        for (let j = 0; j < outWidth; j++, dy += pointBytes) {
          moveTo(h, i, j);
          for (let at: usize = 0; at < pointBytes; at += 4) store<f32>(share + at, load<f32>(dy + at) / <f32>points);
          for (let point = 0; point < points; point++) {
            addRow(dx + load<u32>(offsets + ((<usize>point) << 2)), share, pointBytes);
          }
        }
      }
    }
  }
}
