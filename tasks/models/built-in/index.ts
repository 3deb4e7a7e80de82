/** The built-in models, in the sizes of a task and of its data. */
import { invalid, messageOf } from "../../../shared/errors.js";
import type { SampleSpec } from "../../datasets/index.js";
import type { ModelSpec } from "../../task.js";
import type { LayersModel } from "../capture-weights.js";
import { resnet18 } from "./resnet.js";
import { gpt, vit } from "./transformer.js";

export type BuiltInModel = Extract<ModelSpec, { kind: "resnet18" | "vit" | "gpt" }>;

/** @throws {IsobatchError} `invalid_input` if the sizes don't fit each other, or the data is of another form. */
export function builtInModel(spec: BuiltInModel, form: SampleSpec | undefined): LayersModel {
  checkHeads(spec);
  try {
    switch (spec.kind) {
      case "resnet18":
        return resnet18({ ...spec, ...imageSizes(spec, form) });
      case "vit":
        return vit({ ...spec, ...patchedSizes(spec, form), mlpWidth: spec.mlpWidth ?? spec.width });
      case "gpt": {
        const context = sizeOf("context", spec.context, form?.input.shape[0]);
        const vocabulary = sizeOf("vocabulary", spec.vocabulary, form?.label.classes);
        return gpt({ ...spec, context, vocabulary, mlpWidth: spec.mlpWidth ?? 4 * spec.width });
      }
    }
  } catch (error) {
    return invalid(`The model ${spec.kind} can't be built: ${messageOf(error).replace(/\.?$/, ".")}`, { cause: error });
  }
}

function checkHeads(spec: BuiltInModel): void {
  if (spec.kind === "resnet18" || spec.width % spec.heads === 0) return;
  invalid(`model.heads is ${spec.heads}, which must divide model.width, ${spec.width}; choose other numbers.`);
}

type ImageModel = Extract<ModelSpec, { kind: "resnet18" | "vit" }>;

function imageSizes(
  spec: ImageModel,
  form: SampleSpec | undefined,
): { inputShape: readonly number[]; classes: number } {
  const inputShape = sizeOf("inputShape", spec.inputShape, form?.input.shape);
  if (inputShape.length !== 3) {
    invalid(
      `The model ${spec.kind} takes images of [height, width, channels], and the data set's samples have the shape ` +
        `[${inputShape.join(", ")}]; choose another model or data set.`,
    );
  }
  return { inputShape, classes: sizeOf("classes", spec.classes, form?.label.classes) };
}

function patchedSizes(spec: Extract<ModelSpec, { kind: "vit" }>, form: SampleSpec | undefined) {
  const sizes = imageSizes(spec, form);
  const [height, width] = sizes.inputShape;
  if (height % spec.patch !== 0 || width % spec.patch !== 0) {
    invalid(
      `model.patch is ${spec.patch}, which must divide the image's sides, ${height} and ${width}; choose another.`,
    );
  }
  return sizes;
}

/** The model's own size, or else the data's; if both have one, they must be equal. */
function sizeOf<T extends number | readonly number[]>(field: string, own: T | null, ofData: T | undefined): T {
  const size = own ?? ofData;
  if (size === undefined) return invalid(`model.${field} is null and the data set does not say it either; set it.`);
  const [set, needed] = [JSON.stringify(size), JSON.stringify(ofData ?? size)];
  if (set === needed) return size;
  return invalid(
    `model.${field} is ${set}, but the data set has ${needed}; leave it out, and it is taken from the data.`,
  );
}
