/** The form of samples in the server's answer to a worker, checked before anything is built from it. */
import { z } from "zod";
import { IsobatchError } from "../../shared/errors.js";
import type { Dataset, InputSpec, LabelSpec, SampleSpec } from "./dataset.js";

/** The most elements of one sample. */
const ELEMENTS_MAX = 2 ** 28;
const JSON_LENGTH_MAX = 8 * 2 ** 20;

const shape = z
  .array(z.int().min(1).max(ELEMENTS_MAX))
  .max(16)
  .refine((sizes) => sizes.reduce((product, size) => product * size, 1) <= ELEMENTS_MAX, {
    message: `has more than ${ELEMENTS_MAX} elements`,
  });

const perChannel = z.array(z.number()).min(1).max(65_536);

const input: z.ZodType<InputSpec> = z.strictObject({
  shape,
  type: z.enum(["uint8", "float32"]),
  scale: z.number(),
  normalization: z
    .strictObject({ mean: perChannel, deviation: perChannel })
    .refine(({ mean, deviation }) => mean.length === deviation.length)
    .optional(),
  augment: z.enum(["crop-flip", "autoaugment"]).optional(),
});

const label: z.ZodType<LabelSpec> = z.strictObject({
  shape,
  type: z.enum(["uint8", "int32", "float32"]),
  classes: z
    .int()
    .min(1)
    .max(2 ** 31 - 1)
    .optional(),
  classNames: z.array(z.string()).optional(),
});

const form = z
  .strictObject({ input, label })
  // An image, to be augmented, has rows, columns and channels.
  .refine(({ input }) => input.augment === undefined || input.shape.length === 3);

/** @throws {RangeError | SyntaxError} if it is not a form of samples that can be trained on. */
export function sampleFormFromJson(json: string): SampleSpec {
  if (json.length > JSON_LENGTH_MAX) {
    throw new RangeError(
      `the form of its samples has ${json.length} characters; at most ${JSON_LENGTH_MAX} are allowed`,
    );
  }
  const parsed = form.safeParse(JSON.parse(json));
  if (parsed.success) return parsed.data;
  const shown = json.length > 300 ? `${json.slice(0, 300)}…` : json;
  throw new RangeError(`its samples have the form ${shown}`);
}

/** The form of a run's samples as its directory has it, for programs that use the model without the data. */
export interface SavedForm extends SampleSpec {
  /** The names of the numbers of a sample, where they have names. */
  readonly columns?: Dataset["columns"];
}

const columns = z.strictObject({ inputs: z.array(z.string()), labels: z.array(z.string()) });
const savedForm: z.ZodType<SavedForm> = z.strictObject({ input, label, columns: columns.optional() });

/** The content of samples.json. */
export function savedFormJson({ input, label, columns }: Dataset): string {
  const saved: SavedForm = columns === undefined ? { input, label } : { input, label, columns };
  return `${JSON.stringify(saved, null, 2)}\n`;
}

/** @param path of samples.json, for messages. @throws {IsobatchError} `damaged` if it is not what was written */
export function parseSavedForm(json: string, path: string): SavedForm {
  try {
    return savedForm.parse(JSON.parse(json));
  } catch (error) {
    throw new IsobatchError("damaged", `${path} is damaged: it does not say which form the samples have.`, {
      cause: error,
    });
  }
}
