import type { Random } from "../../shared/random.js";

/** Black pixels around the image, from which a window of the image's size is cut (He et al. 2016, section 4.2). */
const PADDING = 4;

export interface Image {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  /** height × width × channels bytes. */
  readonly bytes: Uint8Array;
}

/** Shifts an image by up to four pixels each way, and mirrors every second one. */
export function cropAndFlip(image: Image, random: Random): Uint8Array {
  const { height, width, channels, bytes } = image;
  const down = random.below(2 * PADDING + 1) - PADDING;
  const right = random.below(2 * PADDING + 1) - PADDING;
  const mirrored = random.below(2) === 1;
  const result = new Uint8Array(bytes.length);
  for (let y = 0; y < height; y++) {
    const fromY = y + down;
    if (fromY < 0 || fromY >= height) continue;
    for (let x = 0; x < width; x++) {
      const fromX = (mirrored ? width - 1 - x : x) + right;
      if (fromX < 0 || fromX >= width) continue;
      const from = (fromY * width + fromX) * channels;
      const to = (y * width + x) * channels;
      for (let c = 0; c < channels; c++) result[to + c] = bytes[from + c];
    }
  }
  return result;
}
