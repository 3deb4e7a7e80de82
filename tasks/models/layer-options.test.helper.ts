/** Every option that tfjs's declarations list for a layer's constructor, read from the declarations themselves. */
import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

interface Declared {
  readonly fields: string[];
  readonly parents: string[];
}

/** @returns the fields of each class's constructor argument, without those that every layer has. */
export function declaredOptions(): (className: string) => string[] {
  const folder = dirname(createRequire(import.meta.url).resolve("@tensorflow/tfjs-layers/dist/index.d.ts"));
  const names = ["layers", "engine"].flatMap((part) =>
    readdirSync(join(folder, part), { recursive: true }).map((name) => join(folder, part, String(name))),
  );
  const text = names
    .filter((name) => name.endsWith(".d.ts"))
    .map((name) => readFileSync(name, "utf8"))
    .join("\n");
  const declared = new Map<string, Declared>();
  for (const [, name, parents = "", body] of text.matchAll(
    /interface (\w+)(?: extends ([^{]+))? \{\n([\s\S]*?)\n\}/g,
  )) {
    declared.set(name, {
      fields: [...body.matchAll(/^ {4}(\w+)\??:/gm)].map(([, field]) => field),
      parents: parents.replace(/Omit<(\w+)[^>]*>/g, "$1").split(/[\s,]+/),
    });
  }
  const argument = new Map<string, string | undefined>();
  const parentOf = new Map<string, string>();
  for (const [, name, parent, body] of text.matchAll(/class (\w+) extends (\w+) \{([\s\S]*?)\n\}/g)) {
    parentOf.set(name, parent);
    argument.set(name, /constructor\(args\??: (\w+)/.exec(body)?.[1]);
  }
  const fieldsOf = (name: string): string[] => {
    const { fields, parents } = declared.get(name) ?? { fields: [], parents: [] };
    return [...fields, ...parents.flatMap(fieldsOf)];
  };
  const argumentOf = (className: string | undefined): string =>
    className === undefined ? "LayerArgs" : (argument.get(className) ?? argumentOf(parentOf.get(className)));
  const common = new Set(fieldsOf("LayerArgs"));
  return (className) => [...new Set(fieldsOf(argumentOf(className)))].filter((field) => !common.has(field));
}
