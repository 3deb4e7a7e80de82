import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as tf from "@tensorflow/tfjs-core";
import { referenceFactors } from "../../dropout.test.helper.js";
import { dropout, type Program, UncompilableError } from "../../index.js";
import { installedCompiler as compiler, noPrograms as skip } from "./installed.test.helper.js";

interface Run {
  readonly number: number;
  readonly x: tf.Tensor;
  readonly w: tf.Tensor;
}

const keyOf = (number: number): Int32Array => Int32Array.of(number, 7 - number);

/** A mask of zeros and twos, or another one made by the key. */
const masked = (x: tf.Tensor, key: Int32Array): tf.Tensor => dropout(x, key, 0.5);

/** Traces a function of x and w with runs 0, 1, …. */
function traceTwice(compute: (run: Run) => tf.Tensor) {
  const trace = (number: number) => {
    const x = tf.tensor([1 + number, 2, 3 - number, 4], [2, 2]);
    const w = tf.tensor([0.5, -1, 2, 0.25], [2, 2]);
    return compiler!.trace(() => {
      const outputs = [compute({ number, x, w })];
      return { variables: [w], inputs: [x], draws: [Int32Array.of(-1, number), keyOf(number)], outputs };
    });
  };
  return [trace(0), trace(1)] as const;
}

/** The program of two traces; tensors made on the way are freed. */
function compile(compute: (run: Run) => tf.Tensor): Program {
  tf.engine().startScope();
  try {
    return compiler!.compile(...traceTwice(compute));
  } finally {
    tf.engine().endScope();
  }
}

function refuses(compute: (run: Run) => tf.Tensor, message: RegExp): void {
  assert.throws(
    () => compile(compute),
    (error: unknown) => {
      assert.ok(error instanceof UncompilableError, String(error));
      assert.match(error.message, message);
      return true;
    },
  );
}

describe("a program of TensorFlow's", { skip }, () => {
  const run = (compiled: Program, x: number[], w: number[], keys: Int32Array[] = []) => {
    const out = new Float32Array(4);
    compiled.load([[Float32Array.from(w)]]);
    compiled.run([Float32Array.from(x), ...keys], [[out.subarray(0, 1), out.subarray(1)]]);
    return [...out];
  };

  it("computes with other inputs, variables and keys", () => {
    const program = compile(({ number, x, w }) => masked(tf.matMul(x, w), keyOf(number)));
    assert.deepEqual(program.draws, [1]);
    for (const key of [keyOf(0), keyOf(5), Int32Array.of(-8, 1)]) {
      const factors = referenceFactors(key, 4, 0.5);
      const product = (values: number[]): number[] => values.map((value, i) => value * factors[i]);
      assert.deepEqual(run(program, [1, 2, 3, 4], [1, 0, 0, 1], [key]), product([1, 2, 3, 4]));
      assert.deepEqual(run(program, [1, 2, 3, 4], [0, 1, 1, 0], [key]), product([2, 1, 4, 3]));
    }
    assert.deepEqual(program.variables(), [Float32Array.of(0, 1, 1, 0)]);
    program.close();
    assert.throws(() => run(program, [1, 2, 3, 4], [1, 0, 0, 1], [keyOf(0)]), /the session is closed/);
  });

  it("gives outputs that are inputs, variables or constants", () => {
    for (const [compute, expected] of [
      [({ x }: Run) => x, [1, 2, 3, 4]],
      [({ w }: Run) => w, [5, 6, 7, 8]],
      [() => tf.ones([2, 2]), [1, 1, 1, 1]],
    ] as const) {
      const program = compile(compute);
      assert.deepEqual(run(program, [1, 2, 3, 4], [5, 6, 7, 8]), expected);
      program.close();
    }
  });

  it("overwrites outputs that do not exist with zeros", () => {
    const [first, second] = [1, 2].map((number) =>
      compiler!.trace(() => {
        const x = tf.tensor([number, 2]);
        return { variables: [], inputs: [x], draws: [], outputs: [undefined, tf.add(x, x), undefined] };
      }),
    );
    const program = compiler!.compile(first, second);
    const out = new Float32Array(6).fill(7);
    program.run([Float32Array.of(3, 4)], [[out.subarray(0, 1)], [out.subarray(1, 3)], [out.subarray(3, 5)]]);
    assert.deepEqual([...out], [0, 6, 8, 0, 0, 7]);
    program.close();
  });

  it("keeps the values that were loaded last, wherever they came from, and one program's apart from another's", () => {
    const [one, other] = [1, 2].map(() => compile(({ x, w }) => tf.mul(x, w)));
    const values = Float32Array.of(1, 2, 3, 4);
    for (let round = 0; round < 4; round++) {
      const expected = [...values];
      one.load([[values.subarray(0, 1), values.subarray(1)]]);
      values.fill(round);
      other.load([[values]]);
      assert.deepEqual(one.variables(), [Float32Array.from(expected)]);
      const out = new Float32Array(4);
      one.run([new Float32Array(4).fill(1)], [[out]]);
      assert.deepEqual([...out], expected);
    }
    for (const program of [one, other]) program.close();
  });

  it("sees what is not finite, at any place, unless it is of an older installation", () => {
    const length = 2_500;
    const [first, second] = [1, 2].map((number) =>
      compiler!.trace(() => {
        const x = tf.tensor(new Float32Array(length).fill(number));
        return { variables: [], inputs: [x], draws: [], outputs: [tf.neg(x)] };
      }),
    );
    const program = compiler!.compile(first, second);
    const finite = (at: number, value: number): boolean | undefined => {
      const x = new Float32Array(length);
      x[at] = value;
      return program.run([x], [[new Float32Array(1_030), new Float32Array(length - 1_030)]]);
    };
    for (const at of [0, 1_023, 1_024, 1_029, 1_030, 2_060, length - 1]) {
      for (const value of [Number.NaN, Number.NEGATIVE_INFINITY, 3.4e38]) {
        assert.ok([undefined, Number.isFinite(value)].includes(finite(at, value)), `${value} at ${at}`);
      }
    }
    program.close();
  });

  it("refuses arrays of other lengths", () => {
    const program = compile(({ x, w }) => tf.matMul(x, w));
    assert.throws(() => program.load([[new Float32Array(3)]]), /the arrays are shorter than their tensor/);
    program.load([[new Float32Array(4)]]);
    assert.throws(() => program.run([new Float32Array(5)], [[new Float32Array(4)]]), /longer than their tensor/);
    assert.throws(() => program.run([new Float32Array(4)], [[new Float32Array(3)]]), /shorter than their tensor/);
    program.close();
  });

  it("is refused where a number changes each time and has no key", () => {
    let times = 0;
    refuses(({ x }) => tf.mul(x, tf.scalar(++times)), /makes a tensor of shape \[\] that changes each time/);
    refuses(({ x }) => tf.mul(x, tf.randomUniform([2, 2])), /makes a tensor of shape \[2,2\] that changes each time/);
    refuses(({ x, number }) => masked(x, Int32Array.of(number, 8)), /makes a tensor of shape \[2\] that changes each/);
    refuses(({ x }) => masked(x, Int32Array.of(3, 4)), /draws random numbers by a key that stays the same/);
  });

  it("is refused where the operations depend on the values", () => {
    refuses(({ x }) => tf.mul(x, x.dataSync()[0] > 1 ? 2 : 3), /reads its inputs/);
    refuses(({ x }) => tf.mul(x, tf.sum(x).dataSync()[0]), /reads what it has computed/);
    refuses(({ x, number }) => (number > 0 ? tf.square(x) : tf.mul(x, x)), /uses different operations each time/);
    refuses(({ x, w, number }) => (number > 0 ? tf.sub(x, w) : tf.sub(w, x)), /connected differently each time/);
    refuses(({ x }) => tf.add(x, tf.sum(tf.multinomial(tf.tensor1d([1, 1]), 3, 7))), /the operation Multinomial/);
  });
});
