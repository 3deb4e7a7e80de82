/**
 * Depthwise convolution and its gradients, channels last: input channel c makes the output channels
 * [c·multiplier, (c + 1)·multiplier), each with its own filter plane. The sizes are those that `convolutionDescribe`
 * set.
 */

import {
  channels,
  dilationHeight,
  dilationWidth,
  filterHeight,
  filterWidth,
  inHeight,
  inWidth,
  outHeight,
  outWidth,
  padLeft,
  padTop,
  strideHeight,
  strideWidth,
} from "./convolution";

/** y (batch × outHeight × outWidth × channels · multiplier). */
export function depthwiseForward(batch: i32, multiplier: i32, x: usize, filter: usize, y: usize): void {
  const pointBytes = (<usize>channels) << 2;
  const outBytes = pointBytes * <usize>multiplier;
  const imageBytes = <usize>inHeight * <usize>inWidth * pointBytes;
  memory.fill(y, 0, <usize>batch * <usize>outHeight * <usize>outWidth * outBytes);
  for (let n = 0; n < batch; n++, x += imageBytes) {
    for (let i = 0; i < outHeight; i++) {
      for (let j = 0; j < outWidth; j++, y += outBytes) {
        for (let p = 0; p < filterHeight; p++) {
          const row = i * strideHeight - padTop + p * dilationHeight;
          if (row < 0 || row >= inHeight) continue;
          for (let q = 0; q < filterWidth; q++) {
            const column = j * strideWidth - padLeft + q * dilationWidth;
            if (column < 0 || column >= inWidth) continue;
            const point = x + <usize>(row * inWidth + column) * pointBytes;
            addScaled(y, point, filter + <usize>(p * filterWidth + q) * outBytes, multiplier);
          }
        }
      }
    }
  }
}

/** y[c·multiplier + k] += point[c] · filter[c·multiplier + k]. */
function addScaled(y: usize, point: usize, filter: usize, multiplier: i32): void {
  let c = 0;
  if (multiplier === 1) {
    for (; c + 4 <= channels; c += 4, point += 16, y += 16, filter += 16) {
      v128.store(y, f32x4.add(v128.load(y), f32x4.mul(v128.load(point), v128.load(filter))));
    }
  }
  for (; c < channels; c++, point += 4) {
    const value = load<f32>(point);
    for (let k = 0; k < multiplier; k++, y += 4, filter += 4) store<f32>(y, load<f32>(y) + value * load<f32>(filter));
  }
}

/** dx (batch × inHeight × inWidth × channels); dy has channels · multiplier channels. */
export function depthwiseInputGradient(batch: i32, multiplier: i32, dy: usize, filter: usize, dx: usize): void {
  const pointBytes = (<usize>channels) << 2;
  const outBytes = pointBytes * <usize>multiplier;
  const imageBytes = <usize>inHeight * <usize>inWidth * pointBytes;
  memory.fill(dx, 0, <usize>batch * imageBytes);
  for (let n = 0; n < batch; n++, dx += imageBytes) {
    for (let i = 0; i < outHeight; i++) {
      for (let j = 0; j < outWidth; j++, dy += outBytes) {
        for (let p = 0; p < filterHeight; p++) {
          const row = i * strideHeight - padTop + p * dilationHeight;
          if (row < 0 || row >= inHeight) continue;
          for (let q = 0; q < filterWidth; q++) {
            const column = j * strideWidth - padLeft + q * dilationWidth;
            if (column < 0 || column >= inWidth) continue;
            const point = dx + <usize>(row * inWidth + column) * pointBytes;
            addProducts(point, dy, filter + <usize>(p * filterWidth + q) * outBytes, multiplier);
          }
        }
      }
    }
  }
}

/** point[c] += Σ over the multiplier of dy · filter. */
function addProducts(point: usize, dy: usize, filter: usize, multiplier: i32): void {
  let c = 0;
  if (multiplier === 1) {
    for (; c + 4 <= channels; c += 4, point += 16, dy += 16, filter += 16) {
      v128.store(point, f32x4.add(v128.load(point), f32x4.mul(v128.load(dy), v128.load(filter))));
    }
  }
  for (; c < channels; c++, point += 4) {
    let sum: f32 = 0;
    for (let k = 0; k < multiplier; k++, dy += 4, filter += 4) sum += load<f32>(dy) * load<f32>(filter);
    store<f32>(point, load<f32>(point) + sum);
  }
}

/** dFilter (filterHeight × filterWidth × channels × multiplier), summed first along a line, then over lines. */
export function depthwiseFilterGradient(batch: i32, multiplier: i32, x: usize, dy: usize, dFilter: usize): void {
  const pointBytes = (<usize>channels) << 2;
  const outBytes = pointBytes * <usize>multiplier;
  const lineBytes = <usize>inWidth * pointBytes;
  memory.fill(dFilter, 0, <usize>(filterHeight * filterWidth) * outBytes);
  for (let n = 0; n < batch; n++, x += <usize>inHeight * lineBytes) {
    for (let i = 0; i < outHeight; i++, dy += <usize>outWidth * outBytes) {
      for (let p = 0; p < filterHeight; p++) {
        const row = i * strideHeight - padTop + p * dilationHeight;
        if (row < 0 || row >= inHeight) continue;
        for (let q = 0; q < filterWidth; q++) {
          const offset = q * dilationWidth - padLeft;
          // The output columns whose input column j · strideWidth + offset is inside the line.
          const first = offset < 0 ? (strideWidth - 1 - offset) / strideWidth : 0;
          const last = inWidth - 1 - offset < 0 ? -1 : min(outWidth - 1, (inWidth - 1 - offset) / strideWidth);
          if (first > last) continue;
          const from = x + <usize>row * lineBytes + <usize>(first * strideWidth + offset) * pointBytes;
          const plane = dFilter + <usize>(p * filterWidth + q) * outBytes;
          addLine(last - first + 1, multiplier, from, dy + <usize>first * outBytes, plane);
        }
      }
    }
  }
}

/** plane[c·multiplier + k] += Σ over `count` points of x[c] · dy[c·multiplier + k]. */
function addLine(count: i32, multiplier: i32, x: usize, dy: usize, plane: usize): void {
  const xStep = (<usize>strideWidth * <usize>channels) << 2;
  const dyStep = (<usize>channels * <usize>multiplier) << 2;
  let c = 0;
  if (multiplier === 1) {
    for (; c + 4 <= channels; c += 4, plane += 16, x += 16, dy += 16) {
      let sum = f32x4.splat(0);
      let from = x;
      let gradient = dy;
      for (let i = 0; i < count; i++, from += xStep, gradient += dyStep) {
        sum = f32x4.add(sum, f32x4.mul(v128.load(from), v128.load(gradient)));
      }
      v128.store(plane, f32x4.add(v128.load(plane), sum));
    }
  }
  for (; c < channels; c++, x += 4) {
    for (let k = 0; k < multiplier; k++, plane += 4, dy += 4) {
      let sum: f32 = 0;
      let from = x;
      let gradient = dy;
      for (let i = 0; i < count; i++, from += xStep, gradient += dyStep) sum += load<f32>(from) * load<f32>(gradient);
      store<f32>(plane, load<f32>(plane) + sum);
    }
  }
}
