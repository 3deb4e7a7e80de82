import { invalid } from "../shared/errors.js";

/** The known names that an option lists, in their known order; all of them if the option is not given. */
export function chosen<Name extends string>(
  option: string,
  names: readonly string[] | undefined,
  known: readonly Name[],
): Name[] {
  const unknown = names?.find((name) => !known.includes(name as Name));
  if (unknown !== undefined) invalid(`${option} names "${unknown}"; choose from ${known.join(", ")}.`);
  return known.filter((name) => names === undefined || names.includes(name));
}
