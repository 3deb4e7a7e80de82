/** Whether the layers that look something up, such as Embedding, have a row for every number that the data gives them. */
import { invalid } from "../shared/errors.js";
import { chunksOf } from "./datasets/chunks.js";
import type { Dataset, TaskData } from "./datasets/index.js";
import {
  createIndexCheck,
  describeIndexFault,
  type IndexFault,
  type IndexInput,
  inputUsesOf,
  type LayersModel,
} from "./models/index.js";

/**
 * Looks at all samples of both parts.
 * @throws {IsobatchError} `invalid_input`, with the place of the first number that a layer has no row for.
 */
export function checkIndices(model: LayersModel, { train, test }: TaskData): void {
  const { shape } = train.input;
  // checkFit refuses any other shape.
  if (model.inputs[0].shape.slice(1).some((size, i) => size !== null && size !== shape[i])) return;
  const { indices } = inputUsesOf(model, shape);
  for (const part of [train, test]) if (part !== undefined) checkPart(part, indices, [train, test]);
}

function checkPart(part: Dataset, all: readonly IndexInput[], parts: readonly (Dataset | undefined)[]): void {
  const { inputsBelow, place } = part;
  const indices = inputsBelow === undefined ? all : all.filter(({ layer }) => layer.limit < inputsBelow);
  if (indices.length === 0) return;
  const check = createIndexCheck(indices);
  let found: IndexFault | undefined;
  for (const { inputs, first, samples } of chunksOf(part)) {
    const fault = check(inputs, samples);
    if (fault === undefined) continue;
    found = { ...fault, sample: first + fault.sample };
    break;
  }
  if (found === undefined) return;
  const { sample, element } = found;
  const where = place?.(sample, element) ?? `Number ${element} of sample ${sample}`;
  invalid(`${where} ${describeIndexFault(found)}; ${remedy(found, all, parts)}.`);
}

function remedy({ value, layer }: IndexFault, all: readonly IndexInput[], parts: readonly (Dataset | undefined)[]) {
  if (value < 0) return "number the categories from 0";
  if (!Number.isInteger(value)) return "give it whole numbers, or feed these to another layer";
  const inputs = all.filter((index) => index.layer.path === layer.path);
  const largest = Math.max(...parts.map((part) => (part === undefined ? 0 : largestOf(part, inputs))));
  return `set ${layer.field} to ${largest + 1}, as the largest number there is ${largest}, or correct the data`;
}

function largestOf(part: Dataset, indices: readonly IndexInput[]): number {
  if (part.inputsBelow !== undefined) return part.inputsBelow - 1;
  const elements = indices.flatMap((index) => [...index.elements]);
  let largest = 0;
  for (const { inputs, samples } of chunksOf(part)) {
    const width = inputs.length / samples;
    for (let row = 0; row < inputs.length; row += width) {
      for (const element of elements) largest = Math.max(largest, inputs[row + element]);
    }
  }
  return largest;
}
