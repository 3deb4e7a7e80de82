import { invalid } from "../shared/errors.js";

/** Those of the known names that an option has, in their own order; all of them if it is not given. */
export function chosen<Name extends string>(
  option: string,
  names: readonly string[] | undefined,
  known: readonly Name[],
): Name[] {
  const unknown = names?.find((name) => !known.includes(name as Name));
  if (unknown !== undefined) invalid(`${option} names "${unknown}"; there are ${known.join(", ")}.`);
  return known.filter((name) => names === undefined || names.includes(name));
}
