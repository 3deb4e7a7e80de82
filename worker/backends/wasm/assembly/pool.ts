/**
 * The gradients of 2-D max and average pooling, channels last. Windows may overlap and may be cut off by the image's
 * edge ("same" padding): what lies outside is no part of the window, neither for the maximum nor for the mean.
 */

/**
 * dx (batch × inHeight × inWidth × channels): each dy goes to its window's maximum, the first of equal ones.
 * dy is batch × outHeight × outWidth × channels.
 */
export function maxPoolGradient(
  batch: i32,
  inHeight: i32,
  inWidth: i32,
  channels: i32,
  outHeight: i32,
  outWidth: i32,
  windowHeight: i32,
  windowWidth: i32,
  strideHeight: i32,
  strideWidth: i32,
  padTop: i32,
  padLeft: i32,
  dy: usize,
  x: usize,
  dx: usize,
): void {
  const pointBytes = (<usize>channels) << 2;
  const lineBytes = <usize>inWidth * pointBytes;
  const imageBytes = <usize>inHeight * lineBytes;
  memory.fill(dx, 0, <usize>batch * imageBytes);
  for (let n = 0; n < batch; n++) {
    for (let i = 0; i < outHeight; i++) {
      const top = max(0, i * strideHeight - padTop);
      const bottom = min(inHeight, i * strideHeight - padTop + windowHeight);
      for (let j = 0; j < outWidth; j++) {
        const left = max(0, j * strideWidth - padLeft);
        const right = min(inWidth, j * strideWidth - padLeft + windowWidth);
        let at: usize = 0;
        for (; at + 16 <= pointBytes; at += 16) {
          maxOf4(x + at, dx + at, v128.load(dy + at), top, bottom, left, right, lineBytes, pointBytes);
        }
        for (; at < pointBytes; at += 4) {
          maxOf1(x + at, dx + at, load<f32>(dy + at), top, bottom, left, right, lineBytes, pointBytes);
        }
        dy += pointBytes;
      }
    }
    x += imageBytes;
    dx += imageBytes;
  }
}

function maxOf4(
  x: usize,
  dx: usize,
  dy: v128,
  top: i32,
  bottom: i32,
  left: i32,
  right: i32,
  lineBytes: usize,
  pointBytes: usize,
): void {
  let best = f32x4.splat(-Infinity);
  let where = i32x4.splat(-1);
  for (let row = top; row < bottom; row++) {
    let offset = <usize>row * lineBytes + <usize>left * pointBytes;
    for (let column = left; column < right; column++, offset += pointBytes) {
      const value = v128.load(x + offset);
      const better = f32x4.gt(value, best);
      best = v128.bitselect(value, best, better);
      where = v128.bitselect(i32x4.splat(<i32>offset), where, better);
    }
  }
  for (let row = top; row < bottom; row++) {
    let offset = <usize>row * lineBytes + <usize>left * pointBytes;
    for (let column = left; column < right; column++, offset += pointBytes) {
      const mine = v128.and(dy, i32x4.eq(where, i32x4.splat(<i32>offset)));
      v128.store(dx + offset, f32x4.add(v128.load(dx + offset), mine));
    }
  }
}

function maxOf1(
  x: usize,
  dx: usize,
  dy: f32,
  top: i32,
  bottom: i32,
  left: i32,
  right: i32,
  lineBytes: usize,
  pointBytes: usize,
): void {
  let best: f32 = -Infinity;
  let where: i32 = -1;
  for (let row = top; row < bottom; row++) {
    let offset = <usize>row * lineBytes + <usize>left * pointBytes;
    for (let column = left; column < right; column++, offset += pointBytes) {
      const value = load<f32>(x + offset);
      if (value > best) {
        best = value;
        where = <i32>offset;
      }
    }
  }
  if (where >= 0) store<f32>(dx + <usize>where, load<f32>(dx + <usize>where) + dy);
}

/** dx as above: each dy is shared out evenly among the points of its window that lie inside the image. */
export function averagePoolGradient(
  batch: i32,
  inHeight: i32,
  inWidth: i32,
  channels: i32,
  outHeight: i32,
  outWidth: i32,
  windowHeight: i32,
  windowWidth: i32,
  strideHeight: i32,
  strideWidth: i32,
  padTop: i32,
  padLeft: i32,
  dy: usize,
  dx: usize,
): void {
  const pointBytes = (<usize>channels) << 2;
  const lineBytes = <usize>inWidth * pointBytes;
  const imageBytes = <usize>inHeight * lineBytes;
  memory.fill(dx, 0, <usize>batch * imageBytes);
  for (let n = 0; n < batch; n++) {
    for (let i = 0; i < outHeight; i++) {
      const top = max(0, i * strideHeight - padTop);
      const bottom = min(inHeight, i * strideHeight - padTop + windowHeight);
      for (let j = 0; j < outWidth; j++) {
        const left = max(0, j * strideWidth - padLeft);
        const right = min(inWidth, j * strideWidth - padLeft + windowWidth);
        const points = <f32>((bottom - top) * (right - left));
        for (let row = top; row < bottom; row++) {
          const line = dx + <usize>row * lineBytes;
          for (let column = left; column < right; column++) {
            addQuotient(line + <usize>column * pointBytes, dy, points, pointBytes);
          }
        }
        dy += pointBytes;
      }
    }
    dx += imageBytes;
  }
}

function addQuotient(to: usize, from: usize, divisor: f32, bytes: usize): void {
  const divisors = f32x4.splat(divisor);
  let at: usize = 0;
  for (; at + 16 <= bytes; at += 16) {
    v128.store(to + at, f32x4.add(v128.load(to + at), f32x4.div(v128.load(from + at), divisors)));
  }
  for (; at < bytes; at += 4) store<f32>(to + at, load<f32>(to + at) + load<f32>(from + at) / divisor);
}
