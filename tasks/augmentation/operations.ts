/**
 * The operations of AutoAugment on images of bytes, with the results of Pillow, with which the policy was searched, to
 * the byte (the tests compare them): blends round down, coordinates are in 1/65,536 of a pixel, and what comes from
 * outside the image is black. Images are [height, width, 3].
 */
import type { Image } from "./crop-flip.js";

type Operation = (image: Image) => Uint8Array;

const CHANNELS = 3;

export const invert: Operation = ({ bytes }) => bytes.map((value) => 255 - value);

/** Inverts what is at least as bright as `threshold`. */
export const solarize =
  (threshold: number): Operation =>
  ({ bytes }) =>
    bytes.map((value) => (value < threshold ? value : 255 - value));

/** Keeps the `bits` highest bits. */
export const posterize =
  (bits: number): Operation =>
  ({ bytes }) => {
    const mask = 0xff & ~(2 ** (8 - bits) - 1);
    return bytes.map((value) => value & mask);
  };

/** Stretches each channel over the whole range. */
export const autoContrast: Operation = (image) =>
  mapChannels(image, (histogram) => {
    const lowest = histogram.findIndex((count) => count > 0);
    const highest = histogram.findLastIndex((count) => count > 0);
    if (highest <= lowest) return (value) => value;
    const scale = 255 / (highest - lowest);
    const offset = -lowest * scale;
    return (value) => clip(Math.trunc(value * scale + offset));
  });

/** Gives each channel a histogram that is as even as possible. */
export const equalize: Operation = (image) =>
  mapChannels(image, (histogram) => {
    const counts = histogram.filter((count) => count > 0);
    const total = counts.reduce((sum, count) => sum + count, 0);
    const step = Math.floor((total - counts[counts.length - 1]) / 255);
    if (counts.length <= 1 || step === 0) return (value) => value;
    let n = Math.floor(step / 2);
    const table = histogram.map((count) => {
      const level = Math.floor(n / step);
      n += count;
      return level;
    });
    return (value) => table[value];
  });

export const brightness =
  (factor: number): Operation =>
  (image) =>
    blend(new Uint8Array(image.bytes.length), image.bytes, factor);

/** Between the grey image (0) and the image (1), and beyond. */
export const color =
  (factor: number): Operation =>
  (image) => {
    const grey = greyOf(image);
    return blend(
      image.bytes.map((_, i) => grey[Math.floor(i / CHANNELS)]),
      image.bytes,
      factor,
    );
  };

/** Between the image's mean grey (0) and the image (1), and beyond. */
export const contrast =
  (factor: number): Operation =>
  (image) => {
    const grey = greyOf(image);
    const mean = Math.floor(grey.reduce((sum, value) => sum + value, 0) / grey.length + 0.5);
    return blend(new Uint8Array(image.bytes.length).fill(mean), image.bytes, factor);
  };

/** Between the smoothed image (0) and the image (1), and beyond. */
export const sharpness =
  (factor: number): Operation =>
  (image) =>
    blend(smooth(image), image.bytes, factor);

/** Moves the image to the right and down by whole pixels. */
export const translate =
  (right: number, down: number): Operation =>
  (image) =>
    sample(image, [1, 0, -right, 0, 1, -down]);

/** Takes each pixel from `slope` times its column further down. */
export const shearY =
  (slope: number): Operation =>
  (image) =>
    sample(image, [1, 0, 0, slope, 1, 0]);

/** Rotates the image about its centre, counter-clockwise. */
export const rotate =
  (cosine: number, sine: number): Operation =>
  (image) => {
    const [x, y] = [image.width / 2, image.height / 2];
    return sample(image, [cosine, -sine, -cosine * x + sine * y + x, sine, cosine, -sine * x - cosine * y + y]);
  };

const clip = (value: number): number => Math.max(0, Math.min(255, value));

/** Maps each channel by a function made from its histogram. */
function mapChannels({ bytes }: Image, mapping: (histogram: number[]) => (value: number) => number): Uint8Array {
  const result = new Uint8Array(bytes.length);
  for (let channel = 0; channel < CHANNELS; channel++) {
    const histogram = new Array<number>(256).fill(0);
    for (let i = channel; i < bytes.length; i += CHANNELS) histogram[bytes[i]] += 1;
    const map = mapping(histogram);
    for (let i = channel; i < bytes.length; i += CHANNELS) result[i] = map(bytes[i]);
  }
  return result;
}

/** ITU-R 601's luma, in 1/65,536. */
function greyOf({ bytes }: Image): Uint8Array {
  return Uint8Array.from({ length: bytes.length / CHANNELS }, (_, i) => {
    const [red, green, blue] = bytes.subarray(i * CHANNELS, (i + 1) * CHANNELS);
    return (red * 19_595 + green * 38_470 + blue * 7_471 + 0x8000) >> 16;
  });
}

/** from + factor · (to − from), in float32, cut to a byte. */
function blend(from: Uint8Array, to: Uint8Array, factor: number): Uint8Array {
  const share = Math.fround(factor);
  return to.map((value, i) => clip(Math.trunc(Math.fround(from[i] + Math.fround(share * (value - from[i]))))));
}

/** The mean of a pixel, counted five times, and its eight neighbours; the border stays as it is. */
function smooth({ height, width, bytes }: Image): Uint8Array {
  const result = bytes.slice();
  const row = width * CHANNELS;
  for (let y = 1; y < height - 1; y++) {
    for (let at = y * row + CHANNELS; at < (y + 1) * row - CHANNELS; at++) {
      let sum = 4 * bytes[at];
      for (const line of [at - row, at, at + row]) {
        sum += bytes[line - CHANNELS] + bytes[line] + bytes[line + CHANNELS];
      }
      result[at] = Math.floor((2 * sum + 13) / 26);
    }
  }
  return result;
}

/** Takes the pixel at (x, y) from (a·x + b·y + c, d·x + e·y + f), both measured at the middle of a pixel. */
function sample({ height, width, bytes }: Image, [a, b, c, d, e, f]: readonly number[]): Uint8Array {
  const fixed = (value: number): number => Math.floor(value * 65_536 + 0.5);
  const [dx, dy] = [fixed(a), fixed(d)];
  const [rowX, rowY] = [fixed(b), fixed(e)];
  let startX = fixed(c + a / 2 + b / 2);
  let startY = fixed(f + d / 2 + e / 2);
  const result = new Uint8Array(bytes.length);
  for (let y = 0; y < height; y++, startX += rowX, startY += rowY) {
    for (let x = 0, atX = startX, atY = startY; x < width; x++, atX += dx, atY += dy) {
      const fromX = Math.floor(atX / 65_536);
      const fromY = Math.floor(atY / 65_536);
      if (fromX < 0 || fromX >= width || fromY < 0 || fromY >= height) continue;
      const from = (fromY * width + fromX) * CHANNELS;
      result.set(bytes.subarray(from, from + CHANNELS), (y * width + x) * CHANNELS);
    }
  }
  return result;
}
