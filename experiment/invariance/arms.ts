/**
 * An arm of the experiment is an optimizer with its rule. The arms are read from the schema of tasks, so that a new
 * row there is a new arm here: nothing in this folder names an optimizer.
 */
import { invalid } from "../../shared/errors.js";
import type { Task } from "../../tasks/index.js";
import { taskInputSchema } from "../../tasks/task.js";

type OptimizerSpec = Task["optimizer"];

export interface Arm {
  /** The optimizer's name and its choices, joined by hyphens: "invariant-linear". */
  readonly name: string;
  readonly optimizer: OptimizerSpec;
}

const optimizerSchema = taskInputSchema.shape.optimizer.unwrap();

/** Every optimizer with every choice of its fields, in the schema's order. */
export function allArms(): Arm[] {
  return optimizerSchema.options.flatMap((row) => {
    const { name, ...fields } = row.shape as unknown as Record<string, Field>;
    const choices = Object.entries(fields).reduce<Record<string, unknown>[]>(
      (combinations, [field, schema]) =>
        combinations.flatMap((one) => valuesOf(schema).map((value) => ({ ...one, [field]: value }))),
      [{}],
    );
    return choices.map((choice) => armOf({ name: valuesOf(name)[0], ...choice } as OptimizerSpec));
  });
}

export function armOf(optimizer: OptimizerSpec): Arm {
  return { name: Object.values(optimizer).map(String).join("-"), optimizer };
}

/**
 * The arm of that name. An optimizer's bare name stands for its default choices.
 * @throws {IsobatchError} `invalid_input`.
 */
export function findArm(name: string): Arm {
  const arms = allArms();
  const found = arms.find((arm) => arm.name === name);
  if (found !== undefined) return found;
  const byDefault = optimizerSchema.safeParse({ name });
  if (byDefault.success) return armOf(byDefault.data);
  return invalid(`--arms has "${name}"; choose from ${arms.map((arm) => arm.name).join(", ")}.`);
}

interface Field {
  readonly def: { readonly type: string; readonly innerType?: Field; readonly values?: readonly unknown[] };
  readonly options?: readonly unknown[];
}

/** The values that a field of the schema may have: one word, one of several words, or true and false. */
function valuesOf({ def, options }: Field): readonly unknown[] {
  if (def.innerType !== undefined) return valuesOf(def.innerType);
  if (def.type === "literal") return def.values!;
  if (def.type === "enum") return options!;
  if (def.type === "boolean") return [true, false];
  throw new TypeError(`an optimizer's field of type ${def.type} has no list of values`);
}
