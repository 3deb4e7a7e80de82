import { BLOCK_LENGTH } from "../layout/index.js";
import type { Kernels } from "./kernels.js";

const round = Math.fround;

/**
 * The kernels in plain TypeScript: the specification that the SIMD kernels match bit by bit. One float64 operation on
 * float32 numbers, rounded, is the float32 operation (Figueroa 1995: 53 ≥ 2·24 + 2), also where the result is
 * subnormal.
 */
export function createReferenceKernels(memory: WebAssembly.Memory): Kernels {
  // Made at each call, because a memory that has grown has a different buffer.
  const array = (offset: number, length: number): Float32Array => new Float32Array(memory.buffer, offset, length);

  return {
    leaf(g, s1, s2, length, w1, w2) {
      const [x, sum1, sum2] = [array(g, length), array(s1, length), array(s2, length)];
      const [a, b] = [round(w1), round(w2)];
      for (let i = 0; i < length; i++) {
        const value = x[i];
        sum1[i] = round(a * value);
        sum2[i] = round(b * round(value * value));
      }
    },

    addLeaf(g, s1, s2, length, w1, w2) {
      const [x, sum1, sum2] = [array(g, length), array(s1, length), array(s2, length)];
      const [a, b] = [round(w1), round(w2)];
      for (let i = 0; i < length; i++) {
        const value = x[i];
        sum1[i] = round(sum1[i] + round(a * value));
        sum2[i] = round(sum2[i] + round(b * round(value * value)));
      }
    },

    add(target, source, length) {
      const [to, from] = [array(target, length), array(source, length)];
      for (let i = 0; i < length; i++) to[i] = round(to[i] + from[i]);
    },

    addInto(target, a, b, length) {
      const [to, x, y] = [array(target, length), array(a, length), array(b, length)];
      for (let i = 0; i < length; i++) to[i] = round(x[i] + y[i]);
    },

    scale(target, length, factor) {
      const to = array(target, length);
      const f = round(factor);
      for (let i = 0; i < length; i++) to[i] = round(f * to[i]);
    },

    allFinite: (offset, length) => array(offset, length).every(Number.isFinite),
    squaredNorm: (offset, length) => sumInBlocks(array(offset, length), (x) => x * x),
    sum: (offset, length) => sumInBlocks(array(offset, length), (x) => x),

    adam(theta, m, v, s1, s2, length, constants) {
      const [weights, moment1, moment2] = [array(theta, length), array(m, length), array(v, length)];
      const [sum1, sum2] = [array(s1, length), constants.squareOfSum ? undefined : array(s2, length)];
      const [mKeep, mAdd] = [round(constants.mKeep), round(constants.mAdd)];
      const [vKeep, vAdd] = [round(constants.vKeep), round(constants.vAdd)];
      const [stepSize, vScale] = [round(constants.stepSize), round(constants.vScale)];
      const [epsilon, decay] = [round(constants.epsilon), round(constants.decay)];
      for (let i = 0; i < length; i++) {
        const squares = sum2 === undefined ? round(sum1[i] * sum1[i]) : sum2[i];
        const mean = round(round(mKeep * moment1[i]) + round(mAdd * sum1[i]));
        const square = round(round(vKeep * moment2[i]) + round(vAdd * squares));
        const root = round(round(Math.sqrt(round(square * vScale))) + epsilon);
        const move = round(round(stepSize * mean) / root);
        const weight = weights[i];
        moment1[i] = mean;
        moment2[i] = square;
        weights[i] = round(weight - round(round(decay * weight) + move));
      }
    },

    average(theta, s1, length, keep, add) {
      const [weights, sum1] = [array(theta, length), array(s1, length)];
      const [k, a] = [round(keep), round(add)];
      for (let i = 0; i < length; i++) weights[i] = round(round(k * weights[i]) + round(a * sum1[i]));
    },

    roundBfloat16(source, target, length) {
      const to = array(target, length);
      for (const [i, x] of array(source, length).entries()) to[i] = nearestBfloat16(x);
    },

    packBfloat16(source, target, length) {
      const to = new DataView(memory.buffer);
      for (const [i, x] of array(source, length).entries())
        to.setUint16(target + 2 * i, upperHalf(nearestBfloat16(x)), true);
    },

    unpackBfloat16(source, target, length) {
      const [from, to] = [new DataView(memory.buffer), new DataView(memory.buffer)];
      for (let i = 0; i < length; i++)
        to.setUint32(target + 4 * i, from.getUint16(source + 2 * i, true) * 2 ** 16, true);
    },
  };
}

/** A bfloat16 has 8 significant bits, fewer where it is subnormal, and the exponents of float32. */
function nearestBfloat16(x: number): number {
  if (!Number.isFinite(x) || x === 0) return x;
  const size = Math.abs(x);
  const unit = 2 ** (Math.max(-126, Math.floor(Math.log2(size))) - 7);
  const below = Math.floor(size / unit);
  const rest = size / unit - below;
  const isUp = rest > 0.5 || (rest === 0.5 && below % 2 === 1);
  return Math.sign(x) * round(unit * (isUp ? below + 1 : below));
}

function upperHalf(x: number): number {
  const view = new DataView(new ArrayBuffer(4));
  view.setFloat32(0, x);
  return view.getUint16(0);
}

function sumInBlocks(values: Float32Array, term: (x: number) => number): number {
  let total = 0;
  for (let start = 0; start < values.length; start += BLOCK_LENGTH) {
    const end = Math.min(start + BLOCK_LENGTH, values.length);
    const a = new Float64Array(8);
    for (let i = start; i < end; i++) a[(i - start) % 8] += term(values[i]);
    total += a[0] + a[4] + (a[2] + a[6]) + (a[1] + a[5] + (a[3] + a[7]));
  }
  return total;
}
