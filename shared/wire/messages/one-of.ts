/**
 * A message with alternatives: one of `Fields` is set, or none if the other side has an alternative that this version
 * does not know.
 */
export type OneOf<Fields> = { readonly [Field in keyof Fields]: Only<Fields, Field> }[keyof Fields] | Nothing<Fields>;

type Only<Fields, Field extends keyof Fields> = { readonly [F in Field]: Fields[F] } & Nothing<Omit<Fields, Field>>;
type Nothing<Fields> = { readonly [F in keyof Fields]?: undefined };

/** @param name the field that is set; the message may also have others, which were sent before it */
export function oneOf<Fields>(
  name: keyof Fields | undefined,
  message: { readonly [Field in keyof Fields]?: Fields[Field] | null },
): OneOf<Fields> {
  return (name === undefined ? {} : { [name]: message[name] }) as OneOf<Fields>;
}
