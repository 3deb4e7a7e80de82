/**
 * A message that is one of several: one of `Fields` is set, or none if the other side's version knows one that ours does
 * not.
 */
export type OneOf<Fields> = { readonly [Field in keyof Fields]: Only<Fields, Field> }[keyof Fields] | Nothing<Fields>;

type Only<Fields, Field extends keyof Fields> = { readonly [F in Field]: Fields[F] } & Nothing<Omit<Fields, Field>>;
type Nothing<Fields> = { readonly [F in keyof Fields]?: undefined };

/** @param name the field that is set; protobuf.js may leave others there, which were sent before it */
export function oneOf<Fields>(
  name: keyof Fields | undefined,
  message: { readonly [Field in keyof Fields]?: Fields[Field] | null },
): OneOf<Fields> {
  return (name === undefined ? {} : { [name]: message[name] }) as OneOf<Fields>;
}
