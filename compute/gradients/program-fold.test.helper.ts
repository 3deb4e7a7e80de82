/** Both ways to fold, given the same gradients: a program whose outputs are what it is fed, and the host. */

import type { Compiler } from "../../backends/index.js";
import { createLayout } from "../../shared/layout/index.js";
import { core as tf } from "../../tasks/tfjs/core.js";
import { whenAvailable } from "../awaitable.js";
import { NonFiniteError } from "../errors.js";
import { attachMemory, createWorkerMemory, sumAddresses, viewElements } from "../memory.js";
import type { LeaseRequest } from "../protocol.js";
import { createSums } from "../sums.js";
import { gradientForm } from "./gradient-form.js";
import type { GradientSums } from "./gradients.js";
import { createHostFold } from "./host-fold.js";
import type { FoldedPart, PartFold } from "./lease-fold.js";
import type { DecodedMicroBatch } from "./model-gradient.js";
import { createProgramFold } from "./program-fold.js";

const tensor = (name: string, kind: "parameter" | "tail" | "frozen", ...shape: number[]) => ({
  name,
  kind,
  shape,
  decay: false,
});

/** Three segments whose borders are inside tensors; the second has no tail, the last nothing that is trained. */
const LAYOUT = {
  ...createLayout([
    tensor("kernel", "parameter", 7, 5),
    tensor("bias", "parameter", 9),
    tensor("unused", "parameter", 4),
    tensor("mean", "tail", 6),
    tensor("frozen", "frozen", 3),
  ]),
  segments: [
    { index: 0, offset: 0, length: 33 },
    { index: 1, offset: 33, length: 13 },
    { index: 2, offset: 46, length: 11 },
  ],
};

/** Elements of a gradient, its tail behind it; no gradient reaches `unused`. */
export const GRADIENT_LENGTH = LAYOUT.parameters + LAYOUT.tail;
const GIVEN = LAYOUT.tensors.filter(({ name, kind }) => name !== "unused" && kind !== "frozen");

export const UNUSED = LAYOUT.tensors.find(({ name }) => name === "unused")!;

/** Slots of the worker's memory; the program's folds get the upper half of them. */
const SLOTS = 48;

export interface BothFolds {
  readonly host: (request: Omit<LeaseRequest, "slots">) => PartFold;
  readonly program: (request: Omit<LeaseRequest, "slots">) => PartFold;
  /** The bytes of a node's sums. */
  bytesOf(node: FoldedPart["nodes"][number]): Buffer;
  close(): void;
}

/** Whether programs can keep sums with the addon that is installed. */
export function keepsSums(compiler: Compiler): boolean {
  const trace = (number: number) =>
    compiler.trace(() => {
      const x = tf.scalar(number);
      return { variables: [], inputs: [x], draws: [], outputs: [x] };
    });
  tf.engine().startScope();
  const program = compiler.compile(trace(1), trace(2));
  tf.engine().endScope();
  program.close();
  return program.sums !== undefined;
}

/** @param gradientOf a micro-batch's gradient */
export async function openFolds(compiler: Compiler, gradientOf: (number: number) => Float32Array): Promise<BothFolds> {
  const memory = attachMemory(await grown());
  const { plan } = memory;
  const pieces = (g: Float32Array): Float32Array[] =>
    GIVEN.map(({ offset, length }) => g.subarray(offset, offset + length));
  const traced = (number: number) => {
    const loss = tf.scalar(number);
    const given = pieces(gradientOf(number).slice()).map((piece, i) => tf.tensor(piece.slice(), [...GIVEN[i].shape]));
    const results = LAYOUT.tensors.filter(({ kind }) => kind !== "frozen");
    const outputs = [loss, ...results.map(({ name }) => given[GIVEN.findIndex((tensor) => tensor.name === name)])];
    return compiler.trace(() => ({ variables: [], inputs: [loss, ...given], draws: [], outputs }));
  };
  tf.engine().startScope();
  const program = compiler.compile(traced(1), traced(2));
  tf.engine().endScope();
  const results = LAYOUT.tensors.filter(({ kind }) => kind !== "frozen");
  const sums = program.sums!(gradientForm(plan, results, { clipNorm: null, wire: "float32" }));
  const checked = (number: number, finite: boolean): number => {
    if (!finite) throw new NonFiniteError(number, "");
    return number;
  };
  // Every second call by another thread, where that is possible.
  const { later = sums } = sums;
  const kept: GradientSums = {
    ...sums,
    compute({ number }) {
      const computed = (number % 2 === 0 ? sums : later).compute([
        Float32Array.of(number),
        ...pieces(gradientOf(number)),
      ]);
      return whenAvailable<{ loss: number; finite: boolean }, number>(computed, ({ loss, finite }) =>
        checked(loss, finite),
      );
    },
    read: (slot, s1, s2) => (slot % 2 === 0 ? sums : later).read(slot, s1, s2),
  };
  const hostSums = createSums(memory, 0);
  const onHost = {
    compute({ number }: DecodedMicroBatch, target: readonly number[]): number {
      const g = gradientOf(number);
      for (const [i, { offset, averaged }] of plan.segments.entries()) {
        viewElements(memory, target, i, offset, averaged).set(g.subarray(offset, offset + averaged));
      }
      return checked(number, hostSums.allFinite(target));
    },
  };
  const slots = Array.from({ length: SLOTS }, (_, i) => i);

  return {
    host: (request) =>
      createHostFold(
        { ...request, slots: slots.slice(0, SLOTS / 2) },
        { thread: 0, plan, sums: hostSums, gradients: onHost },
      ),
    program: (request) => createProgramFold({ ...request, slots: slots.slice(SLOTS / 2) }, memory, kept),
    bytesOf({ lo, hi, slot }) {
      const read = (sum: "s1" | "s2"): Buffer[] =>
        plan.segments.map(({ offset, averaged, parameters }, i) => {
          const view = viewElements(
            memory,
            sumAddresses(plan, slot, sum),
            i,
            offset,
            sum === "s1" ? averaged : parameters,
          );
          return Buffer.from(view.slice().buffer);
        });
      return Buffer.concat([...read("s1"), ...(hi - lo === 1 ? [] : read("s2"))]);
    },
    close: () => program.close(),
  };
}

async function grown() {
  const memory = createWorkerMemory({ layout: LAYOUT, threads: 4, leaves: 64 });
  memory.releaseSlots(await memory.takeSlots(SLOTS));
  return memory;
}
