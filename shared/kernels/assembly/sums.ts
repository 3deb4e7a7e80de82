/** Element-wise kernels over sums. Every one reads an element before it writes it, so operands may be one array. */

const VECTOR: usize = 16;
const ELEMENT: usize = 4;

export function leaf(g: usize, s1: usize, s2: usize, length: usize, w1: f32, w2: f32): void {
  const a = f32x4.splat(w1);
  const b = f32x4.splat(w2);
  const end = g + length * ELEMENT;
  for (; g + VECTOR <= end; g += VECTOR, s1 += VECTOR, s2 += VECTOR) {
    const x = v128.load(g);
    v128.store(s1, f32x4.mul(a, x));
    v128.store(s2, f32x4.mul(b, f32x4.mul(x, x)));
  }
  for (; g < end; g += ELEMENT, s1 += ELEMENT, s2 += ELEMENT) {
    const x = load<f32>(g);
    store<f32>(s1, w1 * x);
    store<f32>(s2, w2 * (x * x));
  }
}

export function addLeaf(g: usize, s1: usize, s2: usize, length: usize, w1: f32, w2: f32): void {
  const a = f32x4.splat(w1);
  const b = f32x4.splat(w2);
  const end = g + length * ELEMENT;
  for (; g + VECTOR <= end; g += VECTOR, s1 += VECTOR, s2 += VECTOR) {
    const x = v128.load(g);
    v128.store(s1, f32x4.add(v128.load(s1), f32x4.mul(a, x)));
    v128.store(s2, f32x4.add(v128.load(s2), f32x4.mul(b, f32x4.mul(x, x))));
  }
  for (; g < end; g += ELEMENT, s1 += ELEMENT, s2 += ELEMENT) {
    const x = load<f32>(g);
    store<f32>(s1, load<f32>(s1) + w1 * x);
    store<f32>(s2, load<f32>(s2) + w2 * (x * x));
  }
}

export function add(target: usize, source: usize, length: usize): void {
  const end = target + length * ELEMENT;
  for (; target + VECTOR <= end; target += VECTOR, source += VECTOR) {
    v128.store(target, f32x4.add(v128.load(target), v128.load(source)));
  }
  for (; target < end; target += ELEMENT, source += ELEMENT) {
    store<f32>(target, load<f32>(target) + load<f32>(source));
  }
}

export function addInto(target: usize, a: usize, b: usize, length: usize): void {
  const end = target + length * ELEMENT;
  for (; target + VECTOR <= end; target += VECTOR, a += VECTOR, b += VECTOR) {
    v128.store(target, f32x4.add(v128.load(a), v128.load(b)));
  }
  for (; target < end; target += ELEMENT, a += ELEMENT, b += ELEMENT) {
    store<f32>(target, load<f32>(a) + load<f32>(b));
  }
}

export function scale(target: usize, length: usize, factor: f32): void {
  const f = f32x4.splat(factor);
  const end = target + length * ELEMENT;
  for (; target + VECTOR <= end; target += VECTOR) {
    v128.store(target, f32x4.mul(f, v128.load(target)));
  }
  for (; target < end; target += ELEMENT) store<f32>(target, factor * load<f32>(target));
}

export function average(theta: usize, s1: usize, length: usize, keep: f32, addition: f32): void {
  const a = f32x4.splat(keep);
  const b = f32x4.splat(addition);
  const end = theta + length * ELEMENT;
  for (; theta + VECTOR <= end; theta += VECTOR, s1 += VECTOR) {
    v128.store(theta, f32x4.add(f32x4.mul(a, v128.load(theta)), f32x4.mul(b, v128.load(s1))));
  }
  for (; theta < end; theta += ELEMENT, s1 += ELEMENT) {
    store<f32>(theta, keep * load<f32>(theta) + addition * load<f32>(s1));
  }
}
