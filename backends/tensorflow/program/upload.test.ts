import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as tf from "@tensorflow/tfjs-core";
import type { Program } from "../../index.js";
import { compiler } from "../index.js";
import { noPrograms } from "./installed.test.helper.js";

/** The first is as long as TensorFlow's alignment, so that a slice might be its memory. */
const SHAPES = [[4, 4], [4], [], [3, 2]];
const LENGTHS = [16, 4, 1, 6];

/** With variables of SHAPES, as on a GPU; it gives each of them. @param devices of its session, besides */
function open(devices: { cpuDevices?: number; device?: string } = {}): Program {
  const compile = compiler({ otherDevices: true, ...devices })!;
  tf.engine().startScope();
  const trace = (number: number) => {
    const variables = SHAPES.map((shape) => tf.fill(shape, number));
    return compile.trace(() => ({
      variables,
      inputs: [],
      draws: [],
      outputs: variables.map((variable) => tf.neg(variable)),
    }));
  };
  const program = compile.compile(trace(1), trace(2));
  tf.engine().endScope();
  return program;
}

const skip =
  noPrograms ||
  (open().sums === undefined && "the TensorFlow that is installed can't borrow; run isobatch tensorflow install");

/** One after the other from element `start` of a memory. */
function views(memory: Float32Array, start = 0): Float32Array[][] {
  let at = start;
  return LENGTHS.map((length) => {
    at += length;
    return [memory.subarray(at - length, at)];
  });
}

/** What the program computes with, and what it says that it computes with. */
function assertHolds(program: Program, values: Float32Array[][]): void {
  const expected = values.map((arrays) => Float32Array.from(arrays.flatMap((array) => [...array])));
  assert.deepEqual(program.variables(), expected);
  const negated = LENGTHS.map((length) => new Float32Array(length));
  program.run(
    [],
    negated.map((array) => [array]),
  );
  assert.deepEqual(
    negated,
    expected.map((array) => array.map((x) => -x)),
  );
}

const numbers = (length: number, first = 1): Float32Array => Float32Array.from({ length }, (_, i) => first + i);

describe("variables that are uploaded", { skip }, () => {
  it("keep the values that they were loaded with, from any address, when other numbers are written there later", () => {
    for (const devices of [{}, { cpuDevices: 2, device: "/device:CPU:1" }]) {
      const program = open(devices);
      const memory = new Float32Array(new SharedArrayBuffer(4096));
      for (const [round, start] of [0, 0, 16, 5, 0].entries()) {
        memory.set(numbers(memory.length, 100 * round));
        const values = views(memory, start);
        program.load(values);
        const then = views(memory.slice(), start);
        assertHolds(program, then);
        memory.fill(-1);
        assertHolds(program, then);
      }
      program.close();
    }
  });

  it("may be stored in several memories, and in several parts", () => {
    const program = open();
    const [one, other] = [numbers(40), numbers(20, 50)];
    // The second is in both memories, the third far from it, the last in two parts of one.
    const values = [
      [one.subarray(4, 20)],
      [one.subarray(20, 23), other.subarray(0, 1)],
      [other.subarray(7, 8)],
      [other.subarray(8, 12), other.subarray(12, 14)],
    ];
    program.load(values);
    assertHolds(program, values);
    program.close();
  });

  it("may each have its own memory", () => {
    const program = open();
    const values = LENGTHS.map((length, i) => [numbers(length, 10 * i)]);
    program.load(values);
    assertHolds(program, values);
    program.load(views(numbers(27, 7)));
    assertHolds(program, views(numbers(27, 7)));
    const others = LENGTHS.map((length, i) => [numbers(length, -10 * i)]);
    program.load(others);
    assertHolds(program, others);
    program.close();
  });

  it("are taken from their own memory where another has the same offsets", () => {
    const program = open();
    const [one, other] = [numbers(40), numbers(40, 100)];
    // The first one's memory is read from element 16, at which the second one starts.
    const values = (rest: Float32Array) => [
      [one.subarray(20, 36)],
      [rest.subarray(16, 20)],
      [rest.subarray(20, 21)],
      [rest.subarray(21, 27)],
    ];
    for (const rest of [one, other, one]) {
      program.load(values(rest));
      assertHolds(program, values(rest));
    }
    program.close();
  });
});
