/**
 * Converts a message between its plain form, which everything outside shared/wire uses, and the forms that protobuf.js
 * takes (`Input`) and returns (`Output`). In the plain form every field is present, except optional ones, which may be
 * undefined; a `oneof` is a `OneOf`; and values for which the project has a type have that type.
 */
export interface MessageForm<Plain, Input, Output> {
  encode(message: Plain): Input;
  decode(message: Output): Plain;
}

/** The read-only form of protobuf.js's input, which it never changes. */
export type ReadOnly<Message> = Message extends string | number | boolean | Uint8Array | null | undefined
  ? Message
  : Message extends (infer Item)[]
    ? readonly ReadOnly<Item>[]
    : { readonly [Field in keyof Message]: ReadOnly<Message[Field]> };

/** Passes on a plain message that already has protobuf.js's fields. */
export function asInput<Input>(message: ReadOnly<Input>): Input {
  return message as Input;
}
