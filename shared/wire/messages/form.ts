/**
 * A message in two forms: the plain one, which everything outside shared/wire uses, and the one that protobuf.js takes
 * (`Input`) and gives (`Output`). In the plain form every field is present, save those that may be absent, which are
 * undefined; a `oneof` is a `OneOf`; and what the project has a type for has that type.
 */
export interface MessageForm<Plain, Input, Output> {
  encode(message: Plain): Input;
  decode(message: Output): Plain;
}

/** What protobuf.js takes, as a message that may not be changed: it only reads what it is given. */
export type ReadOnly<Message> = Message extends string | number | boolean | Uint8Array | null | undefined
  ? Message
  : Message extends (infer Item)[]
    ? readonly ReadOnly<Item>[]
    : { readonly [Field in keyof Message]: ReadOnly<Message[Field]> };

/** The plain message where it has protobuf.js's fields already. */
export function asInput<Input>(message: ReadOnly<Input>): Input {
  return message as Input;
}
