/**
 * Adam in one pass over θ, m, v and the sums. The last, incomplete vector is computed element by element in lane 0
 * of the same code (the other lanes hold zeros and are not stored), so the arithmetic is written only once.
 */

const VECTOR: usize = 16;
const ELEMENT: usize = 4;

function averaged(keep: v128, old: v128, addition: v128, sum: v128): v128 {
  return f32x4.add(f32x4.mul(keep, old), f32x4.mul(addition, sum));
}

function descended(theta: v128, m: v128, v: v128, stepSize: v128, vScale: v128, epsilon: v128, decay: v128): v128 {
  const move = f32x4.div(f32x4.mul(stepSize, m), f32x4.add(f32x4.sqrt(f32x4.mul(v, vScale)), epsilon));
  return f32x4.sub(theta, f32x4.add(f32x4.mul(decay, theta), move));
}

export function adam(
  theta: usize,
  m: usize,
  v: usize,
  s1: usize,
  s2: usize,
  length: usize,
  mKeep: f32,
  mAdd: f32,
  vKeep: f32,
  vAdd: f32,
  stepSize: f32,
  vScale: f32,
  epsilon: f32,
  decay: f32,
): void {
  const keep1 = f32x4.splat(mKeep);
  const add1 = f32x4.splat(mAdd);
  const keep2 = f32x4.splat(vKeep);
  const add2 = f32x4.splat(vAdd);
  const size = f32x4.splat(stepSize);
  const scale = f32x4.splat(vScale);
  const eps = f32x4.splat(epsilon);
  const shrink = f32x4.splat(decay);
  const end = theta + length * ELEMENT;
  while (theta + VECTOR <= end) {
    const m1 = averaged(keep1, v128.load(m), add1, v128.load(s1));
    const v1 = averaged(keep2, v128.load(v), add2, v128.load(s2));
    v128.store(m, m1);
    v128.store(v, v1);
    v128.store(theta, descended(v128.load(theta), m1, v1, size, scale, eps, shrink));
    theta += VECTOR;
    m += VECTOR;
    v += VECTOR;
    s1 += VECTOR;
    s2 += VECTOR;
  }
  while (theta < end) {
    const m1 = averaged(keep1, v128.load32_zero(m), add1, v128.load32_zero(s1));
    const v1 = averaged(keep2, v128.load32_zero(v), add2, v128.load32_zero(s2));
    v128.store32_lane(m, m1, 0);
    v128.store32_lane(v, v1, 0);
    v128.store32_lane(theta, descended(v128.load32_zero(theta), m1, v1, size, scale, eps, shrink), 0);
    theta += ELEMENT;
    m += ELEMENT;
    v += ELEMENT;
    s1 += ELEMENT;
    s2 += ELEMENT;
  }
}

/** The same with v from S1², for the optimizers that square the mean; S2 is not read. */
export function adamOfSquaredSum(
  theta: usize,
  m: usize,
  v: usize,
  s1: usize,
  length: usize,
  mKeep: f32,
  mAdd: f32,
  vKeep: f32,
  vAdd: f32,
  stepSize: f32,
  vScale: f32,
  epsilon: f32,
  decay: f32,
): void {
  const keep1 = f32x4.splat(mKeep);
  const add1 = f32x4.splat(mAdd);
  const keep2 = f32x4.splat(vKeep);
  const add2 = f32x4.splat(vAdd);
  const size = f32x4.splat(stepSize);
  const scale = f32x4.splat(vScale);
  const eps = f32x4.splat(epsilon);
  const shrink = f32x4.splat(decay);
  const end = theta + length * ELEMENT;
  while (theta + VECTOR <= end) {
    const sum = v128.load(s1);
    const m1 = averaged(keep1, v128.load(m), add1, sum);
    const v1 = averaged(keep2, v128.load(v), add2, f32x4.mul(sum, sum));
    v128.store(m, m1);
    v128.store(v, v1);
    v128.store(theta, descended(v128.load(theta), m1, v1, size, scale, eps, shrink));
    theta += VECTOR;
    m += VECTOR;
    v += VECTOR;
    s1 += VECTOR;
  }
  while (theta < end) {
    const sum = v128.load32_zero(s1);
    const m1 = averaged(keep1, v128.load32_zero(m), add1, sum);
    const v1 = averaged(keep2, v128.load32_zero(v), add2, f32x4.mul(sum, sum));
    v128.store32_lane(m, m1, 0);
    v128.store32_lane(v, v1, 0);
    v128.store32_lane(theta, descended(v128.load32_zero(theta), m1, v1, size, scale, eps, shrink), 0);
    theta += ELEMENT;
    m += ELEMENT;
    v += ELEMENT;
    s1 += ELEMENT;
  }
}
