import { invalid } from "../shared/errors.js";

/** Values of a task's fields by name; a dot leads into a field: `{ learningRate: 0.01, "schedule.kind": "constant" }`. */
export type FieldValues = Readonly<Record<string, unknown>>;

/**
 * The fields with some of them replaced; what is given is not changed. Names and values are checked with the task.
 * @throws {IsobatchError} `invalid_input` for a name that leads into something that has no fields
 */
export function setFields(fields: Readonly<Record<string, unknown>>, values: FieldValues): Record<string, unknown> {
  let changed: unknown = fields;
  for (const [name, value] of Object.entries(values)) changed = replaced(changed, name.split("."), value, name);
  return changed as Record<string, unknown>;
}

function replaced(holder: unknown, [key, ...rest]: readonly string[], value: unknown, name: string): unknown {
  if (Array.isArray(holder)) {
    const index = Number(key);
    if (!/^\d+$/.test(key) || index >= holder.length) {
      return invalid(`The field ${name} is to be set, but "${key}" is not a number below ${holder.length}.`);
    }
    return holder.with(index, inner(holder[index], rest, value, name));
  }
  // A field that is missing has a default, so one inside it may be set.
  if (holder !== undefined && (typeof holder !== "object" || holder === null)) {
    return invalid(`The field ${name} is to be set, but ${JSON.stringify(holder)} has no field "${key}".`);
  }
  const fields = (holder ?? {}) as Record<string, unknown>;
  return { ...fields, [key]: inner(Object.hasOwn(fields, key) ? fields[key] : undefined, rest, value, name) };
}

function inner(held: unknown, rest: readonly string[], value: unknown, name: string): unknown {
  return rest.length === 0 ? value : replaced(held, rest, value, name);
}
